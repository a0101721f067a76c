"""Every vote that a client can get refused: told at once, recorded as an event, and counted nowhere."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.adapters.signer import FileSigner
from fairlead.evidence.voting import vote_digest
from tests.system.conftest import MakeShop, making_shops
from tests.system.shop import Shop
from tests.system.whole import WholeSystem, until
from workers.clock import now

pytestmark = pytest.mark.process

ZEROS = f"sha256:{'0' * 64}"
LATE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def poll(system: WholeSystem) -> Iterator[tuple[Shop, str]]:
    """A promotion that ana asked for and that waits for more votes than there are voters; ben has approved."""
    with making_shops(system) as make:
        shop = make()
        shop.environment("prod", approval={"count": 3})
        shop.apply()
        shop.release("1.0.0")
        id = shop.promote("1.0.0", "prod")
        shop.reaches(id, "awaiting_approval")
        assert shop.vote("ben", id).status == 200
        yield shop, id


Make = Callable[[Shop, str], Any]


def unsigned(shop: Shop, id: str) -> Any:
    return shop.envelope("cho", id) | {"signatures": []}


def forged(shop: Shop, id: str) -> Any:
    """cho's signature around what ben says."""
    return shop.envelope("cho", id) | {"payload": shop.envelope("cho", id, comment="another")["payload"]}


def replayed(shop: Shop, id: str) -> Any:
    envelope = shop.envelope("cho", id)
    assert shop.send("cho", id, envelope).status == 200
    return envelope


def by(voter: str, **changes: Any) -> Make:
    return lambda shop, id: shop.envelope(voter, id, **changes)


VOTES: dict[str, tuple[Make, int, str, str]] = {
    "no envelope": (lambda *_: {"choice": "approve"}, 422, "vote_unsigned", "unknown"),
    "a list": (lambda *_: ["approve"], 422, "vote_malformed", "unknown"),
    "nothing": (lambda *_: None, 422, "vote_malformed", "unknown"),
    "too deep": (lambda *_: {"a": {"b": _deep(40)}}, 422, "vote_malformed", "unknown"),
    "too large": (by("cho", comment="x" * 20_000), 422, "vote_too_large", "unknown"),
    "unsigned": (unsigned, 422, "vote_unsigned", "unknown"),
    "a signature that does not fit": (forged, 422, "vote_bad_signature", "unknown"),
    "an unknown key": (
        lambda shop, id: shop.envelope("cho", id, signer=FileSigner(Ed25519PrivateKey.generate())),
        403,
        "vote_unknown_key",
        "unknown",
    ),
    "in another's name": (
        lambda shop, id: shop.envelope("cho", id, signer=shop.signers["ben"]),
        403,
        "vote_wrong_voter",
        "ben",
    ),
    "as if by a front end": (by("cho", assurance="front_end"), 403, "vote_wrong_voter", "cho"),
    "for another promotion": (by("cho", promotion="aaaaaaaaaaaa"), 422, "vote_wrong_promotion", "cho"),
    "for another environment": (by("cho", environment="dev"), 422, "vote_wrong_promotion", "cho"),
    "for another release": (by("cho", release=ZEROS), 422, "vote_wrong_release", "cho"),
    "for another plan": (by("cho", plan=ZEROS), 409, "vote_wrong_plan", "cho"),
    "by the requester": (by("ana"), 403, "vote_by_requester", "ana"),
    "too old": (lambda shop, id: shop.envelope("cho", id, time=now() - LATE), 409, "vote_stale", "cho"),
    "from the future": (lambda shop, id: shop.envelope("cho", id, time=now() + LATE), 409, "vote_stale", "cho"),
    "earlier than the last": (
        lambda shop, id: shop.envelope("ben", id, time=now() - LATE / 3),
        409,
        "vote_not_later",
        "ben",
    ),
    "sent again": (replayed, 409, "vote_replayed", "cho"),
    "a cancel": (by("cho", choice="cancel"), 422, "vote_malformed", "cho"),
}


def _deep(levels: int) -> Any:
    return {"a": _deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(("make", "status", "code", "actor"), VOTES.values(), ids=VOTES)
def test_a_bad_vote_is_refused_and_seen(poll: tuple[Shop, str], make: Make, status: int, code: str, actor: str) -> None:
    shop, id = poll
    envelope = make(shop, id)
    before = shop.view(id)
    answer = shop.ana.ask("POST", f"/promotions/{id}/votes", envelope)
    after = shop.view(id)
    assert answer.says == (status, code), answer.body
    [refused] = after["refused_votes"][len(before["refused_votes"]) :]
    assert (refused["code"], refused["actor"]) == (code, actor)
    assert refused["payload_digest"] == vote_digest(envelope)
    assert (after["votes"], after["state"]) == (before["votes"], "awaiting_approval")


def test_a_vote_where_none_is_asked_for_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("dev")
    shop.apply()
    shop.release("1.0.0")
    shop.restrain("freezes", "dev")
    id = shop.promote("1.0.0", "dev")
    shop.reaches(id, "awaiting_gate")
    assert shop.vote("ben", id).says == (409, "votes_not_open")
    assert [vote["code"] for vote in shop.view(id)["refused_votes"]] == ["votes_not_open"]


def test_a_vote_after_the_decision_is_refused(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 1})
    shop.apply()
    shop.release("1.0.0")
    shop.gate("prod-1").touch()
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    assert shop.vote("ben", id).status == 200
    until(lambda: shop.starts("prod-1"), "prod-1 to be started")
    assert shop.vote("cho", id, choice="reject").says == (409, "votes_closed")
    shop.gate("prod-1").unlink()
    assert shop.ends(id)["state"] == "succeeded"
    assert shop.vote("cho", id).says == (409, "promotion_closed")
    assert [vote["code"] for vote in shop.view(id)["refused_votes"]] == ["votes_closed", "promotion_closed"]


def test_one_reject_ends_a_promotion(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 2})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    assert shop.vote("ben", id).status == 200
    assert shop.vote("cho", id, choice="reject").status == 200
    assert (shop.ends(id)["state"], shop.view(id)["code"]) == ("rejected", "vote_rejected")
    assert shop.starts("prod-1") == []


def test_without_enough_votes_in_time_it_expires(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 2, "expires": "1s"})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    assert (shop.ends(id)["state"], shop.view(id)["code"]) == ("expired", "approval_expired")
    assert shop.verified(id).state == "expired"
