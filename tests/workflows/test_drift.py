"""One look at an environment."""

import pytest

from fairlead.contracts import names
from fairlead.contracts.drift import Watched
from fairlead.contracts.steps import EnvironmentRef
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import Bench, a_promotion
from workflows.drift import AT_ONCE, DriftWorkflow

pytestmark = pytest.mark.temporal

PROD = EnvironmentRef(project="shop", environment="prod")


async def look(bench: Bench) -> Watched:
    return await bench.client.execute_workflow(DriftWorkflow.run, PROD, id="drift", task_queue=names.QUEUE_CONTROL)


async def test_every_target_is_looked_at_and_all_looks_are_judged_together(bench: Bench, world: World) -> None:
    world.watched_targets = tuple(f"t{number}" for number in range(AT_ONCE + 2))
    assert await look(bench) == Watched()
    [taken] = world.looks
    assert tuple(seen.target for seen in taken.seen) == world.watched_targets
    assert (taken.project, taken.environment, taken.number) == ("shop", "prod", 7)
    assert all(seen.time <= taken.time for seen in taken.seen)


async def test_where_there_is_nothing_to_look_at_it_is_silent(bench: Bench, world: World) -> None:
    world.watched_targets = ()
    assert await look(bench) == Watched(silent=True)
    assert world.looks == []


async def test_what_is_to_put_it_right_is_begun_and_open_promotions_are_told(bench: Bench, world: World) -> None:
    world.request(a_promotion())
    world.look_comes_to = Watched(drifted=("t1",), changed=("t1",), reconverge="p1")
    assert await look(bench) == world.look_comes_to
    assert (await bench.result(bench.promotion())).state is PromotionState.SUCCEEDED
    assert world.poked == ["prod"]
