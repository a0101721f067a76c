"""The lane: one at a time, in order; what keeps the head in place; and nothing lost when it goes on as a new run."""

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateStage

from fairlead.contracts.messages import LaneRequest, RestraintRequest
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import Bench, a_promotion
from workflows.lane import LaneWorkflow

pytestmark = pytest.mark.temporal


async def test_two_promotions_go_one_after_the_other(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    first = await bench.promote("p1")
    await bench.until_reached(pause)
    second = await bench.promote("p2")
    await bench.until_state(PromotionState.QUEUED, "p2")
    assert world.places["p1"].status == "admitted"
    pause.released.set()
    await bench.result(first)
    await bench.result(second)
    assert [world.places[p].number for p in ("p1", "p2")] == [1, 2]


async def test_a_freeze_keeps_the_head_while_a_rollback_passes(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    request = RestraintRequest(request="f1", actor="ana", reason="audit")
    assert (await lane.execute_update(LaneWorkflow.freeze, request)).restraints == ("f1",)
    head = await bench.promote("p1")
    await bench.until_state(PromotionState.QUEUED, "p1")
    await bench.result(await bench.promote("p2", intent="rollback"))
    assert world.states["p1"] is PromotionState.QUEUED
    await lane.execute_update(LaneWorkflow.thaw, RestraintRequest(request="f2", actor="ana"))
    assert (await bench.result(head)).state is PromotionState.SUCCEEDED


async def test_a_hold_keeps_the_head_while_one_through_it_passes(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    await lane.execute_update(LaneWorkflow.hold, RestraintRequest(request="h1", actor="ana"))
    head = await bench.promote("p1")
    await bench.until_state(PromotionState.QUEUED, "p1")
    await bench.result(await bench.promote("p2", through_hold="fixes it"))
    assert world.states["p1"] is PromotionState.QUEUED
    await lane.execute_update(LaneWorkflow.resume, RestraintRequest(request="h2", actor="ana", restraint="h1"))
    await bench.result(head)


async def test_the_same_request_counts_once(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    first = RestraintRequest(request="f1", actor="ana")
    thaw = RestraintRequest(request="t1", actor="ana")
    await lane.execute_update(LaneWorkflow.freeze, first)
    await lane.execute_update(LaneWorkflow.thaw, thaw)
    await lane.execute_update(LaneWorkflow.freeze, RestraintRequest(request="f2", actor="ana"))
    await lane.execute_update(LaneWorkflow.thaw, thaw)
    assert world.restraints == {"f2": "freeze"}
    assert (await lane.execute_update(LaneWorkflow.freeze, first)).restraints == ("f1",)
    assert world.restraints == {"f2": "freeze"}


async def test_a_terminated_promotion_gives_its_place_to_the_next(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    first = await bench.promote("p1")
    await bench.until_reached(pause)
    second = await bench.promote("p2")
    await bench.until_state(PromotionState.QUEUED, "p2")
    await first.terminate("by hand")
    assert world.places["p1"].status == "admitted"
    pause.released.set()
    await bench.result(second)
    assert world.deployments["p1"].state == "succeeded"


async def test_a_lane_that_was_terminated_is_taken_up_again_by_whoever_enters(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    first = await bench.promote("p1")
    await bench.until_reached(pause)
    await bench.lane.terminate("by hand")
    second = await bench.promote("p2")
    pause.released.set()
    await bench.result(first)
    await bench.result(second)


async def test_who_has_asked_is_answered_before_a_cancelled_lane_closes(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    request = RestraintRequest(request="f1", actor="ana")
    with world.lock:  # nothing can be recorded
        asked = await lane.start_update(LaneWorkflow.freeze, request, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await lane.cancel()
        await lane.describe()
    assert (await asked.result()).restraints == ("f1",)
    assert (await bench.failure(lane))[0] == "CancelledError"


async def test_nothing_is_lost_when_it_goes_on_as_a_new_run(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    first = await bench.promote("p1")
    await bench.until_reached(pause)
    start = await bench.lane.describe()
    await knock(bench, world, 100)
    latest = await bench.lane.describe()
    assert latest.run_id != start.run_id
    assert latest.status is WorkflowExecutionStatus.RUNNING
    pause.released.set()
    await bench.result(first)
    await bench.until(lambda: world.places["p1"].status == "done")


async def knock(bench: Bench, world: World, count: int) -> None:
    """Enter and leave with others, many at once, so that some come while the run changes; all must be answered."""
    for each in range(count):
        world.request(a_promotion(f"x{each}"))
    requests = [LaneRequest(promotion=f"x{each}", request=f"enter/{each}") for each in range(count)]
    gate = asyncio.Semaphore(20)

    async def enter(request: LaneRequest) -> None:
        async with gate:
            await bench.lane.execute_update(LaneWorkflow.enter, request)

    await asyncio.gather(*(enter(request) for request in requests))
    assert [world.places[f"x{each}"].status for each in range(count)] == ["waiting"] * count
