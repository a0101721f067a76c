"""Whatever happens in whatever order: never two deployments in one environment, and every promotion ends once."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from temporalio.testing import WorkflowEnvironment

from tests.workflows.schedules import Field, Player, Schedule, a_field, schedules

pytestmark = pytest.mark.temporal
AT_ONCE = 8
IS_SOAK = os.environ.get("FAIRLEAD_SOAK") == "1"
EACH = 25 if IS_SOAK else 4
"""Two hundred in the long run, thirty-two in every one."""


async def test_random_schedules(time_skipping: WorkflowEnvironment) -> None:
    async with a_field(time_skipping) as field:
        explorers = [asyncio.to_thread(explore, field, number, asyncio.get_running_loop()) for number in range(AT_ONCE)]
        await asyncio.gather(*explorers)
        assert field.world.crowds == []


def explore(field: Field, number: int, loop: asyncio.AbstractEventLoop) -> None:
    """Make schedules in a thread; all are played in one loop, each in an environment of its own."""

    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schedules)
    def told(schedule: Schedule) -> None:
        player = Player(field, schedule)
        asyncio.run_coroutine_threadsafe(player.play(), loop).result()
        player.check()

    (told if IS_SOAK else seed(number)(told))()
