"""Taking secrets out of what is said: whatever text leaves us, `***` stands where a value stood, however it was written there."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""What is shorter stands in every other word; masking it would hide the text and give the value away."""


def mask(text: str, values: Iterable[str]) -> str:
    """The text without the values and their usual encodings, the longest first."""
    forms = sorted({form for value in values for form in _forms(value) if len(form) >= SHORTEST}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, forms)), MASK, text) if forms else text


def mask_all(value: Any, values: Iterable[str]) -> Any:
    """The same for every text in a JSON value, keys too."""
    known = tuple(values)
    if isinstance(value, str):
        return mask(value, known)
    if isinstance(value, dict):
        return {mask_all(key, known): mask_all(inner, known) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(mask_all(inner, known) for inner in value)
    return value


def _forms(value: str) -> Iterator[str]:
    """As it is, line by line, and as programs print it: in JSON, in a URL, in Python's own notation, in Base64."""
    if len(value) < SHORTEST:
        return
    yield value
    yield from value.splitlines()
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    raw = value.encode(errors="surrogateescape")
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[str]:
    """Three ways, by where in the encoded text it begins (`user:password` is encoded as a whole): of each what depends on nothing else."""
    for offset, spoilt in enumerate((0, 2, 3)):
        coded = base64.b64encode(bytes(offset) + raw).decode().rstrip("=")
        whole = coded[spoilt:] if (offset + len(raw)) % 3 == 0 else coded[spoilt:-1]
        for form in (coded[spoilt:], whole):
            yield from (form, form.replace("+", "-").replace("/", "_"))
