"""The append-only record: events keyed (subject, sequence), projected into the rows that lists and pages read."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.records import EventRecord
from fairlead.contracts.steps import Append


def append(s: Session, event: Append) -> EventRecord:
    """Record an event once and project it into its subject's row; other content, a gap or an ended subject is history_conflict."""
    raise NotImplementedError


def append_next(
    s: Session,
    *,
    subject: str,
    type: str,
    time: datetime,
    actor: str | None = None,
    code: str | None = None,
    data: dict[str, Any] | None = None,
) -> EventRecord:
    """Record an event with the subject's next free sequence, for subjects that no workflow numbers."""
    raise NotImplementedError


def event(s: Session, subject: str, sequence: int) -> EventRecord | None:
    """One event, if it is there."""
    raise NotImplementedError


def events(s: Session, subject: str, after: int = -1, limit: int = 100) -> list[EventRecord]:
    """Events of a subject in order, those after a sequence."""
    raise NotImplementedError
