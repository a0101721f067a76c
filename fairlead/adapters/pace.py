"""How slowly a source may answer, and how long it may ask us to wait: it could be anybody, and a thread of ours waits for it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable

GRACE: Final = 60.0
SLOWEST: Final = 16 * 1024
"""Bytes in a second, on average, once the seconds of GRACE are over."""
MIN_WAIT: Final = 1.0
MAX_WAIT: Final = 60.0


def paced(pieces: Iterable[bytes], clock: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
    """The pieces as they come. Raises Unavailable (registry_unavailable) for a source that drips: each piece may be in time, and all never."""
    began, total = clock(), 0
    for piece in pieces:
        total += len(piece)
        if clock() - began > GRACE + total / SLOWEST:
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, f"only {total} bytes came in {clock() - began:.0f} s")
        yield piece


def wait_of(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks for (a number, or an HTTP date counted from the answer's own Date), within bounds."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return _bounded(float(text[:9]))
    until = _http_date(text)
    if until is None:
        return None
    since = _http_date(headers.get("date", "")) or datetime.fromtimestamp(time.time(), UTC)
    return _bounded((until - since).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(seconds, MIN_WAIT), MAX_WAIT)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
