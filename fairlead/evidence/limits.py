"""What the verifier takes at most, and the strict readers of JSON and base64: one value has one spelling, anything else is refused."""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, Final, NoReturn

import rfc8785

from fairlead.contracts.canonical import canonical
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

MAX_BUNDLE_BYTES: Final = 32 * 1024 * 1024
MAX_TRUST_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 2_000_000
"""Commas and opening brackets. A value of three bytes takes a hundred in memory, so bytes alone bound nothing."""
MAX_ENVELOPES: Final = 4096
MAX_PROOF_HASHES: Final = 64
MAX_VOTES: Final = 1000
MAX_NOTE_BYTES: Final = 65_536
MAX_NOTE_SIGNATURES: Final = 16


def read_json(data: bytes, *, max_bytes: int) -> Any:
    """Parse UTF-8 JSON. Raises BadInput: document_too_large, document_too_deep, duplicate_key, document_malformed."""
    if len(data) > max_bytes:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, f"{len(data)} bytes are more than the {max_bytes} taken at most")
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, f"more than {MAX_VALUES} values")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"no JSON: {error}") from error
    require_depth(value)
    return value


def read_canonical(data: bytes, *, max_bytes: int) -> Any:
    """Parse JSON that must be in RFC 8785 form. Raises BadInput as `read_json`."""
    value = read_json(data, max_bytes=max_bytes)
    if to_canonical(value) != data:
        raise BadInput(Code.DOCUMENT_MALFORMED, "the JSON is not in RFC 8785 form")
    return value


def to_canonical(value: Any) -> bytes:
    """RFC 8785 bytes of any value at all. Raises BadInput for what is no JSON value, too deep, or has no such form."""
    require_depth(value)
    try:
        return canonical(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"no RFC 8785 form: {error}") from error


def require_depth(value: Any) -> None:
    """Raise BadInput (document_too_deep) where a value is nested deeper than MAX_DEPTH."""
    layer, depth = [value], 0
    while containers := [item for item in layer if isinstance(item, dict | list | tuple)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        layer = [child for container in containers for child in _children(container)]


def decode_base64(text: Any) -> bytes:
    """Decode canonical standard base64. Raises BadInput (document_malformed) for any other spelling of the same bytes."""
    if not isinstance(text, str):
        raise BadInput(Code.DOCUMENT_MALFORMED, "base64 must be a string")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, "no base64") from error
    if encode_base64(data) != text:
        raise BadInput(Code.DOCUMENT_MALFORMED, "the base64 is not canonical")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


def _children(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(Code.DUPLICATE_KEY, f"the key {twice!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadInput(Code.DOCUMENT_MALFORMED, f"{name} is no JSON")


def _too_deep() -> BadInput:
    return BadInput(Code.DOCUMENT_TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
