"""Freezes and holds."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.records import RestraintRecord


def add(s: Session, restraint: RestraintRecord) -> RestraintRecord:
    """Keep a freeze or hold, once per id."""
    raise NotImplementedError


def end(s: Session, id: str, *, time: datetime, actor: str) -> RestraintRecord:
    """End a freeze or hold, once. Raises NotFound (freeze_not_found, hold_not_found)."""
    raise NotImplementedError


def open_at(
    s: Session, project: str, environment: str, now: datetime, kind: str | None = None
) -> list[RestraintRecord]:
    """Freezes and holds in force, oldest first."""
    raise NotImplementedError


def get(s: Session, id: str) -> RestraintRecord | None:
    """A freeze or hold by id."""
    raise NotImplementedError
