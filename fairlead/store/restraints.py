"""Freezes and holds."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from fairlead.contracts.records import RestraintRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store.rows import insert_once, lock_row
from fairlead.store.tables.lane import Freeze, Hold, Restraint

FREEZE, HOLD = "freeze", "hold"
_TABLES: dict[str, type[Restraint]] = {FREEZE: Freeze, HOLD: Hold}


def add(s: Session, restraint: RestraintRecord) -> RestraintRecord:
    """Keep a freeze or hold, once per id; answers the one that is there."""
    insert_once(s, _TABLES[restraint.kind](**restraint.model_dump(exclude={"kind"})))
    return get(s, restraint.id) or restraint


def end(s: Session, id: str, *, time: datetime, actor: str) -> RestraintRecord:
    """End a freeze or hold, once. Raises NotFound (hold_not_found)."""
    for kind, table in _TABLES.items():
        row = lock_row(s, table, id)
        if row is None:
            continue
        if row.ended_at is None:
            row.ended_at, row.ended_by = time, actor
            s.flush()
        return _record(kind, row)
    raise NotFound(Code.HOLD_NOT_FOUND, f"there is no freeze or hold {id}")


def open_at(
    s: Session, project: str, environment: str, now: datetime, kind: str | None = None
) -> list[RestraintRecord]:
    """Freezes and holds in force, oldest first."""
    found = [
        _record(each, row)
        for each, table in _TABLES.items()
        if kind in (None, each)
        for row in s.exec(
            select(table).where(
                table.project == project,
                table.environment == environment,
                col(table.ended_at).is_(None),
                or_(col(table.until).is_(None), col(table.until) > now),
            )
        )
    ]
    return sorted(found, key=lambda restraint: (restraint.since, restraint.id))


def get(s: Session, id: str) -> RestraintRecord | None:
    """A freeze or hold by id."""
    rows = ((kind, s.get(table, id)) for kind, table in _TABLES.items())
    return next((_record(kind, row) for kind, row in rows if row is not None), None)


def _record(kind: str, row: Restraint) -> RestraintRecord:
    return RestraintRecord(kind=kind, **row.model_dump())
