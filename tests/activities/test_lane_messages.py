"""What is asked of Temporal for a lane: entering and leaving, hints, and watching whoever has the place."""

import asyncio
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import lanes
from activities.lanes import LaneActivities
from fairlead.adapters import temporal as adapter
from fairlead.contracts import names
from fairlead.contracts.messages import LaneInput, LaneRequest
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import EnvironmentRef, LaneRef, PromotionRef
from tests.activities.shop import Shop


def ref(promotion: PromotionRecord, request: str = "") -> LaneRef:
    return LaneRef(promotion=promotion.id, project="shop", environment=promotion.environment, request=request)


@workflow.defn(name=names.LANE)
class PlayedLane:
    """Takes every request, and answers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @workflow.run
    async def run(self, input: LaneInput) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def enter(self, request: LaneRequest) -> None:
        self.asked.append(f"enter {request.promotion}")
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def leave(self, request: LaneRequest) -> None:
        self.asked.append(f"leave {request.promotion}")

    @workflow.query
    def all_asked(self) -> list[str]:
        return self.asked


@workflow.defn(name=names.PROMOTION)
class PlayedPromotion:
    """Runs until it is cancelled, and counts hints."""

    def __init__(self) -> None:
        self.hints = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal(name=names.SIGNAL_REEVALUATE)
    def reevaluate(self, hint: Any) -> None:
        self.hints += 1

    @workflow.query
    def counted(self) -> int:
        return self.hints


@pytest.fixture
async def linked(shop: Shop, temporal: Client) -> Any:
    """Lane activities with a real Temporal, and played workflows on the control queue."""
    played: Any = {"workflows": [PlayedLane, PlayedPromotion], "workflow_runner": UnsandboxedWorkflowRunner()}
    client = Client(temporal.service_client, namespace=temporal.namespace, data_converter=pydantic_data_converter)
    async with Worker(client, task_queue=names.QUEUE_CONTROL, build_id="test", **played):
        yield LaneActivities(shop.db, temporal, shop.decision)


async def play(temporal: Client, promotion: PromotionRecord) -> Any:
    return await temporal.start_workflow(
        names.PROMOTION, id=names.promotion_workflow(promotion.id), task_queue=names.QUEUE_CONTROL
    )


async def test_entering_starts_the_lane_and_does_not_wait_for_an_answer(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    for _ in range(2):
        await linked.enter(ref(promotion, "enter/1"))
    handle = temporal.get_workflow_handle(names.lane_workflow("shop", "dev"))
    assert await handle.query("all_asked") == [f"enter {promotion.id}"]


async def test_leaving_asks_the_lane(shop: Shop, linked: LaneActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    await linked.enter(ref(promotion, "enter/1"))
    await linked.leave(ref(promotion, "leave/1"))
    handle = temporal.get_workflow_handle(names.lane_workflow("shop", "dev"))
    assert (await handle.query("all_asked"))[-1] == f"leave {promotion.id}"


async def test_leaving_a_lane_that_is_not_there_takes_the_promotion_out(shop: Shop, linked: LaneActivities) -> None:
    promotion = shop.promote("1.0.0")
    ActivityEnvironment().run(linked.queue, ref(promotion))
    await linked.leave(ref(promotion, "leave/1"))
    assert linked.read_admission(PromotionRef(promotion=promotion.id)).status == "left"


async def test_a_poke_reaches_the_open_promotions_and_passes_over_the_others(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    there, gone = shop.promote("1.0.0"), shop.promote("1.1.0")
    handle = await play(temporal, there)
    await linked.poke(EnvironmentRef(project="shop", environment="dev"))
    assert await handle.query("counted") == 1
    assert gone.state == "requested"


async def watching(linked: LaneActivities, promotion: PromotionRecord) -> asyncio.Task[None]:
    environment = ActivityEnvironment()
    return asyncio.create_task(environment.run(linked.watch, ref(promotion)))


async def is_watched(task: asyncio.Task[None], seconds: float = 1.0) -> bool:
    done, _ = await asyncio.wait([task], timeout=seconds)
    return not done


async def test_a_promotion_is_watched_until_it_is_closed_by_any_means(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    handle = await play(temporal, promotion)
    watch = await watching(linked, promotion)
    assert await is_watched(watch)
    await handle.terminate("by hand")
    await asyncio.wait_for(watch, 10)


async def test_a_long_poll_that_never_answers_does_not_hold_the_watch(
    shop: Shop, linked: LaneActivities, temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(adapter, "wait_closed", lost)
    monkeypatch.setattr(lanes, "LOOK_AGAIN_SECONDS", 0.1)
    promotion = shop.promote("1.0.0")
    handle = await play(temporal, promotion)
    watch = await watching(linked, promotion)
    assert await is_watched(watch, 0.5)
    await handle.terminate("by hand")
    await asyncio.wait_for(watch, 10)


@pytest.mark.parametrize("suffix", ["", ".rollback"])
async def test_its_deployment_and_rollback_are_watched_too(
    shop: Shop, linked: LaneActivities, temporal: Client, suffix: str
) -> None:
    promotion = shop.promote("1.0.0")
    deployment = await temporal.start_workflow(
        names.PROMOTION, id=names.deployment_workflow(promotion.id + suffix), task_queue=names.QUEUE_CONTROL
    )
    watch = await watching(linked, promotion)
    assert await is_watched(watch)
    await deployment.terminate()
    await asyncio.wait_for(watch, 10)


async def test_what_temporal_does_not_know_any_more_is_over(shop: Shop, linked: LaneActivities) -> None:
    watch = await watching(linked, shop.promote("1.0.0"))
    await asyncio.wait_for(watch, 10)


async def test_a_promotion_that_was_reset_is_watched_on(shop: Shop, linked: LaneActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    first = await play(temporal, promotion)
    watch = await watching(linked, promotion)
    await first.terminate()
    second = await play(temporal, promotion)
    assert await is_watched(watch, 3.0)
    await second.terminate()
    await asyncio.wait_for(watch, 10)
