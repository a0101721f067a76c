"""Request bodies under limits: size while it is read, and for JSON depth, duplicate keys, NUL and unpaired surrogates."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw

MIB = 1024 * 1024
MAX_BODY = MIB
MAX_DEPTH = 64

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def raw_body(limit: int = MAX_BODY) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that reads the body's bytes itself: only their number is limited."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__.update(raw_body=True, max_body=limit)
        return endpoint

    return mark


class BoundedRequest(Request):
    """A request whose body is refused as soon as it is too large, and whose JSON is read strictly."""

    max_body = MAX_BODY

    async def body(self) -> bytes:
        """The whole body. Raises BadInput (document_too_large)."""
        if not hasattr(self, "_body"):
            content = bytearray()
            async for chunk in self.stream():
                content += chunk
                if len(content) > self.max_body:
                    raise BadInput(Code.DOCUMENT_TOO_LARGE, f"the body is larger than {self.max_body // MIB} MiB")
            self._body = bytes(content)
        return self._body

    async def json(self) -> Any:
        """The body as JSON. Raises BadInput."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


def read_json(body: bytes) -> Any:
    """Parse strictly. Raises BadInput: document_malformed with line and column, duplicate_key, document_too_deep."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        flaw = Flaw(Code.DOCUMENT_MALFORMED, error.msg, line=error.lineno, column=error.colno)
        raise BadInput(Code.DOCUMENT_MALFORMED, f"not JSON: {error}", flaws=[flaw]) from error
    except RecursionError as error:
        raise BadInput(Code.DOCUMENT_TOO_DEEP, f"nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"not JSON: {error}") from error
    _inspect(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(Code.DUPLICATE_KEY, f"the key {key[:80]!r} stands twice in one object")
        found[key] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _inspect(root: Any) -> None:
    waiting = [(root, "", 1)]
    while waiting:
        value, pointer, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise BadInput(Code.DOCUMENT_TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
        if isinstance(value, str):
            _check_text(value, pointer)
        elif isinstance(value, dict):
            for key, item in value.items():
                _check_text(key, pointer)
                waiting.append((item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1))
        elif isinstance(value, list):
            waiting.extend((item, f"{pointer}/{place}", depth + 1) for place, item in enumerate(value))


def _check_text(text: str, pointer: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        flaw = Flaw(Code.DOCUMENT_MALFORMED, "holds NUL or an unpaired surrogate", pointer)
        raise BadInput(Code.DOCUMENT_MALFORMED, "text with NUL or an unpaired surrogate", flaws=[flaw])
