"""Queues and fence numbers of environments. A lane's row in `fences` is its lock: take it before anything else of the lane."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from fairlead.contracts.records import QueueRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store.rows import as_record, insert_once, lock_row
from fairlead.store.tables.lane import Fence, Place

WAITING, ADMITTED, LEFT = "waiting", "admitted", "left"


def lock(s: Session, project: str, environment: str) -> None:
    """Be the only one in this lane until the transaction ends."""
    insert_once(s, Fence(project=project, environment=environment))
    lock_row(s, Fence, (project, environment))


def enqueue(s: Session, *, promotion: str, project: str, environment: str, time: datetime) -> QueueRecord:
    """Put a promotion at the end of its queue, once; one that has left may queue again, at the end."""
    lock(s, project, environment)
    place = Place(promotion=promotion, project=project, environment=environment, status=WAITING, queued_at=time)
    if not insert_once(s, place):
        row = _locked(s, promotion)
        if row.status == LEFT:
            row.status, row.queued_at, row.number, row.code = WAITING, time, None, None
            row.position = s.exec(select(func.nextval("release.queue_position_seq"))).one()
            s.flush()
    return as_record(QueueRecord, _locked(s, promotion))


def get(s: Session, promotion: str) -> QueueRecord | None:
    """Where a promotion stands."""
    row = s.get(Place, promotion)
    return as_record(QueueRecord, row) if row else None


def waiting(s: Session, project: str, environment: str) -> list[QueueRecord]:
    """Who waits, first come first."""
    query = _in_lane(project, environment, WAITING).order_by(col(Place.position))
    return [as_record(QueueRecord, row) for row in s.exec(query)]


def holder(s: Session, project: str, environment: str) -> QueueRecord | None:
    """Who has the place."""
    row = s.exec(_in_lane(project, environment, ADMITTED)).one_or_none()
    return as_record(QueueRecord, row) if row else None


def next_number(s: Session, project: str, environment: str) -> int:
    """The environment's next fence number; counts from 1, never the same twice."""
    first = insert(Fence).values(project=project, environment=environment, number=1)
    counted = first.on_conflict_do_update(
        index_elements=["project", "environment"], set_={"number": col(Fence.number) + 1}
    )
    return int(s.exec(counted.returning(col(Fence.number))).scalar_one())


def set_status(
    s: Session, promotion: str, status: str, *, number: int | None = None, code: str | None = None
) -> QueueRecord:
    """Move a promotion within its queue; `number`, once given, stays. Raises NotFound (promotion_not_found)."""
    row = _locked(s, promotion)
    row.status, row.code = status, code
    row.number = row.number if number is None else number
    s.flush()
    return as_record(QueueRecord, row)


def busy(s: Session) -> list[tuple[str, str]]:
    """Lanes (project, environment) where somebody waits or has the place."""
    stands = or_(col(Place.status) == WAITING, col(Place.status) == ADMITTED)
    return list(s.exec(select(Place.project, Place.environment).where(stands).distinct()))


def _in_lane(project: str, environment: str, status: str) -> SelectOfScalar[Place]:
    return select(Place).where(Place.project == project, Place.environment == environment, Place.status == status)


def _locked(s: Session, promotion: str) -> Place:
    row = lock_row(s, Place, promotion)
    if row is None:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"{promotion} is in no queue")
    return row
