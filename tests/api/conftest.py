"""The API over a database of its own, and clients of ana (a member) and of an admin."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.api.office import Office
from tests.fixtures.postgres import FreshDatabase


@pytest.fixture
def office(postgres: FreshDatabase) -> Iterator[Office]:
    """The shop's API."""
    made = Office(postgres)
    yield made
    made.wakeups.close()


@pytest.fixture
async def ana(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A member of the project."""
    async with office.client("ana") as client:
        yield client


@pytest.fixture
async def admin(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever may change people and keys."""
    async with office.client("integration:ci", scope="admin") as client:
        yield client
