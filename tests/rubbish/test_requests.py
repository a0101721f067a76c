"""Requests by hand to a lane, of the right shape and with values that nothing could keep: each is answered, and the lane goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError

from fairlead.contracts import names
from fairlead.domain.codes import Code
from fairlead.store.database import Database
from tests.rubbish.test_messages import raw
from tests.workers.running import RunningShop

pytestmark = pytest.mark.temporal

RESTRAINT = {"request": "r1", "actor": "ana", "reason": "x"}
BAD_RESTRAINTS: dict[str, dict[str, Any]] = {
    "a time without a zone": {"until": "2031-01-01T00:00:00"},
    "a time after 9999": {"until": "9999-12-31T23:59:59-14:00"},
    "a time before the year 1": {"until": "0001-01-01T00:00:00+14:00"},
    "NUL in the reason": {"reason": "a\0b"},
    "NUL in the actor": {"actor": "\0"},
    "NUL in an id": {"restraint": "\0"},
    "a surrogate": {"reason": "\ud800"},
    "a long reason": {"reason": "x" * 100_000},
    "a long actor": {"actor": "\U0001f600" * 100},
    "a long id": {"restraint": "x" * 5000},
    "a long request": {"request": "x" * 5000},
    "no request": {"request": ""},
    "nobody": {"actor": ""},
}
BAD_PLACES: dict[str, dict[str, Any]] = {
    "no promotion": {"promotion": ""},
    "NUL": {"promotion": "\0"},
    "a long id": {"promotion": "x" * 5000},
    "no request": {"request": ""},
}
BAD = [
    *((update, {**RESTRAINT, **change}) for update in ("freeze", "thaw", "hold", "resume") for change in BAD_RESTRAINTS.values()),
    *((update, {"promotion": "p", "request": "r1", **change}) for update in ("enter", "leave") for change in BAD_PLACES.values()),
]  # fmt: skip


@pytest.fixture
async def shop(database: Database, temporal: Client) -> AsyncIterator[RunningShop]:
    """A shop with a real worker."""
    shop = RunningShop(database, temporal)
    async with shop.worker():
        yield shop


async def test_every_request_that_could_not_be_kept_is_refused_and_blocks_nothing(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    lane = shop.client.get_workflow_handle(names.lane_workflow("shop", "dev"))
    for update, argument in BAD:
        with pytest.raises(WorkflowUpdateFailedError):
            await asyncio.wait_for(lane.execute_update(update, raw(json.dumps(argument).encode())), 30)
    (freeze,) = await shop.restrain("freeze", "dev")
    assert await shop.restrain("thaw", "dev") == (freeze,)
    assert [kept.kind for kept in await asyncio.to_thread(shop.restraints, "dev")] == ["hold"]


async def test_the_refusal_has_its_code(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    lane = shop.client.get_workflow_handle(names.lane_workflow("shop", "dev"))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await lane.execute_update("freeze", {**RESTRAINT, **BAD_RESTRAINTS["a time without a zone"]})
    assert refused.value.cause.type == Code.BAD_REQUEST  # type: ignore[union-attr]
