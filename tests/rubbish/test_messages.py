"""Raw signals and updates of anything at all: each vote is told as refused, and the promotion and the lane go on."""

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue

from fairlead.contracts import names
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import APPROVE, Bench, working

pytestmark = pytest.mark.temporal


def raw(data: bytes, encoding: bytes | None = b"json/plain") -> RawValue:
    """A payload as hands or broken clients make it."""
    return RawValue(Payload(metadata={} if encoding is None else {"encoding": encoding}, data=data))


MESSAGES: dict[str, list[Any]] = {
    "no payload": [],
    "two payloads": [1, {"a": 1}],
    "null": [None],
    "a number": [1.5],
    "a list": [[[[]]]],
    "an empty object": [{}],
    "huge": ["x" * 1_000_000],
    "no JSON": [raw(b"{")],
    "binary": [raw(b"\x00\xff\xfe", b"binary/plain")],
    "an unknown encoding": [raw(b"x", b"no/such")],
    "no encoding": [raw(b"{}", None)],
    "a key twice": [raw(b'{"payload":1,"payload":2}')],
    "too deep": [raw(b"[" * 100_000)],
    "a surrogate": [raw(b'{"payload":"\\ud800"}')],
    "a number too long": [raw(b"9" * 5000)],
    "no finite number": [raw(b"1e999")],
}


@pytest.fixture
async def bench(temporal: Any, world: World) -> Any:
    """Workers over the world."""
    async with working(temporal, world) as bench:
        yield bench


@pytest.fixture
def world() -> World:
    """One approval is missing."""
    world = World()
    world.approvals = 1
    return world


async def vote_refusals(bench: Bench, count: int) -> None:
    """Wait until this many votes were refused."""
    async with asyncio.timeout(30):
        while bench.events().count("vote_refused") < count:
            await asyncio.sleep(0.05)


async def test_every_signal_leaves_its_event_and_stops_nothing(bench: Bench, world: World) -> None:
    handle = await bench.promote()
    await bench.until_event("votes_opened")
    for count, payloads in enumerate(MESSAGES.values(), 1):
        for hint in (names.SIGNAL_REEVALUATE, names.SIGNAL_ADMITTED, names.SIGNAL_PROGRESS, "no_such_signal"):
            await handle.signal(hint, args=payloads)
        await handle.signal("vote", args=payloads)
        await vote_refusals(bench, count)
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


async def test_every_update_is_answered_and_stops_nothing(bench: Bench, world: World) -> None:
    lane, handle = await bench.start_lane(), await bench.promote()
    await bench.until_event("votes_opened")
    lane_updates = ("enter", "leave", "freeze", "thaw", "hold", "resume")
    for payloads in MESSAGES.values():
        for place, update in ((handle, "vote"), (handle, "cancel"), *((lane, update) for update in lane_updates)):
            with pytest.raises(WorkflowUpdateFailedError):
                await asyncio.wait_for(place.execute_update(update, args=payloads), 20)
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
