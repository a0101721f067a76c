"""What looks between deployments have come to, by target."""

from typing import Any

from sqlmodel import Session, select

from fairlead.contracts.records import LookRecord, ObservationRecord
from fairlead.store import observations
from fairlead.store.rows import as_record
from fairlead.store.tables.watch import Look


def of(s: Session, project: str, environment: str) -> dict[str, LookRecord]:
    """The last look at each target."""
    rows = s.exec(select(Look).where(Look.project == project, Look.environment == environment))
    return {row.target: as_record(LookRecord, row) for row in rows}


def put(s: Session, look: LookRecord) -> None:
    """Keep a look in the place of the one before."""
    values: dict[str, Any] = look.model_dump()
    told = {field: [difference.model_dump(mode="json") for difference in getattr(look, field)] for field in _TOLD}
    s.merge(Look(**(values | told)))
    s.flush()


def last_seen(s: Session, project: str, environment: str) -> dict[str, ObservationRecord]:
    """What each target was last seen running, by a deployment or between two; a look that saw what was known keeps no other observation."""
    seen = {record.target: record for record in observations.latest(s, project, environment)}
    for target, look in of(s, project, environment).items():
        before = seen.get(target)
        if before is not None and before.time > look.time:
            continue
        known = observations.by_digest(s, project, look.observation)
        if known is not None:
            seen[target] = known.model_copy(update={"time": look.time, "environment": environment, "target": target})
    return seen


_TOLD = ("seen", "drift")
