"""A shop of its own for each test."""

import pytest

from fairlead.store.database import Database
from tests.activities.shop import Shop


@pytest.fixture
def shop(database: Database) -> Shop:
    """A fresh database with the shop's catalogue."""
    return Shop(database)
