"""Every test here needs Postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from fairlead.store.database import Database

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.postgres)


@pytest.fixture
def s(database: Database) -> Iterator[Session]:
    """A session on a fresh database; what a test leaves is dropped with it."""
    with database.session() as session:
        yield session


@pytest.fixture
def owner(owner_url: str) -> Iterator[Session]:
    """A session on the same database as its owner."""
    db = Database(owner_url)
    with Session(db.engine) as session:
        yield session
    db.dispose()
