"""A running shop for each test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

import pytest
from temporalio.client import Client

from fairlead.store.database import Database
from tests.fixtures.postgres import FreshDatabase
from tests.fixtures.temporal import fresh_client
from tests.workers.running import RunningShop
from tests.workers.stage import Stage, on_stage


@pytest.fixture
def idle_shop(database: Database, temporal: Client) -> RunningShop:
    """A shop without a worker."""
    return RunningShop(database, temporal)


@pytest.fixture
async def shop(idle_shop: RunningShop) -> AsyncIterator[RunningShop]:
    """A shop with a worker."""
    async with idle_shop.worker():
        yield idle_shop


@pytest.fixture(scope="module")
async def stage(
    make_database: Callable[[], AbstractContextManager[FreshDatabase]], temporal_server_address: str
) -> AsyncIterator[Stage]:
    """A shop with a worker for all tests of a module, where promotions can be held up in a phase."""
    with make_database() as fresh:
        async with on_stage(RunningShop(fresh.db, await fresh_client(temporal_server_address))) as stage:
            yield stage
