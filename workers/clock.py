"""The clock, read at the edge and handed on as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present time, aware."""
    return datetime.now(UTC)  # noqa: TID251 - a composition root reads the clock
