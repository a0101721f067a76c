"""Waiters wake up when there is something to read, and only then."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from fairlead.contracts.steps import Append
from fairlead.store import history, waiting
from fairlead.store.database import Database
from fairlead.store.waiting import LISTENER, Wakeups
from tests.fixtures.postgres import FreshDatabase
from tests.store.seeds import NOW

LONG = 3600.0
DEADLINE = 30.0


@pytest.fixture(autouse=True)
def only_notifications_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second look that would hide a notification that never comes."""
    monkeypatch.setattr(waiting, "LOOK_AGAIN_SECONDS", LONG)


@pytest.fixture
def wakeups(postgres: FreshDatabase) -> Iterator[Wakeups]:
    made = Wakeups(postgres.app_url)
    yield made
    made.close()


def append(database: Database, sequence: int, subject: str = "edge/p1") -> None:
    with database.session() as s:
        history.append(s, Append(subject=subject, sequence=sequence, type="noted", time=NOW))


def listeners(database: Database) -> list[int]:
    with database.session() as s:
        return list(
            s.exec(
                text("SELECT pid FROM pg_stat_activity WHERE application_name = :name").bindparams(name=LISTENER)
            ).scalars()
        )


def until_somebody_listens(database: Database, other_than: tuple[int, ...] = ()) -> None:
    for _ in range(500):
        if set(listeners(database)) - set(other_than):
            return
        threading.Event().wait(0.01)
    raise AssertionError("nobody listens")


async def test_what_is_there_already_needs_no_waiting(database: Database, wakeups: Wakeups):
    await asyncio.to_thread(append, database, 0)
    assert await asyncio.wait_for(wakeups.wait("edge/p1", -1, LONG), DEADLINE)


async def test_all_waiters_share_one_connection(database: Database, wakeups: Wakeups):
    waiters = [asyncio.create_task(wakeups.wait(f"edge/p{n}", -1, LONG)) for n in range(5)]
    await asyncio.to_thread(until_somebody_listens, database)
    assert len(listeners(database)) == 1
    for n in range(5):
        await asyncio.to_thread(append, database, 0, f"edge/p{n}")
    assert await asyncio.wait_for(asyncio.gather(*waiters), DEADLINE) == [True] * 5


async def test_a_wait_without_a_later_event_of_its_own_ends(database: Database, wakeups: Wakeups):
    await asyncio.to_thread(append, database, 0)
    await asyncio.to_thread(append, database, 0, "edge/p2")
    await asyncio.to_thread(append, database, 1, "edge/p2")
    assert not await wakeups.wait("edge/p1", 0, 0.05)


async def test_a_lost_connection_is_made_again(database: Database, wakeups: Wakeups):
    waiter = asyncio.create_task(wakeups.wait("edge/p1", -1, LONG))
    await asyncio.to_thread(until_somebody_listens, database)
    lost = tuple(await asyncio.to_thread(listeners, database))
    with database.session() as s:
        s.exec(text("SELECT pg_terminate_backend(:pid)").bindparams(pid=lost[0]))
    await asyncio.to_thread(until_somebody_listens, database, lost)
    await asyncio.to_thread(append, database, 0)
    assert await asyncio.wait_for(waiter, DEADLINE)
