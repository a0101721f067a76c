"""What messages may carry on into an activity."""

import json

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from fairlead.contracts.canonical import digest_bytes
from fairlead.domain.codes import Code
from workflows.envelopes import NOTHING, flaw_of, read_raw


def raw(data: bytes) -> RawValue:
    return RawValue(Payload(data=data))


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def test_a_json_object_is_passed_on_as_it_came() -> None:
    envelope = {"payload": "eyJ9", "signatures": [{"keyid": "a", "sig": "b"}]}
    assert read_raw(raw(json.dumps(envelope).encode())).envelope == envelope


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"7", b"null", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}',
        b'{"a": 123456789012345678901234567890}', json.dumps(nested(40)).encode(), b"[" * 9_000, b'{"a":' * 3_000,
        b'{"a": "' + b"x" * 17_000 + b'"}',
    ],
)  # fmt: skip
def test_anything_else_is_named_by_its_digest_and_is_no_vote(data: bytes) -> None:
    message = read_raw(raw(data))
    assert message.payload == digest_bytes(data)
    assert isinstance(message.envelope, str)


def test_a_signal_without_a_payload_is_no_vote() -> None:
    assert read_raw(NOTHING).payload == digest_bytes(b"")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (nested(3), None),
        ({}, None),
        ([], Code.VOTE_MALFORMED),
        ("", Code.VOTE_MALFORMED),
        (nested(40), Code.VOTE_MALFORMED),
        ({"a": float("nan")}, Code.VOTE_MALFORMED),
        ({"a": "x" * 17_000}, Code.VOTE_TOO_LARGE),
    ],
)
def test_flaws_have_codes(value: object, code: Code | None) -> None:
    flaw = flaw_of(value)
    assert (flaw.code if flaw else None) == code
