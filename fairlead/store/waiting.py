"""Waking up on new events: NOTIFY is only the hint, what counts is read again by sequence."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import psycopg
from psycopg.rows import TupleRow

from fairlead.contracts.names import EVENTS_CHANNEL
from fairlead.store import history
from fairlead.store.database import CONNECT_TIMEOUT_SECONDS, Database, libpq_url

LOOK_AGAIN_SECONDS = 5.0
"""A waiter looks this often even if nothing wakes it: a notification is lost when its connection is."""

_STOP_CHECK_SECONDS = 0.5
LISTENER = "fairlead listener"
"""What such a connection is called in pg_stat_activity."""

_Waiter = tuple[str, asyncio.AbstractEventLoop, asyncio.Event]


class Wakeups:
    """One listening connection for all waiters of a process (API long polls and event streams)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._db = Database(url, pool_size=2)
        self._waiters: set[_Waiter] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    async def wait(self, subject: str, after: int, timeout: float) -> bool:
        """Wait until the subject has an event after `after`, at most `timeout` seconds; whether it has."""
        loop, bell = asyncio.get_running_loop(), asyncio.Event()
        deadline = loop.time() + timeout
        with self._registered((subject, loop, bell)):
            while not await asyncio.to_thread(self._has, subject, after):
                left = deadline - loop.time()
                if left <= 0:
                    return False
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(left, LOOK_AGAIN_SECONDS))
                bell.clear()
            return True

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._db.dispose()

    def _has(self, subject: str, after: int) -> bool:
        with self._db.session() as s:
            return bool(history.events(s, subject, after, limit=1))

    @contextlib.contextmanager
    def _registered(self, waiter: _Waiter) -> Iterator[None]:
        with self._lock:
            self._waiters.add(waiter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="wakeups", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                with _listening(self._url) as connection:
                    self._wake(None)  # whatever came while nobody listened
                    while not self._closed.is_set():
                        for notification in connection.notifies(timeout=_STOP_CHECK_SECONDS):
                            self._wake(notification.payload)
            except psycopg.OperationalError:
                self._closed.wait(_STOP_CHECK_SECONDS)

    def _wake(self, subject: str | None) -> None:
        with self._lock:
            waiters = [waiter for waiter in self._waiters if subject in (None, waiter[0])]
        for _, loop, bell in waiters:
            with contextlib.suppress(RuntimeError):  # its loop has closed: nobody waits any more
                loop.call_soon_threadsafe(bell.set)


def _listening(url: str) -> psycopg.Connection[TupleRow]:
    connection = psycopg.connect(
        libpq_url(url), autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS, application_name=LISTENER
    )
    connection.execute(f"LISTEN {EVENTS_CHANNEL}")
    return connection
