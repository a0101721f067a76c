"""`fairlead dev`: the whole system on one machine, as supervised children of one process that stays in the foreground.

Postgres, Temporal's dev server with its Web UI, a worker and the API. Who and where they are stands in `<data>/processes.json`.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from fairlead.commands.ids import new_secret
from fairlead.commands.keys import bootstrap_key
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Unavailable
from fairlead.store.database import Database, migrate
from workers import temporal_server
from workers.children import Child, end_leftover, wait_until
from workers.clock import now
from workers.embedded_postgres import EmbeddedPostgres
from workers.ports import LOOPBACK, choose_port, listens
from workers.private_file import write_private
from workers.shadow import refuse_shadowed

API_PORT, TEMPORAL_PORT, UI_PORT = 8420, 7233, 8233
START_SECONDS = 60.0
STOP_SECONDS = {"api": 5.0, "worker": 10.0, "temporal": 10.0}
TEND_EVERY_SECONDS = 0.1
POSTGRES_PAUSE_SECONDS = 2.0
OPEN_FOLDERS = ("hosts", "layouts")
"""Applications of process hosts run as another user, who must get at their files."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of everything that people and programs connect to. `held`: keeps them ours while they are not listened on."""

    api: int
    temporal: int
    ui: int
    held: tuple[socket.socket, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def choose(cls, api: int | None = None, temporal: int | None = None, ui: int | None = None) -> "Ports":
        """Those asked for, 0 for any; else the usual ones, or free ones where they are taken."""
        held: list[socket.socket] = []
        return cls(
            api=choose_port(api, API_PORT, held),
            temporal=choose_port(temporal, TEMPORAL_PORT, held),
            ui=choose_port(ui, UI_PORT, held),
            held=tuple(held),
        )


class System:
    """The running system. `say` takes the lines that a person should read; who sets `stop` does not wait for a start to be done."""

    def __init__(self, data: Path, ports: Ports, say: Callable[[str], None], stop: threading.Event) -> None:
        self._data = data
        self._ports = ports
        self._say = say
        self._told_to_stop = stop
        self._postgres = EmbeddedPostgres(data / "postgres")
        self._children: dict[str, Child] = {}
        self._postgres_again_at = 0.0
        self._noted = False

    def start(self) -> None:
        """Start everything, each when what it needs is there. Raises Unavailable when something does not come up."""
        self._end_leftovers()
        self._postgres.start()
        self._postgres.keep_port()
        migrate(self._postgres.owner_url)
        key = self._bootstrap_key()
        self._children = {child.name: child for child in (self._temporal(), self._worker(), self._api())}
        self._children["temporal"].start()
        self._await(self._ports.temporal, "Temporal")
        self._children["worker"].start()
        self._children["api"].start()
        self._await(self._ports.api, "the API")
        self._note()
        self._greet(key)

    def tend(self) -> None:
        """Start again what has died. A disk that is full or a machine out of breath ends nothing: it is tried again."""
        died = [child.name for child in self._children.values() if child.tend()]
        died += ["postgres"] if self._tend_postgres() else []
        for name in died:
            self._say(f"{name} died and has been started again")
        self._noted = self._noted and not died
        if not self._noted:
            with contextlib.suppress(OSError):
                self._note()

    def _tend_postgres(self) -> bool:
        if self._postgres.pid is not None or time.monotonic() < self._postgres_again_at:
            return False
        try:
            self._postgres.start()
        except (Unavailable, OSError, psycopg.OperationalError) as error:
            self._postgres_again_at = time.monotonic() + POSTGRES_PAUSE_SECONDS
            self._say(f"Postgres died and does not start yet: {error}")
            return False
        return True

    def stop(self) -> None:
        """Stop everything, in an order in which nothing misses what it needs."""
        for name, seconds in STOP_SECONDS.items():
            if name in self._children:
                self._children[name].stop(seconds)
        self._postgres.stop()
        self._state_file.unlink(missing_ok=True)

    @property
    def _state_file(self) -> Path:
        return self._data / "processes.json"

    def _end_leftovers(self) -> None:
        """Children outlive a parent that is killed; ours would fight with them over ports and files."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            for identity in json.loads(self._state_file.read_text()).values():
                end_leftover(identity)
        self._state_file.unlink(missing_ok=True)

    def _bootstrap_key(self) -> str | None:
        """The first key, kept for its owner; None when an earlier start made it."""
        path = self._data / "admin.key"
        known = path.read_text().strip() if path.exists() else None
        secret = known or new_secret()
        db = Database(self._postgres.app_url)
        try:
            bootstrap_key(db, now=now(), secret=secret)
        finally:
            db.dispose()
        write_private(path, secret + "\n")
        return None if known else secret

    def _temporal(self) -> Child:
        folder = self._data / "temporal"
        folder.mkdir(mode=0o700, exist_ok=True)
        command = temporal_server.command(
            port=self._ports.temporal, ui_port=self._ports.ui, database=folder / "temporal.db"
        )
        return Child("temporal", command, os.environ, log=folder / "temporal.log")

    def _worker(self) -> Child:
        return Child("worker", _python("workers.worker"), self._environment())

    def _api(self) -> Child:
        return Child("api", _python("workers.api_server"), self._environment())

    def _environment(self) -> dict[str, str]:
        """What our own programs find in their settings; passwords are in no argument vector."""
        return {
            **os.environ,
            "FAIRLEAD_DATA": str(self._data),
            "FAIRLEAD_DATABASE_URL": self._postgres.app_url,
            "FAIRLEAD_TEMPORAL_ADDRESS": f"{LOOPBACK}:{self._ports.temporal}",
            "FAIRLEAD_API_HOST": LOOPBACK,
            "FAIRLEAD_API_PORT": str(self._ports.api),
            # Who runs this may read those files anyway; a server that many use names the folders in which secrets may lie.
            "FAIRLEAD_SECRETS_FILES": os.environ.get("FAIRLEAD_SECRETS_FILES", "/"),
        }

    def _await(self, port: int, what: str) -> None:
        def up() -> bool:
            for child in self._children.values():
                child.tend()
            return listens(port) or self._told_to_stop.is_set()

        if not wait_until(up, START_SECONDS):
            raise Unavailable(Code.SERVER_UNREACHABLE, f"{what} did not come up on port {port}")

    def _note(self) -> None:
        addresses: dict[str, dict[str, Any]] = {
            "temporal": {
                "address": f"{LOOPBACK}:{self._ports.temporal}",
                "ui": f"http://{LOOPBACK}:{self._ports.ui}",
            },
            "worker": {},
            "api": {"url": f"http://{LOOPBACK}:{self._ports.api}"},
        }
        state: dict[str, dict[str, Any]] = {
            name: {**self._children[name].identity, **address} for name, address in addresses.items()
        }
        state |= {"dev": {"pid": os.getpid()}, "postgres": {"pid": self._postgres.pid, "port": self._postgres.port}}
        write_private(self._state_file, json.dumps(state, indent=2) + "\n")
        self._noted = True

    def _greet(self, key: str | None) -> None:
        self._say(f"API          http://{LOOPBACK}:{self._ports.api}")
        self._say(f"Temporal UI  http://{LOOPBACK}:{self._ports.ui}")
        self._say(f"Temporal     {LOOPBACK}:{self._ports.temporal}")
        self._say(f"data         {self._data}")
        kept = self._data / "admin.key"
        self._say(f"admin key    {key} (shown once, kept in {kept})" if key else f"admin key    in {kept}")


def run(data: Path, ports: Ports, say: Callable[[str], None]) -> None:
    """Run the whole system until SIGINT or SIGTERM. Raises Conflict when it runs on this folder already."""
    refuse_shadowed()
    data = data.expanduser().resolve()
    data.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in OPEN_FOLDERS:
        (data / name).mkdir(mode=0o755, exist_ok=True)
    with _alone_in(data), _told_to_stop() as stop:
        system = System(data, ports, say, stop)
        try:
            system.start()
            while not stop.wait(TEND_EVERY_SECONDS):
                system.tend()
        finally:
            system.stop()


@contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(Code.STILL_RUNNING, f"`fairlead dev` runs on {data} already") from error
        yield


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of ending us at once."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _python(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", module]
