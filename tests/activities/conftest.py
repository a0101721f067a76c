"""A shop of its own for each test."""

import pytest
from temporalio.client import Client

from fairlead.store.database import Database
from tests.activities.shop import Shop
from tests.activities.watcher import Watcher


@pytest.fixture
def shop(database: Database) -> Shop:
    """A fresh database with the shop's catalogue."""
    return Shop(database)


@pytest.fixture
def watcher(shop: Shop, temporal: Client) -> Watcher:
    """1.0.0 runs in dev, and was verified."""
    watcher = Watcher(shop, temporal)
    watcher.deploy(shop.promote("1.0.0"))
    return watcher
