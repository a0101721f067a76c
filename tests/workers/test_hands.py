"""Hands in the Temporal Web UI (design decision 18), on the whole system with targets in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.codes import Code
from fairlead.domain.states import DeploymentState, PromotionState, TaskState
from fairlead.store import deployments, lanes
from tests.workers.running import RunningShop, eventually


@asynccontextmanager
async def deploying(shop: RunningShop, version: str = "1.0.0") -> AsyncIterator[PromotionRecord]:
    """A promotion into staging whose first target is being changed, slowly, until the block ends."""
    await shop.succeed_in(version, "dev")
    place = shop.world.place(shop.address("stg-1"))
    place.delay = 0.3
    promotion = await shop.start(version, "staging")

    async def touched() -> bool:
        with shop.db.session() as s:
            return any(task.touched for task in deployments.tasks(s, promotion.id))

    await eventually(touched)
    yield promotion
    place.delay = 0.0


async def sweep(shop: RunningShop) -> None:
    await shop.client.execute_workflow(names.RECONCILE, id="sweep", task_queue=names.QUEUE_CONTROL)


async def ended(shop: RunningShop, promotion: PromotionRecord) -> PromotionRecord:
    """Its row once a sweep has ended it."""

    async def look() -> PromotionRecord | None:
        await sweep(shop)
        row = shop.row(promotion.id)
        return row if row.state.is_terminal else None

    return await eventually(look)


def workflow_of(shop: RunningShop, id: str) -> WorkflowHandle[object, object]:
    return shop.client.get_workflow_handle(id)


async def place_is_free(shop: RunningShop, environment: str) -> None:
    async def look() -> bool:
        with shop.db.session() as s:
            return lanes.holder(s, "shop", environment) is None

    await eventually(look)


def is_believed(shop: RunningShop, promotion: PromotionRecord) -> bool:
    report = shop.verified(promotion.id)
    assert report.verified, [finding for finding in report.findings if finding.problems]
    return True


async def test_a_terminated_promotions_deployment_finishes_then_it_ends_failed(shop: RunningShop) -> None:
    async with deploying(shop) as promotion:
        await workflow_of(shop, names.promotion_workflow(promotion.id)).terminate("by hand")
    row = await ended(shop, promotion)
    with shop.db.session() as s:
        deployment = deployments.get(s, promotion.id)
    assert (row.state, row.code) == (PromotionState.FAILED, Code.TERMINATED)
    assert deployment is not None
    assert deployment.state is DeploymentState.SUCCEEDED
    assert is_believed(shop, promotion)
    await place_is_free(shop, "staging")


async def test_a_terminated_deployment_loses_its_tasks_and_leaves_a_hold(shop: RunningShop) -> None:
    async with deploying(shop) as promotion:
        await workflow_of(shop, names.deployment_workflow(promotion.id)).terminate("by hand")
        row = await shop.ends(promotion)
    with shop.db.session() as s:
        tasks = deployments.tasks(s, promotion.id)
    assert (row.state, row.code) == (PromotionState.FAILED, Code.TERMINATED)
    assert {task.state for task in tasks} == {TaskState.LOST}
    assert [hold.deployment for hold in shop.restraints("staging")] == [promotion.id]
    assert is_believed(shop, promotion)


async def test_cancel_while_deploying_brings_touched_targets_back_and_leaves_a_hold(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    good = shop.world.named("stg-1").digests()
    async with deploying(shop, "1.1.0") as promotion:
        await workflow_of(shop, names.promotion_workflow(promotion.id)).cancel()
    row = await shop.ends(promotion)
    assert row.state is PromotionState.CANCELLED
    assert shop.world.named("stg-1").digests() == good
    assert shop.world.named("stg-2").count("create") == 1
    assert [hold.deployment for hold in shop.restraints("staging")] == [promotion.id]
    assert is_believed(shop, promotion)


async def test_cancel_before_a_deployment_changes_nothing(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    promotion = await shop.start("1.0.0")
    await shop.reaches(promotion.id, PromotionState.QUEUED)
    await workflow_of(shop, names.promotion_workflow(promotion.id)).cancel()
    assert (await shop.ends(promotion)).state is PromotionState.CANCELLED
    assert shop.world.places == {}
    assert is_believed(shop, promotion)


async def test_a_reset_promotion_halts_and_ends_as_a_history_conflict(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    promotion = await shop.start("1.0.0")
    await shop.reaches(promotion.id, PromotionState.QUEUED)
    await reset(shop, names.promotion_workflow(promotion.id))
    row = await ended(shop, promotion)
    assert (row.state, row.code) == (PromotionState.FAILED, Code.HISTORY_CONFLICT)
    assert is_believed(shop, promotion)


async def test_a_promotion_that_is_over_stays_as_it_ended_when_it_is_reset(shop: RunningShop) -> None:
    promotion = await shop.start("1.0.0")
    before = await shop.ends(promotion)
    await reset(shop, names.promotion_workflow(promotion.id))
    await shop.ends(promotion)
    await sweep(shop)
    assert shop.row(promotion.id) == before
    assert is_believed(shop, promotion)


async def test_a_lane_that_was_terminated_is_started_anew_and_goes_on(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    promotion = await shop.start("1.0.0")
    await shop.reaches(promotion.id, PromotionState.QUEUED)
    await workflow_of(shop, names.lane_workflow("shop", "dev")).terminate("by hand")
    await sweep(shop)
    await shop.restrain("resume", "dev")
    assert (await shop.ends(promotion)).state is PromotionState.SUCCEEDED


async def test_a_row_that_was_never_started_is_started_by_the_sweep(shop: RunningShop) -> None:
    promotion = await asyncio.to_thread(shop.promote, "1.0.0", now=shop.now)
    await sweep(shop)
    assert (await shop.ends(promotion)).state is PromotionState.SUCCEEDED


async def reset(shop: RunningShop, workflow: str) -> None:
    """Back to the first workflow task, as an operator would."""
    handle = workflow_of(shop, workflow)
    history = await handle.fetch_history()
    first = next(e for e in history.events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    request = ResetWorkflowExecutionRequest(
        namespace=shop.client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow),
        workflow_task_finish_event_id=first.event_id,
        reason="a test",
        request_id="reset",
    )
    await shop.client.workflow_service.reset_workflow_execution(request)
