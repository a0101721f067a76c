"""Instants as text: RFC 3339 in UTC with `Z`, as facts and statements carry them."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """RFC 3339 with `Z`. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The instant that RFC 3339 text names. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant
