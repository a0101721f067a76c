"""Lists in pages: an opaque cursor says where the next one begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query

from fairlead.contracts.base import Frozen
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(Frozen, Generic[Item]):
    """A part of a list. `next`: the cursor of the part that follows, None at the end."""

    items: tuple[Item, ...]
    next: str | None = None


class Slice(Frozen):
    """What part of a list was asked for. `place`: the last place seen, None at the beginning."""

    limit: int
    place: int | None = None


def _slice(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
) -> Slice:
    return Slice(limit=limit, place=None if cursor is None else _read(cursor))


SliceDep = Annotated[Slice, Depends(_slice)]


def page(rows: Sequence[Row], asked: Slice, place: Callable[[Row], int], shape: Callable[[Row], Item]) -> Page[Item]:
    """The page of `rows`, which were read with a limit one higher than asked for: one more tells that there is a next."""
    shown = rows[: asked.limit]
    following = _write(place(shown[-1])) if len(rows) > asked.limit else None
    return Page(items=tuple(shape(row) for row in shown), next=following)


def _write(place: int) -> str:
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode().rstrip("=")


def _read(cursor: str) -> int:
    try:
        word, _, place = (
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode().partition(":")
        )
        if word != "after":
            raise ValueError(word)
        return int(place)
    except (ValueError, binascii.Error) as error:
        raise BadInput(Code.BAD_CURSOR, "this cursor is not one that this list gave") from error
