"""Instants as text: RFC 3339 in UTC with `Z`, as facts and statements carry them."""

from datetime import UTC, datetime


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive one, and for one that lies outside the years 1 to 9999 there."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant lies in the years 1 to 9999, in UTC") from error


def to_text(instant: datetime) -> str:
    """RFC 3339 with `Z`. Raises ValueError as `in_utc`."""
    return in_utc(instant).isoformat().replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The instant that RFC 3339 text names. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant
