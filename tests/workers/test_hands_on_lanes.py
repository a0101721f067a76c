"""Hands on a lane's workflow (design decision 18): started anew from Postgres, it goes on as if nothing had been."""

import itertools

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.workers.running import eventually
from tests.workers.scenes import Phase, deploying, frozen_at_the_head, held_at_the_head, queued_behind, rolling_back
from tests.workers.stage import HANDS, Scene, Stage, by_turns

ENDS: dict[Phase, str] = {
    held_at_the_head: "succeeded",
    frozen_at_the_head: "succeeded",
    queued_behind: "succeeded",
    deploying: "succeeded",
    rolling_back: "rolled_back",
}


@pytest.mark.parametrize(("phase", "hand"), by_turns(itertools.product(ENDS, HANDS)))
async def test_a_hand_on_a_lane(stage: Stage, phase: Phase, hand: str) -> None:
    scene = await phase(stage)
    handle = stage.handle(scene.workflow("lane"))
    before = (await handle.describe()).run_id
    await HANDS[hand](stage, handle.id)
    await another_run(stage, handle.id, before)
    scene.let_go()
    for restraint in ("thaw", "resume"):
        await stage.shop.restrain(restraint, scene.environment)
    row = await stage.ended(scene.promotion)
    assert row.state == ENDS[phase]
    assert stage.is_believed(scene)
    assert one_at_a_time(stage, scene)
    await stage.lane_is_free(scene)


async def another_run(stage: Stage, lane: str, before: str) -> None:
    """A sweep has started it, where a reset had not."""

    async def look() -> bool:
        await stage.sweep()
        found = await stage.handle(lane).describe()
        return found.run_id != before and found.status is WorkflowExecutionStatus.RUNNING

    await eventually(look)


def one_at_a_time(stage: Stage, scene: Scene) -> bool:
    """Whoever was before it had ended when it was admitted."""
    if scene.other is None:
        return True
    admitted = next(e.time for e in stage.shop.events(f"promotion/{scene.id}") if e.type == "admitted")
    before = stage.shop.row(scene.other.id).ended_at
    return before is not None and before <= admitted
