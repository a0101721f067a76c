"""Queues and fence numbers of environments. The first lock taken is the lane's row."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.records import QueueRecord


def lock(s: Session, project: str, environment: str) -> None:
    """Be the only one in this lane until the transaction ends."""
    raise NotImplementedError


def enqueue(s: Session, *, promotion: str, project: str, environment: str, time: datetime) -> QueueRecord:
    """Put a promotion at the end of its queue, once; one that has left may queue again."""
    raise NotImplementedError


def get(s: Session, promotion: str) -> QueueRecord | None:
    """Where a promotion stands."""
    raise NotImplementedError


def waiting(s: Session, project: str, environment: str) -> list[QueueRecord]:
    """Who waits, first come first."""
    raise NotImplementedError


def holder(s: Session, project: str, environment: str) -> QueueRecord | None:
    """Who has the place."""
    raise NotImplementedError


def next_number(s: Session, project: str, environment: str) -> int:
    """The environment's next fence number; counts from 1, never the same twice."""
    raise NotImplementedError


def set_status(
    s: Session, promotion: str, status: str, *, number: int | None = None, code: str | None = None
) -> QueueRecord:
    """Move a promotion within its queue. Raises NotFound (promotion_not_found)."""
    raise NotImplementedError


def busy(s: Session) -> list[tuple[str, str]]:
    """Lanes (project, environment) where somebody waits or has the place."""
    raise NotImplementedError
