"""The activities over an in-memory World; messages between workflows go through the real Temporal adapter."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from temporalio import activity
from temporalio.client import Client

from fairlead.adapters import temporal
from fairlead.contracts import activities, names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.messages import LaneRequest, RestraintAnswer
from fairlead.contracts.steps import (
    Abandon,
    Admission,
    AdmitInput,
    AdmitResult,
    Append,
    Blocker,
    DeploymentRef,
    DeploymentStanding,
    EnvironmentRef,
    EvaluateInput,
    Evaluation,
    JudgeCancel,
    JudgeVote,
    LaneRef,
    LeaveHold,
    Observe,
    Observed,
    OpenDeployment,
    OpenRollback,
    Outline,
    OutlineTarget,
    PromotionRef,
    Reconciled,
    ReconcileInput,
    RecordRestraint,
    SealDecision,
    SealDeployment,
    Sealed,
    SealOutcome,
    SealRollback,
    SettleInput,
    TaskInput,
)
from fairlead.contracts.votes import ApprovalTerms, Choice, VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.states import TaskState
from fairlead.domain.verdict import Decision
from tests.fakes.world import Deployment, Place, World, verdict

VOTES_LAST = 3600.0


def control_activities(world: World, client: Client) -> list[Callable[..., Any]]:
    """What runs on the control queue."""
    instances = (
        FakeHistory(world),
        FakeGates(world),
        FakeLanes(world, client),
        FakeDeployments(world),
        FakeSeals(world),
        FakeReconcile(world, client),
    )
    return [method for instance in instances for method in _methods(instance)]


def target_activities(world: World) -> list[Callable[..., Any]]:
    """What runs on the queue of targets."""
    return _methods(FakeTargets(world))


def _methods(instance: object) -> list[Callable[..., Any]]:
    kind = type(instance)
    return [
        getattr(instance, name) for name in dir(kind) if hasattr(getattr(kind, name), "__temporal_activity_definition")
    ]


class FakeHistory(activities.HistoryActivities):
    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def append(self, event: Append) -> None:
        self._world.append(event)


class FakeGates(activities.GateActivities):
    """Votes are `{"signed_by": NAME, "choice": CHOICE}`; whoever signs nothing is refused."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def evaluate(self, request: EvaluateInput) -> Evaluation:
        world = self._world
        world.may_fail("evaluate")
        with world.lock:
            opened, expires = (request.opened, request.expires) if request.plan == world.plan else (None, None)
            terms = ApprovalTerms(
                count=world.approvals,
                requester="cannot_vote",
                expires_after=VOTES_LAST,
                opened=opened,
                expires=expires,
            )
            verdicts = [replace(v, evaluated_at=request.now) for v in world.verdicts if not _over(v, request.now)]
            if world.approvals:
                verdicts.append(self._approval(request, expires))
        return Evaluation(plan=world.plan, verdicts=tuple(verdicts), approval=terms if world.approvals else None)

    def _approval(self, request: EvaluateInput, expires: Any) -> Any:
        cast = (request.promotion, self._world.plan)
        mine = [choice for promotion, _, choice, plan in self._world.votes if (promotion, plan) == cast]
        if Choice.REJECT in mine:
            return verdict("approval", Decision.DENY, request.now, Code.VOTE_REJECTED)
        if len(mine) >= self._world.approvals:
            return verdict("approval", Decision.ALLOW, request.now)
        codes = [Code.VOTES_MISSING]
        if expires and request.now >= expires:
            codes.append(Code.APPROVAL_EXPIRED)
        missing = self._world.approvals - len(mine)
        return verdict("approval", Decision.PENDING, request.now, *codes, message=f"needs {missing} more")

    @activity.defn
    def judge_vote(self, request: JudgeVote) -> VoteAnswer:
        answer = _judged(request.envelope, request.payload)
        if answer.accepted and (request.opened is None or request.closed):
            code = Code.VOTES_CLOSED if request.closed else Code.VOTES_NOT_OPEN
            answer = answer.model_copy(update={"accepted": False, "code": code})
        self._record(request, answer, "vote")
        return answer

    @activity.defn
    def judge_cancel(self, request: JudgeCancel) -> VoteAnswer:
        if request.envelope is not None:
            answer = _judged(request.envelope, request.payload)
        else:
            actor = request.request.actor if request.request else "unknown"
            answer = VoteAnswer(accepted=True, digest=digest_of("cancel"), actor=actor, choice=Choice.CANCEL)
        self._record(request, answer, "cancel")
        return answer

    def _record(self, request: JudgeVote | JudgeCancel, answer: VoteAnswer, what: str) -> None:
        data = {"payload": answer.digest, "via": request.via}
        event = Append(
            subject=names.promotion_subject(request.promotion),
            sequence=request.sequence,
            type=f"{what}_accepted" if answer.accepted else f"{what}_refused",
            time=request.received,
            actor=answer.actor,
            code=answer.code,
            data=data,
        )
        self._world.append(event)
        vote = (request.promotion, answer.actor, str(answer.choice), getattr(request, "plan", None))
        with self._world.lock:
            if what == "vote" and answer.accepted and vote not in self._world.votes:
                self._world.votes.append(vote)


def _over(v: Any, now: Any) -> bool:
    """A scripted verdict that time alone changes stops applying then."""
    return v.next_evaluation_at is not None and now >= v.next_evaluation_at


def _judged(envelope: Any, payload: str | None) -> VoteAnswer:
    digest = payload or digest_of(envelope)
    if not isinstance(envelope, dict) or "signed_by" not in envelope:
        return VoteAnswer(accepted=False, digest=digest, actor="unknown", code=Code.VOTE_UNSIGNED, detail="unsigned")
    return VoteAnswer(accepted=True, digest=digest, actor=envelope["signed_by"], choice=Choice(envelope["choice"]))


class FakeLanes(activities.LaneActivities):
    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client

    @activity.defn
    async def enter(self, lane: LaneRef) -> None:
        await temporal.enter_lane(self._client, lane.project, lane.environment, _request(lane), _update_id(lane))

    @activity.defn
    async def leave(self, lane: LaneRef) -> None:
        await temporal.leave_lane(self._client, lane.project, lane.environment, _request(lane), _update_id(lane))

    @activity.defn
    def read_admission(self, promotion: PromotionRef) -> Admission:
        with self._world.lock:
            place = self._world.places.get(promotion.promotion)
            if place is None:
                return Admission(status="absent")
            return Admission(status=place.status, number=place.number, code=place.code)

    @activity.defn
    def queue(self, lane: LaneRef) -> None:
        places = self._world.places
        with self._world.lock:
            known = places.get(lane.promotion)
            if known is None or known.status == "left":
                last = max((place.position for place in places.values()), default=0)
                places[lane.promotion] = Place(lane.promotion, (lane.project, lane.environment), last + 1)

    @activity.defn
    def unqueue(self, lane: LaneRef) -> None:
        with self._world.lock:
            place = self._world.places.get(lane.promotion)
            if place and (place.status == "waiting" or (place.status == "admitted" and not self._deployed(lane))):
                place.status = "left"

    def _deployed(self, lane: LaneRef) -> bool:
        return lane.promotion in self._world.deployments

    @activity.defn
    def admit(self, request: AdmitInput) -> AdmitResult:
        world, lane = self._world, (request.project, request.environment)
        with world.lock:
            here = sorted((p for p in world.places.values() if p.lane == lane), key=lambda place: place.position)
            holder = next((p for p in here if p.status == "admitted"), None)
            waiting = [p for p in here if p.status == "waiting"]
            if holder:
                return AdmitResult(holder=holder.promotion, waiting=len(waiting))
            return self._next(waiting)

    def _next(self, waiting: list[Place]) -> AdmitResult:
        world, refused = self._world, []
        for place in waiting:
            if self._blocked(place.promotion):
                continue
            if place.promotion in world.older:
                place.status, place.code = "refused", Code.RELEASE_OLDER
                refused.append(place.promotion)
                continue
            world.numbers[place.lane] += 1
            place.status, place.number = "admitted", world.numbers[place.lane]
            return AdmitResult(holder=place.promotion, admitted=True, refused=tuple(refused), waiting=len(waiting) - 1)
        blockers = [Blocker(code=kind, detail=kind, rule=kind) for kind in world.restraints.values()]
        return AdmitResult(refused=tuple(refused), waiting=len(waiting), blocked_by=tuple(blockers))

    def _blocked(self, promotion: str) -> bool:
        request = self._world.promotions[promotion]
        if request.intent == "rollback":
            return False
        kinds = set(self._world.restraints.values())
        return "freeze" in kinds or ("hold" in kinds and request.through_hold is None)

    @activity.defn
    async def watch(self, lane: LaneRef) -> None:
        workflows = [
            names.promotion_workflow(lane.promotion),
            names.deployment_workflow(lane.promotion),
            names.deployment_workflow(names.rollback_of(lane.promotion)),
        ]
        while any([await temporal.is_running(self._client, workflow) for workflow in workflows]):
            activity.heartbeat()
            await asyncio.sleep(0.05)

    @activity.defn
    def free(self, lane: LaneRef) -> None:
        with self._world.lock:
            place = self._world.places[lane.promotion]
            place.status = "done" if place.status == "admitted" else place.status

    @activity.defn
    def record_restraint(self, request: RecordRestraint) -> RestraintAnswer:
        restraints = self._world.restraints
        with self._world.lock:
            if request.kind in {"freeze", "hold"}:
                assert request.restraint
                restraints[request.restraint] = request.kind
                return RestraintAnswer(restraints=(request.restraint,))
            ends = "freeze" if request.kind == "thaw" else "hold"
            ended = [id for id, kind in restraints.items() if kind == ends and request.restraint in {None, id}]
            for id in ended:
                del restraints[id]
            return RestraintAnswer(restraints=tuple(ended))

    @activity.defn
    async def poke(self, environment: EnvironmentRef) -> None:
        for promotion, state in list(self._world.states.items()):
            if not state.is_terminal:
                await temporal.signal_reevaluate(self._client, promotion)

    @activity.defn
    async def request_cancel(self, promotion: PromotionRef) -> None:
        await temporal.cancel(self._client, names.promotion_workflow(promotion.promotion))


def _request(lane: LaneRef) -> LaneRequest:
    return LaneRequest(promotion=lane.promotion, request=lane.request)


def _update_id(lane: LaneRef) -> str:
    return hashlib.sha256(lane.request.encode()).hexdigest()


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
            self._world.restraints[f"hold-{request.deployment}"] = "hold"

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
            self._world.restraints[f"hold-{request.deployment}"] = "hold"

    def _next(self, request: Abandon, type: str, **more: Any) -> None:
        subject = names.deployment_subject(request.deployment)
        sequence = len(self._world.events[subject])
        self._world.append(Append(subject=subject, sequence=sequence, type=type, time=request.time, **more))

    def _row(self, id: str) -> Deployment:
        with self._world.lock:
            if id not in self._world.deployments:
                raise NotFound(Code.DEPLOYMENT_NOT_FOUND, id)
            return self._world.deployments[id]


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


class FakeReconcile(activities.ReconcileActivities):
    """Starts what has a row and no workflow; leaves orphans alone."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client

    @activity.defn
    async def start_missing(self, request: ReconcileInput) -> Reconciled:
        started = [
            promotion.promotion
            for promotion in self._world.promotions.values()
            if not await temporal.is_running(self._client, names.promotion_workflow(promotion.promotion))
            and await temporal.start_promotion(self._client, promotion)
        ]
        return Reconciled(started=tuple(started))

    @activity.defn
    async def end_orphans(self, request: ReconcileInput) -> Reconciled:
        return Reconciled()
