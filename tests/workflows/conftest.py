"""Every workflow test runs on real workers in a namespace of its own."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.fakes.world import World
from tests.workflows.bench import Bench, working


@pytest.fixture
def world() -> World:
    """Script it before the promotion starts."""
    return World()


@pytest.fixture
async def bench(temporal: Client, world: World) -> AsyncIterator[Bench]:
    """Workers over the world."""
    async with working(temporal, world) as bench:
        yield bench
