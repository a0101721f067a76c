"""The ledger grows leaf by leaf, without holes, once per key."""

import base64
import hashlib

import pytest
from sqlmodel import Session

from fairlead.contracts.canonical import canonical, digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.store import ledger
from fairlead.store.database import Database
from tests.store.seeds import NOW
from tests.store.together import together


def seal(s: Session, key: str, content: str = "", project: str = "shop", promotion: str | None = "p1"):
    payload = canonical({"key": key, "content": content})
    return ledger.seal(
        s,
        project=project,
        key=key,
        kind="decision",
        promotion=promotion,
        statement=digest_bytes(payload),
        envelope={"payload": base64.b64encode(payload).decode(), "payloadType": "t", "signatures": []},
        time=NOW,
    )


def test_envelopes_come_back_in_order(s: Session):
    sealed = [seal(s, key) for key in ("b", "a", "c")]
    assert [envelope.index for envelope in sealed] == [0, 1, 2]
    assert ledger.envelopes(s, "shop") == sealed
    assert ledger.envelopes(s, "shop", upto=2) == sealed[:2]


def test_a_leaf_is_the_hash_of_the_canonical_envelope(s: Session):
    sealed = seal(s, "a")
    assert ledger.leaf_hashes(s, "shop") == [hashlib.sha256(b"\0" + canonical(sealed.envelope)).digest()]


def test_sealing_again_is_the_same_leaf(s: Session):
    first = seal(s, "a")
    assert seal(s, "a") == first
    assert ledger.size(s, "shop") == 1


def test_another_statement_under_a_key_is_refused(s: Session):
    seal(s, "a")
    with pytest.raises(Conflict) as caught:
        seal(s, "a", "other")
    assert caught.value.code == Code.HISTORY_CONFLICT


def test_every_project_has_its_own(s: Session):
    seal(s, "a")
    assert seal(s, "a", project="other").index == 0
    assert ledger.size(s, "shop") == ledger.size(s, "other") == 1
    assert ledger.size(s, "none") == 0


def test_envelopes_are_found_by_key_statement_and_promotion(s: Session):
    first, _ = seal(s, "a"), seal(s, "b", promotion=None)
    assert ledger.by_key(s, "shop", "a") == ledger.by_statement(s, "shop", first.statement) == first
    assert ledger.of_promotion(s, "p1") == [first]
    assert ledger.by_key(s, "shop", "z") is ledger.by_statement(s, "other", first.statement) is None


def test_a_prefix_of_the_leaves_is_a_smaller_ledger(s: Session):
    for n in range(4):
        seal(s, str(n))
    assert ledger.leaf_hashes(s, "shop", 3) == ledger.leaf_hashes(s, "shop")[:3]


def test_two_who_seal_at_once_leave_no_hole(database: Database):
    together(database, lambda s, n: seal(s, str(n)).index)
    with database.session() as s:
        assert [envelope.index for envelope in ledger.envelopes(s, "shop")] == list(range(20))
        assert len(ledger.leaf_hashes(s, "shop")) == 20


def test_two_who_seal_the_same_get_the_same(database: Database):
    assert len(set(together(database, lambda s, n: seal(s, str(n // 2)).index))) == 10
