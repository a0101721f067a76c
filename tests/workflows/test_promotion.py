"""The paths of a promotion, over the real server."""

import pytest

from fairlead.contracts import names
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import Bench

pytestmark = pytest.mark.temporal


async def test_with_nothing_in_its_way_it_deploys_every_target(bench: Bench, world: World) -> None:
    result = await bench.result(await bench.promote())
    assert result.state is PromotionState.SUCCEEDED
    assert bench.events() == [
        "requested", "evaluating", "evaluated", "queued", "admitted", "evaluated", "deploying", "verifying", "ended",
    ]  # fmt: skip
    assert [world.did("apply", target) for target in ("t1", "t2", "t3")] == [1, 1, 1]
    assert world.types(names.deployment_subject("p1")).count("task") == 6
