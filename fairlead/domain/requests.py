"""What a request may hold that hands sent: ids and texts that every system can keep and show, and times that name an instant."""

from datetime import datetime

from fairlead.domain.blocks import is_text
from fairlead.domain.instants import in_utc

MAX_ID = 200
MAX_TEXT = 4000
"""In bytes of UTF-8: Temporal measures so, and a step whose summary is too long for it stops the workflow."""


def flaw_of_ids(*ids: str) -> str | None:
    """What is wrong with one of these ids, None where nothing is. An empty one would be the same request as every other empty one."""
    return next((flaw for id in ids if (flaw := flaw_of_text(id, MAX_ID) if id else "an id or actor is empty")), None)


def flaw_of_text(text: str, limit: int = MAX_TEXT) -> str | None:
    """What is wrong with a text, None where nothing is."""
    if not is_text(text):
        return "text may hold no NUL and no lone surrogate"
    return None if len(text.encode()) <= limit else f"{text!r:.40} is longer than {limit} bytes"


def flaw_of_instant(instant: datetime | None) -> str | None:
    """What is wrong with a time, None where nothing is."""
    try:
        if instant is not None:
            in_utc(instant)
    except ValueError as error:
        return str(error)
    return None
