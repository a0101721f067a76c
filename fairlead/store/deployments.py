"""Deployments, their tasks, and what was last verified where."""

from datetime import datetime
from itertools import groupby, zip_longest

from sqlmodel import Session, col, exists, func, select, update
from sqlmodel.sql.expression import SelectOfScalar

from fairlead.contracts.canonical import Digest
from fairlead.contracts.names import deployment_subject
from fairlead.contracts.records import DeploymentRecord, TaskRecord
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.states import DEPLOYMENT, DeploymentState, TaskState
from fairlead.store import history
from fairlead.store.rows import as_record, insert_once, lock_row
from fairlead.store.tables.deployment import Deployment, Task
from fairlead.store.tables.promotion import Promotion


def insert(s: Session, deployment: DeploymentRecord, tasks: list[TaskRecord]) -> DeploymentRecord:
    """Keep a deployment with its tasks and its event 0 `queued`, once; answers the one that is there."""
    if insert_once(s, Deployment(**deployment.model_dump())):
        for each in tasks:
            s.add(Task(**each.model_dump()))
        s.flush()
        history.append(s, _queued(deployment))
    return as_record(DeploymentRecord, s.get_one(Deployment, deployment.id))


def get(s: Session, id: str) -> DeploymentRecord | None:
    """A deployment by id."""
    row = s.get(Deployment, id)
    return as_record(DeploymentRecord, row) if row else None


def tasks(s: Session, id: str) -> list[TaskRecord]:
    """Its tasks by wave, then target."""
    rows = s.exec(select(Task).where(Task.deployment == id).order_by(col(Task.wave), Task.target))
    return [as_record(TaskRecord, row) for row in rows]


def task(s: Session, deployment: str, target: str) -> TaskRecord | None:
    """One task."""
    row = s.get(Task, (deployment, target))
    return as_record(TaskRecord, row) if row else None


def next_attempt(s: Session, deployment: str, target: str) -> int:
    """The task's next attempt, from 1, never the same twice; from now on its target counts as touched."""
    mine = update(Task).where(col(Task.deployment) == deployment, col(Task.target) == target)
    counted = mine.values(attempt=col(Task.attempt) + 1, touched=True).returning(col(Task.attempt))
    attempt = s.exec(counted).scalar_one_or_none()
    if attempt is None:
        raise NotFound(Code.TARGET_NOT_FOUND, f"deployment {deployment} has no task on {target}")
    return int(attempt)


def set_decision(s: Session, id: str, digest: Digest) -> DeploymentRecord:
    """Note the statement that a deployment rests on; of a rollback it is sealed after its row is there. Raises NotFound."""
    row = lock_row(s, Deployment, id)
    if row is None:
        raise NotFound(Code.DEPLOYMENT_NOT_FOUND, f"there is no deployment {id}")
    row.decision = digest
    s.flush()
    return as_record(DeploymentRecord, row)


def of_promotion(s: Session, promotion: str) -> list[DeploymentRecord]:
    """A promotion's deployments by number, the rollback last."""
    return _all(s, select(Deployment).where(Deployment.promotion == promotion).order_by(col(Deployment.number)))


def last_verified(s: Session, project: str, environment: str) -> DeploymentRecord | None:
    """The latest deployment that succeeded."""
    latest = _succeeded(project, environment).order_by(col(Deployment.number).desc()).limit(1)
    return next(iter(_all(s, latest)), None)


def last_verified_task(
    s: Session, project: str, environment: str, target: str, *, before_number: int | None = None
) -> TaskRecord | None:
    """The task that last brought a target into a verified state, of a deployment with a lower number; None once it was retired since."""
    query = (
        select(Task)
        .join(Deployment, col(Deployment.id) == col(Task.deployment))
        .where(Deployment.project == project, Deployment.environment == environment)
        .where(Deployment.state == DeploymentState.SUCCEEDED, Task.target == target)
        .where(Task.state == TaskState.SUCCEEDED)
    )
    if before_number is not None:
        query = query.where(Deployment.number < before_number)
    row = s.exec(query.order_by(col(Deployment.number).desc()).limit(1)).one_or_none()
    return as_record(TaskRecord, row) if row and not row.retire else None


def verified_spans(
    s: Session, project: str, environment: str, release_digest: Digest
) -> list[tuple[datetime, datetime | None]]:
    """When a release was what was verified there: from its verification until another release's, the last span open."""
    verified = _all(s, _succeeded(project, environment).order_by(col(Deployment.number)))
    runs = [(digest, _verified_at(next(run))) for digest, run in groupby(verified, key=lambda d: d.release_digest)]
    ends = [start for _, start in runs[1:]]
    return [(start, end) for (digest, start), end in zip_longest(runs, ends) if digest == release_digest]


def running(s: Session, project: str, environment: str) -> list[DeploymentRecord]:
    """Deployments that have not ended, by number."""
    here = select(Deployment).where(Deployment.project == project, Deployment.environment == environment)
    return _all(s, here.where(col(Deployment.ended_at).is_(None)).order_by(col(Deployment.number)))


def newest_number(s: Session, project: str, environment: str) -> int:
    """The number of the latest deployment, however it stands; 0 where there was none."""
    here = select(func.max(Deployment.number)).where(Deployment.project == project)
    return int(s.exec(here.where(Deployment.environment == environment)).one() or 0)


def verified_by_others(s: Session, project: str, environment: str, intent: str) -> datetime | None:
    """When a promotion of another intent was last verified there."""
    last = select(func.max(Deployment.verified_at)).join(Promotion, col(Promotion.id) == col(Deployment.promotion))
    here = last.where(Deployment.project == project, Deployment.environment == environment)
    return s.exec(here.where(Deployment.state == DeploymentState.SUCCEEDED, Promotion.intent != intent)).one()


def verified_config(s: Session, deployment: DeploymentRecord) -> str:
    """The promotion whose own configuration layer is in a verified deployment's plan: of a rollback, that which brought the plan first."""
    first = select(Deployment.promotion).where(Deployment.project == deployment.project)
    same = first.where(Deployment.environment == deployment.environment, Deployment.plan == deployment.plan)
    made = same.where(col(Deployment.is_rollback).is_(False)).order_by(col(Deployment.number)).limit(1)
    return s.exec(made).one_or_none() or deployment.promotion


def _queued(deployment: DeploymentRecord) -> Append:
    named = {"promotion", "release", "release_digest", "plan", "number", "is_rollback", "rollback_of"}
    return Append(
        subject=deployment_subject(deployment.id),
        sequence=0,
        type="queued",
        time=deployment.created_at,
        data=deployment.model_dump(include=named, exclude_none=True),
        state=DEPLOYMENT.first,
    )


def _verified_at(deployment: DeploymentRecord) -> datetime:
    return deployment.verified_at or deployment.created_at


def _succeeded(project: str, environment: str) -> SelectOfScalar[Deployment]:
    """A rollback that only took things down succeeded too, but it verified nothing."""
    left_something = exists().where(col(Task.deployment) == col(Deployment.id), col(Task.retire).is_(False))
    return select(Deployment).where(
        Deployment.project == project,
        Deployment.environment == environment,
        Deployment.state == DeploymentState.SUCCEEDED,
        left_something,
    )


def _all(s: Session, query: SelectOfScalar[Deployment]) -> list[DeploymentRecord]:
    return [as_record(DeploymentRecord, row) for row in s.exec(query)]
