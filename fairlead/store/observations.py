"""What targets were seen running."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ObservationRecord


def add(
    s: Session,
    *,
    project: str,
    environment: str,
    target: str,
    deployment: str | None,
    time: datetime,
    content: dict[str, Any],
) -> ObservationRecord:
    """Keep what was seen; the same at the same time is kept once."""
    raise NotImplementedError


def by_digest(s: Session, project: str, digest: Digest) -> ObservationRecord | None:
    """The first observation with this content."""
    raise NotImplementedError


def latest(s: Session, project: str, environment: str) -> list[ObservationRecord]:
    """The latest of each target, by target."""
    raise NotImplementedError


def of_deployment(s: Session, deployment: str) -> list[ObservationRecord]:
    """Everything seen for a deployment, in order."""
    raise NotImplementedError
