"""Whatever happens in whatever order: never two deployments in one environment, and every promotion ends once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from activities.lanes import LaneActivities
from fairlead.contracts import names
from tests.fixtures.postgres import FreshDatabase
from tests.fixtures.temporal import time_skipping_server
from tests.workers.field import Field, a_field
from tests.workers.running import eventually
from tests.workers.schedules import Lane

pytestmark = [pytest.mark.temporal, pytest.mark.postgres]
AT_ONCE = 8
USUAL, LONG = 16, 200
"""How many; each costs some seconds of a processor, most of them Temporal's."""


@pytest.fixture(scope="module")
async def field(make_database: Callable[[], AbstractContextManager[FreshDatabase]]) -> AsyncIterator[Field]:
    with make_database() as fresh:
        async with time_skipping_server() as environment, a_field(environment, fresh, lanes=AT_ONCE + 1) as field:
            yield field


@pytest.mark.parametrize("schedules", [USUAL, pytest.param(LONG, marks=pytest.mark.soak)])
async def test_random_schedules(field: Field, schedules: int) -> None:
    before = field.played
    threads = ThreadPoolExecutor(AT_ONCE)  # of their own: APIs and workers need those of the loop
    here = [
        field.loop.run_in_executor(threads, explore, field, number, schedules // AT_ONCE) for number in range(AT_ONCE)
    ]
    await asyncio.wait(here)
    for explored in here:
        await explored
    assert field.crowds == []
    assert field.played - before >= schedules


def explore(field: Field, number: int, schedules: int) -> None:
    """Make schedules in a thread, and play them in a lane of its own."""
    here = type("Here", (Lane,), {"field": field, "name": field.lanes[number]})
    told = settings(
        max_examples=schedules,
        stateful_step_count=6,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @seed(number)
    def machine() -> Lane:
        # Of a class hypothesis parses the source, which two threads of Python 3.11 cannot do at once.
        return here()

    run_state_machine_as_test(machine, settings=told)  # type: ignore[arg-type] - by its own words a function will do


async def test_a_lane_that_lets_two_in_is_noticed(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(lane: LaneActivities, promotion: str) -> None:
        """Take everybody for over."""

    monkeypatch.setattr(LaneActivities, "_wait_over", at_once)
    environment = f"/projects/shop/environments/{field.lanes[-1]}"
    await field.ask(0, "ana", "POST", f"{environment}/holds", {"reason": "until the first is waited for"})
    first, second = [await field.promote(api, field.lanes[-1]) for api in (0, 1)]
    hold = field.holds.hold(names.deployment_workflow(first), "apply", "after_claim")
    await field.ask(0, "ana", "DELETE", f"{environment}/holds")
    await eventually(lambda: noticed(field))
    hold.released.set()
    assert set(field.crowds) == {(second, first)}
    field.crowds.clear()
    await eventually(lambda: over(field, first, second))


async def noticed(field: Field) -> bool:
    return bool(field.crowds)


async def over(field: Field, *promotions: str) -> bool:
    return all(field.shop.row(promotion).state.is_terminal for promotion in promotions)
