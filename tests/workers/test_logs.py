"""Logs through a real Temporal: a worker reads them into the store; without one it is said soon."""

from datetime import timedelta

import pytest

from api.temporal import TemporalOrchestrator
from fairlead.contracts.logs import ReadLogs
from fairlead.domain.errors import Unavailable
from fairlead.store import logs
from tests.workers.running import RunningShop

READ = ReadLogs(project="shop", target="dev-1")


async def test_a_worker_reads_what_runs_and_temporal_sees_no_line_of_it(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev")
    read = await TemporalOrchestrator(shop.client).read_logs(READ, "one")
    assert read.components == ("web",)
    with shop.db.session() as s:
        [record] = logs.of_deployment(s, "shop", read.deployment)
    assert record.text == "listening"
    history = await shop.client.get_workflow_handle("logs/shop/dev-1/one").fetch_history()
    assert all(b"listening" not in event.SerializeToString() for event in history.events)


async def test_without_a_worker_nothing_can_be_read_and_that_is_said_soon(idle_shop: RunningShop) -> None:
    orchestrator = TemporalOrchestrator(idle_shop.client, timeout=timedelta(seconds=1))
    with pytest.raises(Unavailable):
        await orchestrator.read_logs(READ, "one")
