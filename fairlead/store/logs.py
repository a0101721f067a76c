"""The last lines that applications printed, by target and deployment; for each target those of a few deployments."""

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, func, select

from fairlead.contracts.records import LogRecord
from fairlead.store.rows import as_record
from fairlead.store.tables.logs import Log

KEPT_DEPLOYMENTS = 10
"""Of each target, the latest; what is older is forgotten."""


def put(s: Session, log: LogRecord) -> None:
    """Keep these lines in the place of those before; whoever else does so now is neither refused nor in the way."""
    new = insert(Log).values(log.model_dump())
    written = {"time": new.excluded.time, "text": new.excluded.text}
    s.exec(new.on_conflict_do_update(index_elements=["project", "target", "deployment", "component"], set_=written))
    _forget(s, log.project, log.target)


def of_target(s: Session, project: str, target: str) -> list[LogRecord]:
    """What is kept of a target, the latest first."""
    return _all(s, project, Log.target == target)


def of_deployment(s: Session, project: str, deployment: str) -> list[LogRecord]:
    """What is kept of a deployment, the latest first."""
    return _all(s, project, Log.deployment == deployment)


def _all(s: Session, project: str, wanted: bool) -> list[LogRecord]:
    rows = s.exec(select(Log).where(Log.project == project, wanted).order_by(col(Log.time).desc(), Log.component))
    return [as_record(LogRecord, row) for row in rows]


def _forget(s: Session, project: str, target: str) -> None:
    mine = (col(Log.project) == project, col(Log.target) == target)
    latest = select(Log.deployment).where(*mine).group_by(col(Log.deployment))
    kept = latest.order_by(func.max(Log.time).desc()).limit(KEPT_DEPLOYMENTS)
    s.exec(delete(Log).where(*mine, col(Log.deployment).not_in(kept)))
