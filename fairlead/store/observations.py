"""What targets were seen running."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.contracts.records import ObservationRecord
from fairlead.store.rows import canonical_or_refuse, insert_once, read_canonical
from fairlead.store.tables.facts import Observation


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
    canonical = canonical_or_refuse(content)
    row = Observation(
        digest=digest_bytes(canonical),
        project=project,
        environment=environment,
        target=target,
        deployment=deployment,
        time=time,
        content=canonical,
    )
    insert_once(s, row)
    return _record(row)


def by_digest(s: Session, project: str, digest: Digest) -> ObservationRecord | None:
    """The first observation with this content."""
    same = select(Observation).where(Observation.project == project, Observation.digest == digest)
    row = s.exec(same.order_by(col(Observation.id)).limit(1)).one_or_none()
    return _record(row) if row else None


def latest(s: Session, project: str, environment: str) -> list[ObservationRecord]:
    """The latest of each target, by target."""
    here = select(Observation).where(Observation.project == project, Observation.environment == environment)
    target, time, id = col(Observation.target), col(Observation.time), col(Observation.id)
    newest = here.ext(distinct_on(target)).order_by(target, time.desc(), id.desc())
    return [_record(row) for row in s.exec(newest)]


def of_deployment(s: Session, deployment: str) -> list[ObservationRecord]:
    """Everything seen for a deployment, in order."""
    rows = s.exec(select(Observation).where(Observation.deployment == deployment).order_by(col(Observation.id)))
    return [_record(row) for row in rows]


def _record(row: Observation) -> ObservationRecord:
    return ObservationRecord(**row.model_dump(exclude={"id", "content"}), content=read_canonical(row.content))
