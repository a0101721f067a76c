"""Durations as people write them: `10m`, `1h30m`, `5s`, `500ms`. A value is seconds."""

import re

MAX_SECONDS = 366 * 86_400.0

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_PATTERN = re.compile(r"(?=.)" + "".join(rf"(?:([0-9]{{1,9}}){unit}(?![a-z]))?" for unit, _ in _UNITS))


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError for another notation and beyond a year."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.60} is not a duration such as 500ms, 5s, 10m or 1h30m")
    total = sum(int(count or 0) * scale for count, (_, scale) in zip(match.groups(), _UNITS, strict=True))
    if total > MAX_SECONDS * 1000:
        raise ValueError(f"{text!r:.60} is longer than a year")
    return total / 1000


def format_duration(seconds: float) -> str:
    """The one shortest notation, in whole milliseconds."""
    rest, parts = round(seconds * 1000), []
    for unit, scale in _UNITS:
        count, rest = divmod(rest, scale)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
