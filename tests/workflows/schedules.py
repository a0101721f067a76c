"""Random schedules for one environment each: what people, hands and time do to promotions, one thing after another, and what must hold then."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from temporalio.client import Client, RPCError, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from api.temporal import TemporalOrchestrator
from fairlead.adapters import temporal
from fairlead.contracts import names
from fairlead.contracts.messages import RestraintRequest
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import APPROVE, REJECT, Bench, a_promotion, working
from workers.plugin import build_plugin

DEADLINE = 600.0
SWEEP_EVERY = 1.0
REST = 3.0
"""Seconds between two replacements of a worker: each lets many workflows be replayed."""
MOST = 2
"""Promotions in one schedule: two are enough to get into each other's way."""
RESTRAIN = ("freeze", "thaw", "hold", "resume")
STEPS = (
    *("promote", "promote", "promote", "promote through"),
    *("approve", "approve", "reject", "cancel", "cancel promotion", "cancel deployment", "fail", "forward"),
    *RESTRAIN,
    *("terminate promotion", "terminate deployment", "terminate lane", "cancel lane"),
    *("reset promotion", "reset deployment", "reset lane", "replace worker"),
)


@dataclass(frozen=True)
class Step:
    """What happens, to which of the promotions so far, and how long nothing happens then."""

    what: str
    which: int
    rest: float


@dataclass(frozen=True)
class Schedule:
    """Votes that each promotion needs, and what happens."""

    approvals: int
    steps: tuple[Step, ...]


steps = st.builds(Step, st.sampled_from(STEPS), st.integers(0, 2), st.sampled_from((0.0, 0.02, 0.1, 0.4)))
schedules = st.builds(Schedule, st.integers(0, 1), st.lists(steps, min_size=2, max_size=6).map(tuple))


class Field:
    """The world that all schedules share, two workers, and a sweep now and then."""

    def __init__(self, environment: WorkflowEnvironment) -> None:
        self.env, self.client = environment, environment.client
        self.world = World()
        self.world.waves = (("t1",),)
        self.bench = Bench(self.world, self.client)
        self._names = itertools.count(1)
        self._workers: list[AsyncExitStack] = []
        self._replacing = asyncio.Lock()
        self._rested = 0.0

    def next_name(self) -> str:
        return f"env{next(self._names)}"

    async def replace_worker(self) -> None:
        """Another takes the place of the one that has been there longest."""
        loop = asyncio.get_running_loop()
        async with self._replacing:
            if loop.time() >= self._rested:
                await self.start_worker()
                await self._workers.pop(0).aclose()
                self._rested = loop.time() + REST

    async def start_worker(self) -> None:
        stack, address = AsyncExitStack(), self.client.service_client.config.target_host
        alone = await Client.connect(address, plugins=[build_plugin()])  # workers of one connection would be one
        await stack.enter_async_context(working(alone, self.world))
        self._workers.append(stack)

    async def stop(self) -> None:
        for stack in self._workers:
            await stack.aclose()

    async def sweep(self) -> None:
        """As the Schedule does in production."""
        for number in itertools.count(1):
            with suppress(WorkflowFailureError, RPCError):
                await self.client.execute_workflow(
                    names.RECONCILE, id=f"sweep/{number}", task_queue=names.QUEUE_CONTROL
                )
            await asyncio.sleep(SWEEP_EVERY)


@asynccontextmanager
async def a_field(environment: WorkflowEnvironment) -> AsyncIterator[Field]:
    """Time goes on by itself, except where a schedule forwards it."""
    field = Field(environment)
    with environment.with_time_skipping_disabled():
        sweeping = asyncio.create_task(field.sweep())
        try:
            for _ in range(2):
                await field.start_worker()
            yield field
        finally:
            sweeping.cancel()
            await field.stop()


class Player:
    """Plays one schedule in an environment of its own."""

    def __init__(self, field: Field, schedule: Schedule) -> None:
        self._field, self._world, self._schedule = field, field.world, schedule
        self._name = field.next_name()
        self._orchestrator = TemporalOrchestrator(field.client)
        self._requests = itertools.count(1)
        self.promotions: list[str] = []

    async def play(self) -> None:
        """Do it, clear the way, and return when all is over."""
        self._world.approvals_into[self._name] = self._schedule.approvals
        for step in self._schedule.steps:
            await self._do(step)
            await asyncio.sleep(step.rest)
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while not self.is_over:
            assert asyncio.get_running_loop().time() < deadline, self.standing()
            await self._clear_the_way()
            await asyncio.sleep(1.0)

    @property
    def is_over(self) -> bool:
        """Every promotion has ended, and nobody waits or has the place."""
        ended = all(self._world.states[promotion].is_terminal for promotion in self.promotions)
        here = [place for place in list(self._world.places.values()) if place.lane == self._lane]
        return ended and not any(place.status in {"waiting", "admitted"} for place in here)

    def check(self) -> None:
        """What must hold in the end, whatever happened."""
        for promotion in self.promotions:
            types = self._field.bench.events(promotion)
            assert types.count("ended") == 1, types
            assert types[-1] == "ended", types
            sealed = {seal.state for seal in self._world.sealed("outcome") if seal.promotion == promotion}  # type: ignore[attr-defined]
            assert sealed <= {self._world.states[promotion]}, (sealed, self._world.states[promotion])
        rows = [row for id, row in self._world.deployments.items() if id.removesuffix(".rollback") in self.promotions]
        assert all(row.state.is_terminal for row in rows)
        numbers = [row.outline.number for row in rows]
        assert sorted(set(numbers)) == numbers, numbers
        assert [crowd for crowd in self._world.crowds if crowd[0].removesuffix(".rollback") in self.promotions] == []

    def standing(self) -> str:
        """For whoever must find out what went wrong."""
        world = self._world
        told = [f"{self._schedule}", f"restrained by {world.restraining(self._lane)}"]
        for promotion in self.promotions:
            told.append(
                f"{promotion} {world.states[promotion]} {world.places.get(promotion)} {self._field.bench.events(promotion)}"
            )
        return "\n".join(told)

    @property
    def _lane(self) -> tuple[str, str]:
        return "shop", self._name

    async def _do(self, step: Step) -> None:
        if step.what.startswith("promote"):
            await self._promote(through_hold="it must" if step.what == "promote through" else None)
        elif step.what in RESTRAIN:
            await self._restrain(step.what)
        elif step.what == "replace worker":
            await self._field.replace_worker()
        elif self.promotions:
            # Hands come too early, too late, or to what is not there: Temporal says so.
            with suppress(RPCError, FairleadError, StopIteration):
                await self._to(self.promotions[step.which % len(self.promotions)], step.what)

    async def _promote(self, through_hold: str | None) -> None:
        if len(self.promotions) == MOST:
            return
        id = f"{self._name}-p{len(self.promotions) + 1}"
        request = a_promotion(id, through_hold=through_hold).model_copy(update={"environment": self._name})
        self._world.request(request)
        self.promotions.append(id)
        await temporal.start_promotion(self._field.client, request)

    async def _restrain(self, kind: str) -> None:
        request = RestraintRequest(request=f"{self._name}/{next(self._requests)}", actor="ana")
        await self._orchestrator.restrain(kind, *self._lane, request, request.request)

    async def _to(self, promotion: str, what: str) -> None:
        handle = self._handle(names.promotion_workflow(promotion))
        match what.split():
            case ["approve"]:
                await handle.signal(names.SIGNAL_VOTE, APPROVE)
            case ["reject"]:
                await handle.signal(names.SIGNAL_VOTE, REJECT)
            case ["cancel"]:
                await handle.signal(names.SIGNAL_CANCEL, {"signed_by": "ana", "choice": "cancel"})
            case ["fail"]:
                self._world.fail(promotion, "settle", errors=[Refused(Code.UNHEALTHY, "it answers 500")])
            case ["forward"]:
                with suppress(TimeoutError):  # what is at work does not let time pass
                    await asyncio.wait_for(self._field.env.fast_forward(handle, timedelta(minutes=50)), 3)
            case [hand, whose]:
                await self._hand(hand, self._workflow(promotion, whose))

    async def _hand(self, hand: str, workflow: str) -> None:
        match hand:
            case "terminate":
                await self._handle(workflow).terminate("by hand")
            case "cancel":
                await self._handle(workflow).cancel()
            case "reset":
                await self._field.bench.reset(workflow)

    def _workflow(self, promotion: str, whose: str) -> str:
        lane = names.lane_workflow(*self._lane)
        ours = {"promotion": names.promotion_workflow(promotion), "deployment": names.deployment_workflow(promotion)}
        return ours.get(whose, lane)

    def _handle(self, workflow: str) -> WorkflowHandle[Any, Any]:
        return self._field.client.get_workflow_handle(workflow)

    async def _clear_the_way(self) -> None:
        """Nothing restrains any more, and everybody votes yes."""
        if self._world.restraining(self._lane):
            with suppress(FairleadError):
                await self._restrain("thaw")
                await self._restrain("resume")
        for promotion in self.promotions:
            if self._world.states[promotion] is PromotionState.AWAITING_APPROVAL:
                with suppress(RPCError):
                    await self._handle(names.promotion_workflow(promotion)).signal(
                        names.SIGNAL_VOTE, {"signed_by": f"zoe {next(self._requests)}", "choice": "approve"}
                    )
