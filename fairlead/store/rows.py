"""From rows to records and back: the two moves that every query module makes."""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from rfc8785 import CanonicalizationError
from sqlalchemy import literal
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, func, select

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import canonical
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.store.tables.row import Row

R = TypeVar("R", bound=Frozen)
T = TypeVar("T", bound=Row)

_LARGEST_INTEGER = 2**53 - 1


def as_record(kind: type[R], row: Row) -> R:
    """A row as the value that may leave the store."""
    return kind.model_validate(row, from_attributes=True)


def insert_once(s: Session, row: Row) -> bool:
    """Insert a row unless one with such a key is there; whether it was inserted."""
    values = row.model_dump(exclude_none=True)
    once = insert(type(row)).values(**values).on_conflict_do_nothing()
    return s.exec(once.returning(literal(True))).first() is not None


def insert_all_once(s: Session, rows: Sequence[Row]) -> None:
    """Insert rows of one table, in one statement, except those whose key is there."""
    if rows:
        values = [row.model_dump(exclude_none=True) for row in rows]
        s.exec(insert(type(rows[0])).values(values).on_conflict_do_nothing())


def lock_row(s: Session, table: type[T], key: Any) -> T | None:
    """A row as it is now, that nobody else changes until the transaction ends; rows that point at it may still be added."""
    return s.get(table, key, with_for_update={"key_share": True}, populate_existing=True)


def lock_name(s: Session, name: str) -> None:
    """Be the only one to hold this name until the transaction ends."""
    s.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0)))).one()


def canonical_or_refuse(value: Any) -> bytes:
    """The canonical bytes of what came from outside. Raises BadInput (document_malformed) for what JSON cannot hold."""
    try:
        return canonical(value)
    except CanonicalizationError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, "the document holds a text or number that JSON cannot") from error


def read_canonical(content: bytes) -> Any:
    """The JSON value of canonical bytes. They write a large float like an integer, and have no large integers."""
    return json.loads(content, parse_int=_integer)


def _integer(digits: str) -> int | float:
    number = int(digits)
    return number if abs(number) <= _LARGEST_INTEGER else float(digits)
