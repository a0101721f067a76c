"""Deployments, the work on targets, and seals over an in-memory World."""

from typing import Any

from temporalio import activity

from fairlead.contracts import activities, names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.checks import CheckTarget, TargetChecked
from fairlead.contracts.drift import Sight, Sighted
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.seals import SealDecision, SealDeployment, Sealed, SealOutcome, SealRollback
from fairlead.contracts.steps import (
    Abandon,
    Append,
    DeploymentRef,
    DeploymentStanding,
    LeaveHold,
    Observe,
    Observed,
    OpenDeployment,
    OpenRollback,
    Outline,
    OutlineTarget,
    SettleInput,
    TaskInput,
)
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.states import TaskState
from tests.fakes.world import Deployment, World


class FakeDeployments(activities.DeploymentActivities):
    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def open_deployment(self, request: OpenDeployment) -> Outline:
        world = self._world
        with world.lock:
            place = world.places[request.promotion]
            assert place.status == "admitted", "only who has the place deploys"
            assert place.number
            targets = [
                OutlineTarget(target=target, wave=wave, release="2.0.0")
                for wave, these in enumerate(world.waves)
                for target in these
            ]
            return self._open(request.promotion, place.number, targets, request.time, rollback=False)

    @activity.defn
    def open_rollback(self, request: OpenRollback) -> Outline:
        world = self._world
        world.may_fail("open_rollback")
        with world.lock:
            failed = world.deployments[request.deployment]
            lane = world.places[request.deployment].lane
            world.numbers[lane] += 1
            targets = [
                OutlineTarget(target=t.target, wave=-t.wave, release="1.0.0", retire=t.target not in world.verified)
                for t in failed.outline.targets
                if t.target in failed.touched
            ]
            rollback = names.rollback_of(request.deployment)
            return self._open(rollback, world.numbers[lane], targets, request.time, rollback=True)

    def _open(self, id: str, number: int, targets: list[OutlineTarget], time: Any, *, rollback: bool) -> Outline:
        world = self._world
        if id not in world.deployments:
            outline = Outline(
                deployment=id,
                number=number,
                targets=tuple(targets),
                min_healthy_time=0.0,
                healthy_deadline=5.0,
                on_failure="stop" if rollback else world.on_failure,
            )
            tasks = {target.target: TaskState.PENDING for target in targets}
            world.deployments[id] = Deployment(outline, rollback, tasks=tasks)
            world.append(Append(subject=names.deployment_subject(id), sequence=0, type="queued", time=time))
        return world.deployments[id].outline

    @activity.defn
    def outline(self, deployment: DeploymentRef) -> Outline:
        self._world.may_fail("outline")
        return self._row(deployment.deployment).outline

    @activity.defn
    def standing(self, deployment: DeploymentRef) -> DeploymentStanding:
        row = self._row(deployment.deployment)
        return DeploymentStanding(deployment=deployment.deployment, state=row.state, code=row.code, detail=row.detail)

    @activity.defn
    def leave_hold(self, request: LeaveHold) -> None:
        with self._world.lock:
            lane = (request.project, request.environment)
            self._world.restrain(f"hold-{request.deployment}", "hold", lane)

    @activity.defn
    def abandon(self, request: Abandon) -> None:
        with self._world.lock:
            row = self._world.deployments.get(request.deployment)
            if row is None or row.state.is_terminal:
                return
            for target, state in row.tasks.items():
                if not state.is_terminal:
                    self._next(request, "task", data={"target": target, "state": "lost", "code": request.code})
            ended = {"code": request.code, "detail": "abandoned"}
            self._next(request, "ended", data=ended, state="failed")
            lane = self._world.places[_promotion_of(request.deployment)].lane
            self._world.restrain(f"hold-{request.deployment}", "hold", lane)

    def _next(self, request: Abandon, type: str, **more: Any) -> None:
        subject = names.deployment_subject(request.deployment)
        sequence = len(self._world.events[subject])
        self._world.append(Append(subject=subject, sequence=sequence, type=type, time=request.time, **more))

    def _row(self, id: str) -> Deployment:
        with self._world.lock:
            if id not in self._world.deployments:
                raise NotFound(Code.DEPLOYMENT_NOT_FOUND, id)
            return self._world.deployments[id]


def _promotion_of(deployment: str) -> str:
    return deployment.removesuffix(".rollback")


class FakeTargets(activities.TargetActivities):
    """Every step is (name, deployment or rollback, target) in `world.steps`, by the deployment's kind."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def prepare(self, task: TaskInput) -> None:
        self._step("prepare", task.deployment, task.target)

    @activity.defn
    def apply(self, task: TaskInput) -> None:
        with self._world.lock:
            self._world.deployments[task.deployment].touched.append(task.target)
        self._step("apply", task.deployment, task.target)

    @activity.defn
    def settle(self, request: SettleInput) -> None:
        self._step("settle", request.deployment, request.target)

    @activity.defn
    def observe(self, request: Observe) -> Observed:
        wrong = self._world.errors.get((*self._key("observe", request.deployment), request.target))
        self._world.steps.append((*self._key("observe", request.deployment), request.target))
        seen = digest_of([request.deployment, request.target])
        if wrong:
            return Observed(target=request.target, ok=False, observation=seen, code=wrong[0].code, detail="differs")
        return Observed(target=request.target, ok=True, observation=seen)

    @activity.defn
    def look(self, request: Sight) -> Sighted:
        return Sighted(target=request.target, time=request.time, observation=digest_of(request.target))

    @activity.defn
    def read_logs(self, request: ReadLogs) -> LogsRead:
        return LogsRead(deployment="p1", components=("web",))

    @activity.defn
    def check_target(self, request: CheckTarget) -> TargetChecked:
        return TargetChecked(target=request.target)

    @activity.defn
    def forecast_target(self, request: ForecastTarget) -> TargetForecast:
        return TargetForecast(target=request.target.name, tells=True, lines=("web is replaced",))

    @activity.defn
    def retire(self, task: TaskInput) -> None:
        self._step("retire", task.deployment, task.target)

    def _step(self, name: str, deployment: str, target: str) -> None:
        key = (*self._key(name, deployment), target)
        pause = self._world.pauses.get(key)
        if pause:
            pause.reached.set()
            while not pause.released.wait(0.05):
                activity.heartbeat()
        with self._world.lock:
            self._world.steps.append(key)
        self._world.may_fail(*key)
        self._world.may_fail(deployment, name)

    def _key(self, name: str, deployment: str) -> tuple[str, ...]:
        return (name, "back") if self._world.deployments[deployment].is_rollback else (name,)


class FakeSeals(activities.SealActivities):
    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def seal_decision(self, request: SealDecision) -> Sealed:
        return self._seal("decision", request)

    @activity.defn
    def seal_deployment(self, request: SealDeployment) -> Sealed:
        return self._seal("deployment", request)

    @activity.defn
    def seal_rollback(self, request: SealRollback) -> Sealed:
        return self._seal("rollback", request)

    @activity.defn
    def seal_outcome(self, request: SealOutcome) -> Sealed:
        return self._seal("outcome", request)

    def _seal(self, kind: str, request: Any) -> Sealed:
        self._world.may_fail("seal", kind)
        with self._world.lock:
            self._world.seals.append((kind, request))
        return Sealed(statements=(digest_of(request.model_dump(mode="json")),))
