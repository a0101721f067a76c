"""A lane over an in-memory World; messages between workflows go through the real Temporal adapter."""

import asyncio
import hashlib

from temporalio import activity
from temporalio.client import Client

from fairlead.adapters import temporal
from fairlead.contracts import activities, names
from fairlead.contracts.messages import LaneRequest, RestraintAnswer
from fairlead.contracts.steps import (
    Admission,
    AdmitInput,
    AdmitResult,
    Blocker,
    EnvironmentRef,
    LaneRef,
    PromotionRef,
    RecordRestraint,
)
from fairlead.domain.codes import Code
from tests.fakes.world import Place, World


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
            if self._world.states[lane.promotion].is_terminal:
                return
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
            return self._next(lane, waiting)

    def _next(self, lane: tuple[str, str], waiting: list[Place]) -> AdmitResult:
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
        blockers = [Blocker(code=kind, detail=kind, rule=kind) for kind in world.restraining(lane).values()]
        return AdmitResult(refused=tuple(refused), waiting=len(waiting), blocked_by=tuple(blockers))

    def _blocked(self, promotion: str) -> bool:
        request = self._world.promotions[promotion]
        if request.intent == "rollback":
            return False
        kinds = set(self._world.restraining((request.project, request.environment)).values())
        return "freeze" in kinds or ("hold" in kinds and request.through_hold is None)

    @activity.defn
    async def watch(self, lane: LaneRef) -> None:
        workflows = [
            names.promotion_workflow(lane.promotion),
            names.deployment_workflow(lane.promotion),
            names.deployment_workflow(names.rollback_of(lane.promotion)),
        ]
        pulse = asyncio.create_task(_pulse())
        try:
            while any([await temporal.is_running(self._client, workflow) for workflow in workflows]):
                for workflow in workflows:
                    await temporal.wait_closed(self._client, workflow)
        finally:
            pulse.cancel()

    @activity.defn
    def free(self, lane: LaneRef) -> None:
        with self._world.lock:
            place = self._world.places[lane.promotion]
            place.status = "done" if place.status == "admitted" else place.status

    @activity.defn
    def record_restraint(self, request: RecordRestraint) -> RestraintAnswer:
        world, lane = self._world, (request.project, request.environment)
        with world.lock:
            world.steps.append((request.kind, request.restraint or "all"))
            if request.kind in {"freeze", "hold"}:
                assert request.restraint
                world.restrain(request.restraint, request.kind, lane)
                return RestraintAnswer(restraints=(request.restraint,))
            ends = "freeze" if request.kind == "thaw" else "hold"
            here = world.restraining(lane).items()
            ended = [id for id, kind in here if kind == ends and request.restraint in {None, id}]
            for id in ended:
                del world.restraints[id]
            return RestraintAnswer(restraints=tuple(ended))

    @activity.defn
    async def poke(self, environment: EnvironmentRef) -> None:
        self._world.poked.append(environment.environment)
        for promotion, state in list(self._world.states.items()):
            if not state.is_terminal and self._world.promotions[promotion].environment == environment.environment:
                await temporal.signal_reevaluate(self._client, promotion)

    @activity.defn
    async def request_cancel(self, promotion: PromotionRef) -> None:
        await temporal.cancel(self._client, names.promotion_workflow(promotion.promotion))


async def _pulse() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(1)


def _request(lane: LaneRef) -> LaneRequest:
    return LaneRequest(promotion=lane.promotion, request=lane.request)


def _update_id(lane: LaneRef) -> str:
    return hashlib.sha256(lane.request.encode()).hexdigest()
