"""Reads what came as a message, whatever it is: into a JSON value that may be handed to an activity, or a note that it cannot be."""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from rfc8785 import CanonicalizationError
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from fairlead.contracts.canonical import Digest, canonical, digest_bytes
from fairlead.contracts.votes import MAX_VOTE_BYTES
from fairlead.domain.codes import Code
from workflows.failures import Failure

NOTHING = RawValue(Payload())
"""What a signal without a payload carries."""
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Message:
    """`envelope` as it came; or, where it cannot be passed on, why not, and the digest of what came as `payload`."""

    envelope: Any
    payload: Digest | None = None


def read_raw(raw: RawValue) -> Message:
    """A signal's payload. Never raises: a signal handler that does stops the workflow."""
    data = raw.payload.data
    if len(data) > MAX_VOTE_BYTES:
        return Message("too large", digest_bytes(data))
    try:
        value = json.loads(data, parse_constant=_no_json)
        if flaw_of(value) is None:
            return Message(value)
    except (ValueError, RecursionError):
        pass
    return Message("no JSON object", digest_bytes(data))


def flaw_of(value: Any) -> Failure | None:
    """Why this JSON value cannot be a vote at all; None where it may be one."""
    if not isinstance(value, dict) or _is_deeper(value, _MAX_DEPTH):
        return Failure(Code.VOTE_MALFORMED, "a vote is a JSON object: a signed envelope")
    try:
        size = len(canonical(value))
    except (CanonicalizationError, ValueError, RecursionError):
        return Failure(Code.VOTE_MALFORMED, "the vote has no canonical form")
    if size > MAX_VOTE_BYTES:
        return Failure(Code.VOTE_TOO_LARGE, f"the vote has more than {MAX_VOTE_BYTES} bytes")
    return None


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)
