"""The activities over an in-memory World; messages between workflows go through the real Temporal adapter."""

from collections.abc import Callable
from typing import Any, TypeGuard

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus

from fairlead.adapters import temporal
from fairlead.contracts import activities, names
from fairlead.contracts.seals import SealOutcome
from fairlead.contracts.steps import Abandon, Append, AppendAll, Reconciled, ReconcileInput
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from tests.fakes.deployments import FakeDeployments, FakeSeals, FakeTargets
from tests.fakes.drift import FakeDrift
from tests.fakes.gates import FakeGates
from tests.fakes.lanes import FakeLanes
from tests.fakes.world import World


def control_activities(world: World, client: Client) -> list[Callable[..., Any]]:
    """What runs on the control queue."""
    instances = (
        FakeHistory(world),
        FakeGates(world),
        FakeLanes(world, client),
        FakeDeployments(world),
        FakeSeals(world),
        FakeReconcile(world, client),
        FakeDrift(world, client),
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

    @activity.defn
    def append_all(self, request: AppendAll) -> None:
        for event in request.events:
            self._world.append(event)


class FakeReconcile(activities.ReconcileActivities):
    """The sweep as the real one does it: what is missing is started, what was orphaned ends as it was sealed, or failed."""

    def __init__(self, world: World, client: Client) -> None:
        self._world = world
        self._client = client
        self._deployments = FakeDeployments(world)

    @activity.defn
    async def start_missing(self, request: ReconcileInput) -> Reconciled:
        started = [p for p in await self._out_of_sight() if await self._start(p)]
        lanes = [lane for lane in self._busy() if not await self._runs(names.lane_workflow(*lane))]
        for lane in lanes:
            await temporal.start_lane(self._client, *lane)
        return Reconciled(started=tuple(started), lanes=tuple(names.lane_workflow(*lane) for lane in lanes))

    @activity.defn
    async def end_orphans(self, request: ReconcileInput) -> Reconciled:
        ended = [p for p in await self._out_of_sight() if await self._is_orphan(p) and self._end(p, request)]
        return Reconciled(ended=tuple(ended))

    @activity.defn
    async def keep_watches(self, request: ReconcileInput) -> Reconciled:
        return Reconciled()

    async def _out_of_sight(self) -> list[str]:
        seen = await temporal.running(self._client, names.PROMOTION)
        unended = [p for p, state in list(self._world.states.items()) if not state.is_terminal]
        return [p for p in unended if names.promotion_workflow(p) not in seen]

    def _busy(self) -> set[tuple[str, str]]:
        with self._world.lock:
            return {place.lane for place in self._world.places.values() if place.status in {"waiting", "admitted"}}

    async def _start(self, promotion: str) -> bool:
        if await temporal.status(self._client, names.promotion_workflow(promotion)) is not None:
            return False
        return await temporal.start_promotion(self._client, self._world.promotions[promotion])

    async def _runs(self, workflow: str) -> bool:
        return await temporal.is_running(self._client, workflow)

    async def _is_orphan(self, promotion: str) -> bool:
        status = await temporal.status(self._client, names.promotion_workflow(promotion))
        deployments = [names.deployment_workflow(id) for id in (promotion, names.rollback_of(promotion))]
        closed = status not in {None, WorkflowExecutionStatus.RUNNING}
        return closed and not any([await self._runs(workflow) for workflow in deployments])

    def _end(self, promotion: str, request: ReconcileInput) -> bool:
        world, subject = self._world, names.promotion_subject(promotion)
        with world.lock:
            for deployment in (promotion, names.rollback_of(promotion)):
                self._deployments.abandon(Abandon(deployment=deployment, time=request.now, code=Code.TERMINATED))
            if world.states[promotion].is_terminal:
                return False
            sealed = [seal.state for seal in world.sealed("outcome") if _is_of(seal, promotion)]
            state = sealed[0] if sealed else PromotionState.FAILED
            sequence = len(world.events[subject])
            world.append(Append(subject=subject, sequence=sequence, type="ended", time=request.now, state=state))
            place = world.places.get(promotion)
            if place and place.status == "waiting":
                place.status = "left"
        return True


def _is_of(seal: object, promotion: str) -> TypeGuard[SealOutcome]:
    return isinstance(seal, SealOutcome) and seal.promotion == promotion
