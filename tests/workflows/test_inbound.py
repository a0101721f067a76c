"""Messages with another number of payloads than they should have, as hands may send them."""

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from fairlead.contracts import names
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import APPROVE, Bench

pytestmark = pytest.mark.temporal


@pytest.mark.parametrize("payloads", [[APPROVE, APPROVE], [1, 2], ["\ud7ff", None, {"a": b"\xff".hex()}]])
async def test_a_vote_of_several_payloads_is_refused_and_the_promotion_goes_on(
    bench: Bench, world: World, payloads: list[Any]
) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("vote", args=payloads)
    await bench.until_event("vote_refused")
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


def raw(encoding: str, data: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


UNREADABLE = {
    "two encodings that nobody knows": [raw("binary/unheard-of", b"\x00"), raw("binary/unheard-of", b"\xff")],
    "two without an encoding": [RawValue(Payload(data=b"a")), RawValue(Payload(data=b"b"))],
    "two that are no JSON": [raw("json/plain", b"{"), raw("json/plain", b"\xff")],
    "protobuf of no known type": [raw("binary/protobuf", b"\xff"), raw("json/protobuf", b"{}")],
    "one after a vote": [APPROVE, raw("binary/unheard-of", b"\x00")],
}


@pytest.mark.parametrize("payloads", UNREADABLE.values(), ids=UNREADABLE)
async def test_payloads_that_cannot_be_decoded_are_refused_and_seen(
    bench: Bench, world: World, payloads: list[Any]
) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    for signal, event in (("vote", "vote_refused"), ("cancel", "cancel_refused")):
        await handle.signal(signal, args=payloads)
        await bench.until_event(event)
        assert world.event("promotion/p1", event).actor == "unknown"
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


async def test_an_update_of_payloads_that_cannot_be_decoded_is_answered_so(bench: Bench) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await (await bench.start_lane()).execute_update("enter", args=UNREADABLE["two that are no JSON"])
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "bad_request"


@pytest.mark.parametrize("signal", [names.SIGNAL_REEVALUATE, names.SIGNAL_ADMITTED, names.SIGNAL_PROGRESS])
async def test_a_hint_of_several_payloads_is_a_hint(bench: Bench, world: World, signal: str) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal(signal, args=[1, 2])
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


@pytest.mark.parametrize("payloads", [[], [1, 2], [None], [b"\x00"]])
async def test_an_update_without_its_one_argument_is_answered_so(bench: Bench, payloads: list[Any]) -> None:
    lane = await bench.start_lane()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await lane.execute_update("enter", args=payloads)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "bad_request"
    assert (await bench.result(await bench.promote())).state is PromotionState.SUCCEEDED
