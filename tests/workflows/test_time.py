"""What time alone brings about, on a server whose clock jumps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision
from tests.fakes.gates import VOTES_LAST
from tests.fakes.world import World, verdict
from tests.workflows.bench import Bench, working

pytestmark = pytest.mark.temporal


@pytest.fixture
async def skipping(time_skipping: WorkflowEnvironment, world: World) -> AsyncIterator[Bench]:
    async with working(time_skipping.client, world) as bench:
        yield bench


async def test_without_enough_votes_in_time_it_expires(skipping: Bench, world: World) -> None:
    world.approvals = 1
    kind, result = await skipping.failure(await skipping.promote())
    assert (kind, result["code"]) == ("expired", Code.APPROVAL_EXPIRED)
    opened, ended = (world.event("promotion/p1", type).time for type in ("votes_opened", "ended"))
    assert ended - opened >= timedelta(seconds=VOTES_LAST)


async def test_a_gate_that_never_allows_lets_it_expire(skipping: Bench, world: World) -> None:
    world.verdicts = [verdict("security", Decision.PENDING, datetime(2030, 1, 1, tzinfo=UTC), Code.REPORT_MISSING)]
    kind, result = await skipping.failure(await skipping.promote(expires_in=timedelta(hours=2)))
    assert (kind, result["code"]) == ("expired", Code.PROMOTION_EXPIRED)


async def test_one_that_is_frozen_in_the_lane_expires_there(skipping: Bench, world: World) -> None:
    world.restraints["f1"] = "freeze"
    kind, result = await skipping.failure(await skipping.promote(expires_in=timedelta(hours=2)))
    assert (kind, result["code"]) == ("expired", Code.PROMOTION_EXPIRED)
    await skipping.until(lambda: world.places["p1"].status == "left")


async def test_a_soak_is_over_when_the_gate_said(skipping: Bench, world: World) -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)  # noqa: TID251
    world.verdicts = [verdict("previous_environment", Decision.PENDING, until, Code.SOAKING, again=until)]
    result = await skipping.result(await skipping.promote())
    assert result.state is PromotionState.SUCCEEDED
    assert world.event("promotion/p1", "queued").time >= until
    assert skipping.events().count("evaluated") == 3


async def test_an_error_is_tried_again_with_backoff(skipping: Bench, world: World) -> None:
    world.verdicts = [verdict("security", Decision.ERROR, datetime(2030, 1, 1, tzinfo=UTC), Code.FACTS_UNAVAILABLE)]
    handle = await skipping.promote(expires_in=timedelta(hours=1))
    await skipping.failure(handle)
    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in (await handle.fetch_history()).events
        if event.HasField("timer_started_event_attributes")
    ]
    assert [t.total_seconds() for t in timers[:5]] == [5, 10, 20, 40, 80]
    assert max(timers) <= timedelta(minutes=5)
