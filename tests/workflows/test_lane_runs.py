"""A lane that goes on as a new run again and again, while messages come: none is lost, and none is served twice."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from fairlead.contracts.messages import RestraintAnswer, RestraintRequest
from tests.fakes.world import World
from tests.workflows.bench import DEADLINE, Bench
from workflows.lane import LaneWorkflow

pytestmark = pytest.mark.temporal
FREEZES = 80
AT_ONCE = 15


async def test_each_message_is_answered_and_served_once_while_the_run_changes(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    requests = [RestraintRequest(request=f"f{each}", actor="ana") for each in range(FREEZES)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def send(request: RestraintRequest, again: str) -> RestraintAnswer:
        async with gate:
            answer: RestraintAnswer = await lane.execute_update(
                LaneWorkflow.freeze, request, id=f"{request.request}{again}"
            )
            return answer

    # Whoever did not get an answer asks again: by the same update, or, where that is forgotten, with the same request in another.
    twice: list[Any] = [send(request, again) for request in requests for again in ("", "", " again")]
    answers = await asyncio.gather(*twice)
    assert [answer.restraints for answer in answers] == [(r.request,) for r in requests for _ in range(3)]
    assert set(world.restraints) == {request.request for request in requests}
    served = Counter(id for kind, id in world.steps if kind == "freeze")
    assert served == {request.request: 1 for request in requests}
    async with asyncio.timeout(DEADLINE):  # the last messages may be answered a moment before the run changes
        while await runs(bench) < 2:
            await asyncio.sleep(0.1)


async def test_what_was_served_before_the_run_changed_is_not_served_again(bench: Bench, world: World) -> None:
    lane = await bench.start_lane()
    first = RestraintRequest(request="first", actor="ana")
    await lane.execute_update(LaneWorkflow.freeze, first)
    await lane.execute_update(LaneWorkflow.thaw, RestraintRequest(request="thaw", actor="ana"))
    while await runs(bench) < 2:
        await lane.execute_update(LaneWorkflow.hold, RestraintRequest(request=f"h{len(world.steps)}", actor="ana"))
    assert (await lane.execute_update(LaneWorkflow.freeze, first)).restraints == ("first",)
    assert "first" not in world.restraints


async def runs(bench: Bench) -> int:
    """How many runs the lane has had."""
    query = f"WorkflowId = '{bench.lane.id}'"
    return len([run async for run in bench.client.list_workflows(query)])
