"""A vote is opened without trust, says what is wrong with it by code, and is proved by its voter's key alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.contracts.canonical import canonical, digest_bytes
from fairlead.contracts.votes import MAX_VOTE_BYTES, VOTE_PAYLOAD_TYPE, Choice, VotePayload
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence import envelope, voting
from tests.evidence import world as w

VOTE = w.ballot("ana", 12).envelope


def _payload():
    return json.loads(envelope.read_envelope(VOTE).payload)


def _signed(document, payload_type=VOTE_PAYLOAD_TYPE):
    return envelope.sign(
        w.signer("ana"), payload_type, document if isinstance(document, bytes) else canonical(document)
    )


def test_a_vote_opens_as_it_was_signed():
    opened = voting.verify_vote(VOTE, w.signer("ana").public_pem)
    assert (opened.payload.voter, opened.payload.choice, opened.keyid) == ("ana", Choice.APPROVE, w.signer("ana").keyid)
    assert opened.digest == digest_bytes(envelope.read_envelope(VOTE).payload) == voting.vote_digest(VOTE)


UNSIGNED = {
    "bare words": {"choice": "approve", "voter": "ana"},
    "nothing": {},
    "no signature": {**VOTE, "signatures": []},
    "null for signatures": {**VOTE, "signatures": None},
}
MALFORMED = {
    "null": None,
    "text": "approve",
    "a number": 1,
    "a list": [VOTE],
    "two signatures": {**VOTE, "signatures": [*VOTE["signatures"] * 2]},
    "one field more": {**VOTE, "note": "hello"},
    "no base64": {**VOTE, "payload": "***"},
    "a key that is no text": {1: 2, **VOTE},
    "something JSON has not": {**VOTE, "payload": {1, 2}},
    "another payload type": _signed(_payload(), "application/vnd.in-toto+json"),
    "no JSON inside": _signed(b"approve"),
    "a spelling of its own": _signed(json.dumps(_payload()).encode()),
    "a field that nobody knows": _signed({**_payload(), "weight": 2}),
    "a field missing": _signed({k: v for k, v in _payload().items() if k != "nonce"}),
    "a choice that is none": _signed({**_payload(), "choice": "abstain"}),
    "a plan that is no digest": _signed({**_payload(), "plan": "the usual"}),
    "a time in another zone": _signed({**_payload(), "time": "2025-03-01T13:12:00+01:00"}),
    "a time without zone": _signed({**_payload(), "time": "2025-03-01T12:12:00"}),
    "a time that is a number": _signed({**_payload(), "time": 1740830400}),
}
TOO_MUCH = {
    "too long": _signed({**_payload(), "comment": "x" * MAX_VOTE_BYTES}),
    "too long and no vote": {"signatures": ["x" * MAX_VOTE_BYTES]},
}


@pytest.mark.parametrize("value", UNSIGNED.values(), ids=UNSIGNED)
def test_what_carries_no_signature_is_unsigned(value):
    _refused(value, Code.VOTE_UNSIGNED)


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_vote_is_malformed(value):
    _refused(value, Code.VOTE_MALFORMED)


@pytest.mark.parametrize("value", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_too_large(value):
    _refused(value, Code.VOTE_TOO_LARGE)


def test_what_is_nested_without_end_is_malformed():
    deep = []
    for _ in range(10_000):
        deep = [deep]
    _refused({"payload": deep, "signatures": [1]}, Code.VOTE_MALFORMED)


def _refused(value, code):
    with pytest.raises(BadInput) as caught:
        voting.open_vote(value)
    assert caught.value.code == code
    assert voting.vote_digest(value).startswith("sha256:")


def test_another_key_did_not_sign_it():
    with pytest.raises(BadInput) as caught:
        voting.verify_vote(VOTE, w.signer("ben").public_pem)
    assert caught.value.code == Code.VOTE_UNKNOWN_KEY


def test_a_signature_over_other_words_does_not_hold():
    forged = {**VOTE, "payload": w.ballot("ana", 12, Choice.REJECT).envelope["payload"]}
    with pytest.raises(BadInput) as caught:
        voting.verify_vote(forged, w.signer("ana").public_pem)
    assert caught.value.code == Code.VOTE_BAD_SIGNATURE


def test_milliseconds_as_browsers_write_them_are_fine():
    assert (
        voting.open_vote(_signed({**_payload(), "time": "2025-03-01T12:12:00.123Z"})).payload.time.microsecond
        == 123_000
    )


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(WORDS, WORDS, st.sampled_from(Choice))
def test_any_words_survive_signing(comment, nonce, choice):
    fields = {**_payload(), "comment": comment, "nonce": nonce, "choice": choice}
    try:
        payload = VotePayload.model_validate(fields)
        sealed = voting.sign_vote(w.signer("ana"), payload)
    except ValueError:  # unpaired surrogates have no JSON
        return
    assert voting.open_vote(json.loads(json.dumps(sealed))).payload == payload
