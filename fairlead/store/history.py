"""The append-only record: events keyed (subject, sequence), projected into the rows that lists and pages read."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, func, select

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.contracts.names import EVENTS_CHANNEL
from fairlead.contracts.records import EventRecord
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.store import projection
from fairlead.store.rows import as_record, canonical_or_refuse, lock_name
from fairlead.store.tables.history import Event


def append(s: Session, event: Append) -> EventRecord:
    """Record an event once and project it into its subject's row.

    The same again is nothing. Other content, a gap (promotions and deployments) or an ended subject is Conflict (history_conflict).
    """
    lock_name(s, event.subject)
    digest = digest_bytes(canonical_or_refuse(event))
    known = _row(s, event.subject, event.sequence)
    if known is not None:
        return _same(known, digest)
    projection.project(s, event)
    row = Event(**event.model_dump(), digest=digest)
    s.add(row)
    s.flush()
    s.exec(select(func.pg_notify(EVENTS_CHANNEL, event.subject))).one()
    return as_record(EventRecord, row)


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
    lock_name(s, subject)
    last = s.exec(select(func.max(Event.sequence)).where(Event.subject == subject)).one()
    sequence = 0 if last is None else int(last) + 1
    event = Append(subject=subject, sequence=sequence, type=type, time=time, actor=actor, code=code, data=data or {})
    return append(s, event)


def event(s: Session, subject: str, sequence: int) -> EventRecord | None:
    """One event, if it is there."""
    row = _row(s, subject, sequence)
    return as_record(EventRecord, row) if row else None


def last(s: Session, subject: str, type: str | None = None) -> EventRecord | None:
    """The latest event of a subject, or the latest of a type."""
    query = select(Event).where(Event.subject == subject)
    if type is not None:
        query = query.where(Event.type == type)
    row = s.exec(query.order_by(col(Event.sequence).desc()).limit(1)).one_or_none()
    return as_record(EventRecord, row) if row else None


def latest(s: Session, subjects: Collection[str], types: Collection[str]) -> dict[str, EventRecord]:
    """The latest event of each of these subjects that is of one of these types."""
    query = select(Event).where(col(Event.subject).in_(subjects), col(Event.type).in_(types))
    newest = query.ext(distinct_on(col(Event.subject))).order_by(Event.subject, col(Event.sequence).desc())
    return {row.subject: as_record(EventRecord, row) for row in s.exec(newest)}


def events(s: Session, subject: str, after: int = -1, limit: int = 100) -> list[EventRecord]:
    """Events of a subject in order, those after a sequence."""
    query = select(Event).where(Event.subject == subject, Event.sequence > after)
    return [as_record(EventRecord, row) for row in s.exec(query.order_by(col(Event.sequence)).limit(limit))]


def _row(s: Session, subject: str, sequence: int) -> Event | None:
    return s.exec(select(Event).where(Event.subject == subject, Event.sequence == sequence)).one_or_none()


def _same(known: Event, digest: Digest) -> EventRecord:
    if known.digest != digest:
        place = {"subject": known.subject, "sequence": known.sequence}
        raise Conflict(
            Code.HISTORY_CONFLICT, "history has something else in this place", fields={**place, "type": known.type}
        )
    return as_record(EventRecord, known)
