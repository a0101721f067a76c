"""The sweep over the whole system: what was lost in Temporal is mended, and ends once."""

import pytest

from fairlead.adapters import temporal
from fairlead.store import deployments
from tests.workers.scenes import Phase, awaiting_approval, deploying, held_at_the_head
from tests.workers.stage import Scene, Stage, delete


async def test_a_row_that_was_never_started_is_started(stage: Stage) -> None:
    scene = Scene(environment := await stage.environment(verified=None), await stage.request(environment))
    await stage.sweep()
    assert (await stage.ended(scene.promotion)).state == "succeeded"
    assert await stage.runs(scene) == ["1.1.0", "1.1.0"]
    assert stage.is_believed(scene)


async def test_a_lane_that_was_deleted_is_started_anew_by_one_sweep(stage: Stage) -> None:
    scene = await held_at_the_head(stage)
    await delete(stage, scene.workflow("lane"))
    await stage.sweep()
    assert await temporal.is_running(stage.shop.client, scene.workflow("lane"))
    await stage.shop.restrain("resume", scene.environment)
    assert (await stage.ended(scene.promotion)).state == "succeeded"
    await stage.lane_is_free(scene)


@pytest.mark.parametrize("phase", [awaiting_approval, held_at_the_head])
async def test_a_promotion_that_was_deleted_before_it_deployed_touched_nothing(stage: Stage, phase: Phase) -> None:
    scene = await phase(stage)
    await delete(stage, scene.workflow("promotion"))
    row = await stage.ended(scene.promotion)
    assert (row.state, row.code, stage.why(scene)) == ("failed", "terminated", ["terminated"])
    assert await stage.runs(scene) == [None, None]
    assert stage.is_believed(scene)
    await stage.lane_is_free(scene)


async def test_the_deployment_of_a_promotion_that_was_deleted_finishes(stage: Stage) -> None:
    scene = await deploying(stage)
    await delete(stage, scene.workflow("promotion"))
    await stage.sweep()
    assert stage.shop.row(scene.id).state == "deploying"
    scene.let_go()
    row = await stage.ended(scene.promotion)
    assert (row.state, row.code) == ("failed", "terminated")
    assert await stage.runs(scene) == ["1.1.0", "1.1.0"]
    assert stage.is_believed(scene)
    await stage.lane_is_free(scene)


async def test_a_deployment_that_was_deleted_loses_its_tasks_and_leaves_a_hold(stage: Stage) -> None:
    scene = await deploying(stage)
    await delete(stage, scene.workflow("deployment"))
    scene.let_go()
    row = await stage.ended(scene.promotion)
    assert (row.state, row.code) == ("failed", "terminated")
    with stage.shop.db.session() as s:
        assert {task.state for task in deployments.tasks(s, scene.id)} == {"lost"}
    assert stage.is_held(scene)
    assert stage.is_believed(scene)
    await stage.lane_is_free(scene)
