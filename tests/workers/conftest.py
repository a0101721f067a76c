"""A running shop for each test."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from fairlead.store.database import Database
from tests.workers.running import RunningShop


@pytest.fixture
def idle_shop(database: Database, temporal: Client) -> RunningShop:
    """A shop without a worker."""
    return RunningShop(database, temporal)


@pytest.fixture
async def shop(idle_shop: RunningShop) -> AsyncIterator[RunningShop]:
    """A shop with a worker."""
    async with idle_shop.worker():
        yield idle_shop
