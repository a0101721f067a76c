"""Rows of deployments: opened from the plan that was decided on, or from what was last verified, and closed when nobody else will."""

from collections.abc import Mapping, Sequence

from sqlmodel import Session
from temporalio import activity

from activities import lookup, restraining
from activities.observing import Eyes
from fairlead.commands import plans
from fairlead.contracts import activities, names
from fairlead.contracts.records import DeploymentRecord, QueueRecord, TaskRecord
from fairlead.contracts.release import PlannedTarget, PlanStrategy
from fairlead.contracts.steps import (
    Abandon,
    Append,
    DeploymentRef,
    DeploymentStanding,
    LeaveHold,
    OpenDeployment,
    OpenRollback,
    Outline,
    OutlineTarget,
)
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.domain.states import DeploymentState, TaskState
from fairlead.ports import Executor
from fairlead.store import deployments, history, lanes
from fairlead.store.database import Database

ON_FAILURE_OF_ROLLBACK = "stop"
"""There is never a rollback of a rollback."""


class DeploymentActivities(activities.DeploymentActivities):
    """Rows of deployments; `executors`, by target type, look at the targets of one that was abandoned."""

    def __init__(self, db: Database, executors: Mapping[str, Executor]) -> None:
        self._db = db
        self._eyes = Eyes(db, executors)

    @activity.defn
    def open_deployment(self, request: OpenDeployment) -> Outline:
        """Rows of deployment and tasks from the promotion's plan, in state `queued`, once."""
        with self._db.session() as s:
            return _outline(s, _open_deployment(s, request))

    @activity.defn
    def open_rollback(self, request: OpenRollback) -> Outline:
        """Rows of the rollback, with a fence number of its own, targets in reverse wave order, once."""
        with self._db.session() as s:
            existing = deployments.get(s, names.rollback_of(request.deployment))
            return _outline(s, existing or _open_rollback(s, request))

    @activity.defn
    def outline(self, deployment: DeploymentRef) -> Outline:
        """What an opened deployment will do."""
        with self._db.session() as s:
            return _outline(s, lookup.deployment(s, deployment.deployment))

    @activity.defn
    def standing(self, deployment: DeploymentRef) -> DeploymentStanding:
        """The deployment's row as it is now."""
        with self._db.session() as s:
            found = lookup.deployment(s, deployment.deployment)
        return DeploymentStanding(deployment=found.id, state=found.state, code=found.code, detail=found.detail)

    @activity.defn
    def leave_hold(self, request: LeaveHold) -> None:
        """Leave a hold on the environment, once per deployment."""
        with self._db.session() as s:
            restraining.leave_hold(s, request)

    @activity.defn
    def abandon(self, request: Abandon) -> None:
        """Close the rows of a deployment whose workflow is gone, after a look at the targets that it may have changed."""
        with self._db.session() as s:
            found = deployments.get(s, request.deployment)
            tasks = deployments.tasks(s, request.deployment)
        if found is None or found.state.is_terminal:
            return
        for task in tasks:
            if task.touched:
                self._eyes.look(task.deployment, task.target, request.time)
        with self._db.session() as s:
            _close(s, found, tasks, request)


def _open_deployment(s: Session, request: OpenDeployment) -> DeploymentRecord:
    promotion = lookup.promotion(s, request.promotion)
    plan = lookup.plan(s, promotion.plan)
    deployment = DeploymentRecord(
        id=promotion.id,
        promotion=promotion.id,
        project=promotion.project,
        environment=promotion.environment,
        release=promotion.release,
        release_digest=promotion.release_digest,
        plan=promotion.plan or "",
        number=_number(lanes.get(s, promotion.id), promotion.id),
        state=DeploymentState.QUEUED,
        is_rollback=False,
        decision=request.decision,
        created_at=request.time,
    )
    return deployments.insert(s, deployment, [_task(s, deployment, target) for target in plan.targets])


def _number(place: QueueRecord | None, promotion: str) -> int:
    if place is None or place.number is None:
        raise Conflict(Code.BAD_TRANSITION, f"promotion {promotion} has not been admitted to its lane")
    return place.number


def _task(s: Session, deployment: DeploymentRecord, target: PlannedTarget) -> TaskRecord:
    """What is taken down is what was verified there last."""
    here = (deployment.project, deployment.environment, target.name)
    runs = deployments.last_verified_task(s, *here) if target.retire else None
    source = runs or deployment
    return TaskRecord(
        deployment=deployment.id,
        target=target.name,
        type=target.type,
        wave=target.wave,
        state=TaskState.PENDING,
        attempt=0,
        release=source.release,
        release_digest=source.release_digest,
        plan=source.plan,
        retire=target.retire is True,
    )


def _open_rollback(s: Session, request: OpenRollback) -> DeploymentRecord:
    failed = lookup.deployment(s, request.deployment)
    touched = [task for task in deployments.tasks(s, failed.id) if task.touched]
    last_wave = max((task.wave for task in touched), default=0)
    tasks = [_way_back(s, failed, task, last_wave - task.wave) for task in touched]
    lanes.lock(s, failed.project, failed.environment)
    # What it is called after: where the first of its targets goes.
    head = next((task for task in tasks if not task.retire), None)
    rollback = DeploymentRecord(
        id=names.rollback_of(failed.id),
        promotion=failed.promotion,
        project=failed.project,
        environment=failed.environment,
        release=head.release if head else failed.release,
        release_digest=head.release_digest if head else failed.release_digest,
        plan=head.plan if head else failed.plan,
        number=lanes.next_number(s, failed.project, failed.environment),
        state=DeploymentState.QUEUED,
        is_rollback=True,
        rollback_of=failed.id,
        created_at=request.time,
    )
    return deployments.insert(s, rollback, tasks)


def _way_back(s: Session, failed: DeploymentRecord, task: TaskRecord, wave: int) -> TaskRecord:
    good = deployments.last_verified_task(
        s, failed.project, failed.environment, task.target, before_number=failed.number
    )
    source = good or task
    return TaskRecord(
        deployment=names.rollback_of(failed.id),
        target=task.target,
        type=task.type,
        wave=wave,
        state=TaskState.PENDING,
        attempt=0,
        release=source.release,
        release_digest=source.release_digest,
        plan=source.plan,
        retire=good is None,
    )


def _outline(s: Session, deployment: DeploymentRecord) -> Outline:
    strategy, on_failure = _strategy(s, deployment)
    targets = [
        OutlineTarget(
            target=task.target,
            wave=task.wave,
            release=task.release,
            retire=task.retire,
            hand_over=plans.hands_over(s, deployment, task.target) if task.retire else False,
        )
        for task in deployments.tasks(s, deployment.id)
    ]
    return Outline(
        deployment=deployment.id,
        number=deployment.number,
        targets=tuple(targets),
        min_healthy_time=strategy.min_healthy_time,
        healthy_deadline=strategy.healthy_deadline,
        on_failure=on_failure,
        sequence=deployment.sequence,
    )


def _strategy(s: Session, deployment: DeploymentRecord) -> tuple[PlanStrategy, str]:
    """How to go: by its own plan, a rollback by that of the deployment that failed."""
    if deployment.rollback_of is None:
        plan = lookup.plan(s, deployment.plan)
        return plan.strategy, plan.on_failure
    failed = lookup.deployment(s, deployment.rollback_of)
    return lookup.plan(s, failed.plan).strategy, ON_FAILURE_OF_ROLLBACK


def _close(s: Session, found: DeploymentRecord, tasks: Sequence[TaskRecord], request: Abandon) -> None:
    subject = names.deployment_subject(found.id)
    lost = {"state": str(TaskState.LOST), "code": request.code, "detail": "its deployment's workflow is gone"}
    events = [("task", {"target": task.target, **lost}, None) for task in tasks if not task.state.is_terminal]
    ended = ("ended", {"code": request.code, "detail": lost["detail"]}, str(DeploymentState.FAILED))
    for sequence, (type, data, state) in enumerate([*events, ended], start=found.sequence + 1):
        event = Append(
            subject=subject,
            sequence=sequence,
            type=type,
            time=request.time,
            code=request.code,
            data=data,
            state=state,
        )
        history.append(s, event)
    hold = LeaveHold(
        deployment=found.id,
        project=found.project,
        environment=found.environment,
        reason=f"deployment {found.id} was abandoned: {request.code}",
        time=request.time,
    )
    restraining.leave_hold(s, hold)
