"""A stage for hands in Temporal: promotions that stand still in a phase until a hand has done what it does."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle

from agents.memory import MemoryHost
from api import standing, why
from fairlead.adapters import temporal
from fairlead.commands.promotions import workflow_input
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.target import TargetAddress, TargetObservation
from fairlead.domain.states import PromotionState
from fairlead.ports import FailPoints
from fairlead.store import lanes, restraints
from tests.activities.shop import ROLLING, SHOP
from tests.workers.running import PATIENCE, RunningShop, eventually
from workers.clock import now

LONGEST_HOLD = 120.0
PAUSE = 0.5
"""Seconds after a sweep: it looks at every environment there is, and whoever waits for something asks again and again."""
PATIENT = ROLLING | {"healthy_deadline": "2m"}
"""So that a target which is held up is not given up."""
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


class Hold:
    """One step, held up where it is."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


class Holds:
    """ports.FailPoints whose places hold steps up, instead of killing anybody: those of one workflow, in one of its activities."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str, str], Hold] = {}

    def hold(self, workflow: str, activity_type: str, place: str) -> Hold:
        """Hold up whoever comes to this place, until it is released."""
        return self._holds.setdefault((workflow, activity_type, place), Hold())

    def reach(self, name: str) -> None:
        info = activity.info()
        hold = self._holds.get((str(info.workflow_id), info.activity_type, name))
        if hold:
            hold.reached.set()
            hold.released.wait(LONGEST_HOLD)


class HeldHost(MemoryHost):
    """Targets in memory that can be looked at only when they are allowed to."""

    def __init__(self, world: Any, points: FailPoints) -> None:
        super().__init__(world, points)
        self._points = points

    def observe(self, address: TargetAddress) -> TargetObservation:
        self._points.reach("observe")
        return super().observe(address)


@dataclass
class Scene:
    """A promotion of 1.1.0, in a phase, into an environment of its own of two targets. `hold`: what keeps it, or `other` before it, where it is."""

    environment: str
    promotion: PromotionRecord
    other: PromotionRecord | None = None
    hold: Hold | None = None

    @property
    def id(self) -> str:
        return self.promotion.id

    @property
    def targets(self) -> tuple[str, str]:
        return f"{self.environment}-1", f"{self.environment}-2"

    def let_go(self) -> None:
        """Let what was held up go on."""
        if self.hold:
            self.hold.released.set()

    def workflow(self, of: str) -> str:
        """The id of the workflow that a hand lies on."""
        return {
            "promotion": names.promotion_workflow(self.id),
            "deployment": names.deployment_workflow(self.id),
            "rollback": names.deployment_workflow(names.rollback_of(self.id)),
            "lane": names.lane_workflow("shop", self.environment),
        }[of]


class Stage:
    """A running shop in which every scene has an environment of its own."""

    def __init__(self, shop: RunningShop) -> None:
        self.shop = shop
        self.holds = Holds()
        self._numbers = itertools.count(1)
        shop.executors = {"process_host": HeldHost(shop.world, self.holds)}
        self._document: dict[str, Any] = deepcopy(SHOP)

    def handle(self, workflow: str) -> WorkflowHandle[Any, Any]:
        return self.shop.client.get_workflow_handle(workflow)

    async def environment(self, *, verified: str | None = "1.0.0", **block: Any) -> str:
        """Declare another environment of two targets, one after the other, and bring a release into it."""
        name = f"env{next(self._numbers)}"
        targets = [f"{name}-1", f"{name}-2"]
        self._document["environments"][name] = {"targets": targets, "strategy": PATIENT}
        self._document["targets"] |= {t: {"type": "process_host", "endpoint": f"process:{t}"} for t in targets}
        if verified:
            await self.apply()
            await self.shop.succeed_in(verified, name)
        await self.change(name, **block)
        return name

    async def change(self, environment: str, **block: Any) -> None:
        """Say something else of an environment; None is to say nothing."""
        said = self._document["environments"][environment] | block
        self._document["environments"][environment] = {key: value for key, value in said.items() if value is not None}
        await self.apply()

    async def apply(self) -> None:
        await asyncio.to_thread(self.shop.apply, self._document, now())

    async def request(self, environment: str, release: str = "1.1.0") -> PromotionRecord:
        """A row whose workflow is not started yet."""
        return await asyncio.to_thread(lambda: self.shop.promote(release, environment, now=now()))

    async def start(self, promotion: PromotionRecord) -> None:
        await temporal.start_promotion(self.shop.client, workflow_input(promotion))

    async def run_to(self, environment: str, of: str, activity_type: str, place: str) -> Scene:
        """A promotion that has come to a place in an activity of its own, its deployment's or its rollback's workflow."""
        scene = Scene(environment, await self.request(environment))
        scene.hold = self.holds.hold(scene.workflow(of), activity_type, place)
        await self.start(scene.promotion)
        assert await asyncio.to_thread(scene.hold.reached.wait, PATIENCE), self.shop.row(scene.id)
        return scene

    async def sweep(self) -> None:
        """Reconcile, and wait a moment for what that may have moved."""
        await self.shop.client.execute_workflow(names.RECONCILE, id="sweep", task_queue=names.QUEUE_CONTROL)
        await asyncio.sleep(PAUSE)

    async def ended(self, promotion: PromotionRecord) -> PromotionRecord:
        """Its row once it has ended, by itself or by a sweep."""

        async def look() -> PromotionRecord | None:
            row = await asyncio.to_thread(self.shop.row, promotion.id)
            if row.state.is_terminal:
                return row
            await self.sweep()
            return None

        return await eventually(look)

    async def lane_is_free(self, scene: Scene) -> None:
        """Nobody has the place or waits for it."""

        async def nobody() -> bool:
            with self.shop.db.session() as s:
                holder = lanes.holder(s, "shop", scene.environment)
                return holder is None and not lanes.waiting(s, "shop", scene.environment)

        await eventually(nobody)

    async def lets_another_through(self, scene: Scene) -> None:
        """The lane is at work: what comes next is deployed."""
        environment = scene.environment
        await self.shop.restrain("thaw", environment)
        await self.change(environment, approval=None, config=None)
        last = await self.shop.start("1.2.0", environment, through_hold="to see whether the lane is free")
        assert (await self.shop.ends(last)).state is PromotionState.SUCCEEDED

    async def runs(self, scene: Scene) -> list[str | None]:
        """The version that runs on each target, once nobody is at work there any more."""
        if scene.other:
            await self.ended(scene.other)
        digests = {self.shop.release(v).manifest.components["web"].digest: v for v in VERSIONS}
        running = [self.shop.world.place(self.shop.address(target)).digests().get("web") for target in scene.targets]
        return [digests.get(digest) if digest else None for digest in running]

    def is_held(self, scene: Scene) -> bool:
        """Whether its deployment has left a hold."""
        with self.shop.db.session() as s:
            held = restraints.open_at(s, "shop", scene.environment, now(), "hold")
        return scene.id in {restraint.deployment for restraint in held}

    def why(self, scene: Scene) -> list[str]:
        """The codes of what blocks or has ended it."""
        with self.shop.db.session() as s:
            return [blocker.code for blocker in why.blocked_by(standing.read(s, scene.id, now()), now())]

    def is_believed(self, scene: Scene) -> bool:
        """Whether its evidence verifies, and says how it ended."""
        report = self.shop.verified(scene.id)
        return report.verified and report.state == self.shop.row(scene.id).state


# hands
Hand = Callable[[Stage, str], Awaitable[None]]


async def terminate(stage: Stage, workflow: str) -> None:
    await stage.handle(workflow).terminate("by hand")


async def cancel(stage: Stage, workflow: str) -> None:
    await stage.handle(workflow).cancel()


async def reset(stage: Stage, workflow: str) -> None:
    await reset_workflow(stage.shop.client, workflow)


async def reset_workflow(client: Client, workflow: str) -> None:
    """Back to the first workflow task, as the Web UI offers it. Raises IndexError where there was none yet."""
    history = await client.get_workflow_handle(workflow).fetch_history()
    done = [e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow),
        workflow_task_finish_event_id=done[0].event_id,
        reason="by hand",
        request_id=f"reset {workflow}",
    )
    await client.workflow_service.reset_workflow_execution(request)


async def delete(stage: Stage, workflow: str) -> None:
    """As `temporal workflow delete` does; returns when Temporal knows nothing of it any more."""
    execution = WorkflowExecution(workflow_id=workflow)
    request = DeleteWorkflowExecutionRequest(namespace=stage.shop.client.namespace, workflow_execution=execution)
    await stage.shop.client.workflow_service.delete_workflow_execution(request)

    async def gone() -> bool:
        return await temporal.status(stage.shop.client, workflow) is None

    await eventually(gone)


HANDS: dict[str, Hand] = {"terminate": terminate, "cancel": cancel, "reset": reset}


def by_turns(keys: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Cases of a table of what happens to whom in which phase; a key's last word is the hand. Each phase has one of the hands, by
    turns, in `make test`; the others are left to `make soak`.
    """
    hands, table = list(HANDS), list(keys)
    phases = list(dict.fromkeys(key[:-1] for key in table))
    return [
        pytest.param(
            *key,
            marks=[pytest.mark.soak] if (phases.index(key[:-1]) + hands.index(key[-1])) % len(hands) else [],
            id=" ".join(getattr(word, "__name__", word) for word in key),
        )
        for key in table
    ]


async def deployment_knows(stage: Stage, scene: Scene) -> None:
    """Return when a cancel has been passed on to the deployment."""
    handle = stage.handle(scene.workflow("deployment"))

    async def look() -> bool:
        history = await handle.fetch_history()
        return any(e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED for e in history.events)

    await eventually(look)


@asynccontextmanager
async def on_stage(shop: RunningShop) -> AsyncIterator[Stage]:
    """A stage with a worker."""
    stage = Stage(shop)
    for version in VERSIONS:
        shop.release(version, now())
    async with shop.worker(stage.holds):
        yield stage
