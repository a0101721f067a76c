"""What workflow tests stand on: workers over a World in a namespace of their own, and how to wait for what happens there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from fairlead.adapters import temporal
from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.messages import LaneInput, PromotionInput, PromotionResult
from fairlead.contracts.seals import SealDecision
from fairlead.domain.states import PromotionState
from tests.fakes.activities import control_activities, target_activities
from tests.fakes.world import Pause, World
from workflows.promotion import PromotionWorkflow

DEADLINE = 300.0
APPROVE = {"signed_by": "ana", "choice": "approve"}
REJECT = {"signed_by": "ana", "choice": "reject"}


class Bench:
    """A world, a client and workers."""

    def __init__(self, world: World, client: Client) -> None:
        self.world = world
        self.client = client

    async def promote(self, promotion: str = "p1", **more: Any) -> WorkflowHandle[PromotionWorkflow, PromotionResult]:
        """Request a promotion and start its workflow."""
        request = a_promotion(promotion, **more)
        self.world.request(request)
        await temporal.start_promotion(self.client, request)
        return self.promotion(promotion)

    def promotion(self, promotion: str = "p1") -> WorkflowHandle[PromotionWorkflow, PromotionResult]:
        """A promotion's workflow."""
        return self.client.get_workflow_handle_for(PromotionWorkflow.run, names.promotion_workflow(promotion))

    def deployment(self, deployment: str = "p1") -> WorkflowHandle[Any, Any]:
        """A deployment's workflow."""
        return self.client.get_workflow_handle(names.deployment_workflow(deployment))

    @property
    def lane(self) -> WorkflowHandle[Any, Any]:
        """The lane's workflow."""
        return self.client.get_workflow_handle(names.lane_workflow("shop", "prod"))

    async def start_lane(self) -> WorkflowHandle[Any, Any]:
        """Start the lane with nobody in it."""
        lane = LaneInput(project="shop", environment="prod")
        return await self.client.start_workflow(names.LANE, lane, **temporal.lane_start("shop", "prod"))

    async def reset(self, workflow: str) -> None:
        """Reset a workflow to its beginning, as an operator may by hand."""
        found = await self.client.get_workflow_handle(workflow).describe()
        await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow, run_id=found.run_id),
                workflow_task_finish_event_id=4,
                request_id=f"reset {found.run_id}",
                reason="by hand",
            )
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to come about in the world."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.02)

    async def until_event(self, type: str, promotion: str = "p1") -> None:
        """Wait for a promotion's event."""
        await self.until(lambda: type in self.events(promotion))

    async def until_state(self, state: PromotionState, promotion: str = "p1") -> None:
        """Wait for a promotion's state."""
        await self.until(lambda: self.world.states[promotion] is state)

    async def until_told(self, handle: WorkflowHandle[Any, Any], state: PromotionState) -> None:
        """Wait until a workflow that is asked tells this state; it may learn of it a moment after the world."""
        async with asyncio.timeout(DEADLINE):
            while await handle.query("state") != state:
                await asyncio.sleep(0.02)

    async def until_reached(self, pause: Pause) -> None:
        """Wait for a step that is held up."""
        await self.until(pause.reached.is_set)

    def events(self, promotion: str = "p1") -> list[str]:
        """The types of a promotion's events."""
        return self.world.types(names.promotion_subject(promotion))

    async def failure(self, handle: WorkflowHandle[Any, Any]) -> tuple[str | None, Any]:
        """The error type that a workflow fails with, and the result it carries."""
        async with asyncio.timeout(DEADLINE):
            try:
                await handle.result()
            except WorkflowFailureError as error:
                cause = error.cause
                if isinstance(cause, ApplicationError):
                    return cause.type, next(iter(cause.details), None)
                return type(cause).__name__, None
        raise AssertionError("it succeeded")

    async def result(self, handle: WorkflowHandle[PromotionWorkflow, PromotionResult]) -> PromotionResult:
        """What a promotion returns."""
        async with asyncio.timeout(DEADLINE):
            return await handle.result()


@asynccontextmanager
async def working(client: Client, world: World, *, cached: int = 1000) -> AsyncIterator[Bench]:
    """Workers for both queues, as one process of ours runs them. With nothing cached every workflow task replays all before it."""
    with ThreadPoolExecutor(20) as threads:
        control = Worker(
            client,
            task_queue=names.QUEUE_CONTROL,
            activities=control_activities(world, client),
            activity_executor=threads,
            max_cached_workflows=cached,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
            max_concurrent_workflow_task_polls=5 if cached else 1,
        )
        targets = Worker(
            client,
            task_queue=names.QUEUE_TARGETS,
            activities=target_activities(world),
            activity_executor=threads,
        )
        async with control, targets:
            yield Bench(world, client)
            for pause in world.pauses.values():
                pause.released.set()


def a_promotion(promotion: str = "p1", *, expires_in: timedelta = timedelta(days=1), **more: Any) -> PromotionInput:
    """A promotion of 2.0.0 into prod."""
    now = datetime.now(UTC)  # noqa: TID251  the server's clock is the real one
    return PromotionInput(
        promotion=promotion,
        project="shop",
        environment="prod",
        release="2.0.0",
        release_digest=digest_of("2.0.0"),
        requester="bob",
        requested_at=now,
        expires_at=now + expires_in,
        **more,
    )


def only_decision(world: World) -> SealDecision:
    """What was decided, once."""
    (decision,) = world.sealed("decision")
    assert isinstance(decision, SealDecision)
    return decision
