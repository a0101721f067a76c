"""A trust file says which keys may sign what; one that is not quite right is not used at all."""

import base64
import json

import pytest

from fairlead.domain.errors import BadInput
from fairlead.evidence.trust import read_trust
from tests.evidence import world as w


def _with_key(**fields):
    return {**w.trust(), "keys": [{**w.trust()["keys"][0], **fields}]}


def test_a_trust_file_reads():
    trust = read_trust(json.dumps(w.trust()).encode())
    assert trust.project == "shop"
    assert [key.keyid for key in trust.with_role("ledger")] == [w.signer("ledger").keyid]


BAD = {
    "no project": {"keys": []},
    "no keys": {"project": "shop"},
    "a keyid of another key": _with_key(keyid="0" * 64),
    "a role of nobody": _with_key(roles=["admin"]),
    "a voter without name": _with_key(roles=["voter:"]),
    "an agent without name": _with_key(roles=["agent"]),
    "no role": _with_key(roles=[]),
    "a bound without zone": _with_key(not_after="2025-03-01T12:00:00"),
    "a key twice": {**w.trust(), "keys": [w.trust()["keys"][0]] * 2},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_a_trust_file_that_is_not_right_is_refused(document):
    with pytest.raises(BadInput):
        read_trust(document)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"project":"shop","project":"bank","keys":[]}', b"\xff"])
def test_what_is_no_strict_json_is_refused(data):
    with pytest.raises(BadInput):
        read_trust(data)


def _pem(der: bytes) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"


OF_NO_KNOWN_KIND = _pem(bytes.fromhex("300c300506032a0304030300ffff"))


@pytest.mark.parametrize("pem", ["", "no key", _pem(bytes.fromhex("302a300506032b6570032100")), OF_NO_KNOWN_KIND])
def test_a_key_that_is_none_is_refused(pem):
    with pytest.raises(BadInput):
        read_trust(_with_key(public_key=pem))


def test_bounds_are_included():
    bounds = {"not_before": "2025-03-01T12:00:00Z", "not_after": "2025-03-01T13:00:00Z"}
    key = read_trust(_with_key(**bounds)).keys[w.signer("decision").keyid]
    assert [key.valid_at(w.minute(at)) for at in (-0.01, 0, 60, 60.01)] == [False, True, True, False]
