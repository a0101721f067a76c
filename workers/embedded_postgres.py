"""Runs the PostgreSQL that comes as a wheel, as an unprivileged user, in a folder of its own (design decision 2).

The server is a session of its own: it outlives a killed starter, and the next start takes it over.
"""

import fcntl
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import sql

from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from workers.ports import free_port
from workers.private_file import write_private
from workers.unprivileged import Footing, find_footing

DATABASE, OWNER, APP, ADMIN = "fairlead", "fairlead_owner", "fairlead_app", "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
ATTEMPTS = 5
_PAUSE_SECONDS = 0.03
_NOT_DURABLE = ("-c", "fsync=off", "-c", "full_page_writes=off")


class _Mark(NamedTuple):
    """What we read of postmaster.pid."""

    pid: int
    port: int
    ready: bool


class EmbeddedPostgres:
    """A cluster in `folder` (made if missing, 0700): roles fairlead_owner and fairlead_app, database fairlead.

    `port` None: the one it had, or a free one. `durable=False` trades safety against power loss for speed, for tests.
    `namespaces` None: user namespaces where this machine has them.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, durable: bool = True, namespaces: bool | None = None
    ) -> None:
        self.folder = folder.resolve()
        self._given_port = port
        self._durable = durable
        self._namespaces = namespaces
        self._footing: Footing | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster if there is none, and have it running and accepting connections; adopts one that still runs.

        Raises Unavailable (database_unavailable) with the end of its log when it does not come up.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            self._keep_passwords()
            self._make_cluster()
            if not self._adopt():
                self._launch()
            self._provide()

    def keep_port(self) -> None:
        """From now on start on this port or not at all: others have been given its URL."""
        self._given_port = self.port

    def stop(self) -> None:
        """Shut down fast: clients are cut off, what they had not committed is rolled back."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if not self._ends(within=STOP_SECONDS):
            os.kill(pid, signal.SIGQUIT)
            self._ends(within=STOP_SECONDS)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        if self._child is not None:
            self._child.poll()  # reap it, if it is one of the dead
        mark = self._mark()
        return mark.pid if mark is not None and self._is_ours(mark.pid) else None

    @property
    def port(self) -> int:
        """The loopback port it listens on, the same after a restart if it is free."""
        return int((self.folder / "port").read_text())

    @property
    def owner_url(self) -> str:
        """URL for migrations."""
        return self.url(OWNER)

    @property
    def app_url(self) -> str:
        """URL for everything else."""
        return self.url(APP)

    def url(self, role: str, database: str = DATABASE) -> str:
        """URL of a database as fairlead_owner, fairlead_app or postgres, the administrator."""
        return f"postgresql+psycopg://{role}:{self._passwords()[role]}@127.0.0.1:{self.port}/{database}"

    @property
    def _at(self) -> Footing:
        if self._footing is None:
            self._footing = find_footing(self.folder, namespaces=self._namespaces)
        return self._footing

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keep_passwords(self) -> None:
        path = self.folder / "passwords.json"
        if not path.exists():
            passwords = {role: secrets.token_urlsafe(24) for role in (ADMIN, OWNER, APP)}
            write_private(path, json.dumps(passwords))

    def _passwords(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "passwords.json").read_text())
        return found

    def _make_cluster(self) -> None:
        """Made beside and moved into place, so that a crash in the middle leaves nothing half-done."""
        data = self._at.data
        if data.exists():
            return
        word, half = data.with_name("password"), data.with_name(f"data.{secrets.token_hex(4)}")
        write_private(word, self._passwords()[ADMIN])
        self._at.give(word)
        arguments = [f"--pgdata={half}", f"--username={ADMIN}", "--auth=scram-sha-256", f"--pwfile={word}"]
        arguments += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            self._run("initdb", *arguments, *([] if self._durable else ["--no-sync"]))
        finally:
            word.unlink()
        half.rename(data)

    def _adopt(self) -> bool:
        """Take over a server that a killed starter left behind, unless another port is asked for."""
        mark = self._mark()
        if mark is None:
            return False
        if not self._is_ours(mark.pid):
            self._forget_recycled(mark.pid)
            return False
        if self._given_port not in (None, mark.port):
            self.stop()
            return False
        self._remember(mark.port)
        return self._answers(time.monotonic() + START_SECONDS)

    def _launch(self) -> None:
        """Try ports until one is free; the same one again, as what a killed server left behind may take a moment to go."""
        deadline = time.monotonic() + START_SECONDS
        for attempt in range(ATTEMPTS):
            time.sleep(attempt * _PAUSE_SECONDS)
            self._remember(self._next_port(attempt))
            self._spawn()
            if self._answers(deadline):
                return
        self.stop()
        raise Unavailable(Code.DATABASE_UNAVAILABLE, f"PostgreSQL did not start: {self._end_of_log()}")

    def _next_port(self, attempt: int) -> int:
        if self._given_port is not None:
            return self._given_port
        if attempt < 2 and (self.folder / "port").exists():
            return self.port
        return free_port()

    def _remember(self, port: int) -> None:
        """Only what is new is written: a server must start again on a disk that has become full."""
        path = self.folder / "port"
        if not path.exists() or path.read_text() != str(port):
            write_private(path, str(port))

    def _spawn(self) -> None:
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        arguments = ["-D", str(self._at.data), "-p", str(self.port)]
        arguments += [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "postgres.log").open("ab") as log:
            self._child = subprocess.Popen(
                self._at.command("postgres", *arguments, *(() if self._durable else _NOT_DURABLE)),
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._at.options,
            )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._at.command(program, *arguments), capture_output=True, check=False, **self._at.options
        )
        if done.returncode != 0:
            why = done.stderr.decode(errors="replace").strip()
            raise Unavailable(Code.DATABASE_UNAVAILABLE, f"{program} failed: {why[-500:]}")

    def _answers(self, deadline: float) -> bool:
        """Whether it lets us in before it ends or the time is over."""
        while time.monotonic() < deadline:
            if self.pid is None and (self._child is None or self._child.poll() is not None):
                return False
            mark = self._mark()
            if mark is not None and mark.ready:
                with suppress(psycopg.OperationalError), self._connect(ADMIN, "postgres"):
                    return True
            time.sleep(_PAUSE_SECONDS)
        return False

    def _ends(self, *, within: float) -> bool:
        deadline = time.monotonic() + within
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
        return self.pid is None

    def _provide(self) -> None:
        """The two roles and the database; as often as one likes."""
        with self._connect(ADMIN, "postgres") as admin:
            for role in (OWNER, APP):
                name = sql.Identifier(role)
                if not _is_there(admin, "SELECT FROM pg_roles WHERE rolname = %s", role):
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
                password = sql.Literal(self._passwords()[role])
                admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, password))
            if not _is_there(admin, "SELECT FROM pg_database WHERE datname = %s", DATABASE):
                names = (sql.Identifier(DATABASE), sql.Identifier(OWNER))
                admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))

    def _connect(self, role: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=role,
            password=self._passwords()[role],
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _mark(self) -> _Mark | None:
        """What the server that runs, or ran, on our data says of itself."""
        try:
            lines = (self._at.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if len(lines) < 4:
            return None
        return _Mark(int(lines[0]), int(lines[3]), len(lines) > 7 and lines[7].strip() == "ready")

    def _is_ours(self, pid: int) -> bool:
        """Whether this process is the postmaster of our data, and not one that was given a dead one's number."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(self._at.data) in words

    def _forget_recycled(self, pid: int) -> None:
        """Postgres takes any living process with the number in its file for itself, and would not start."""
        with suppress(FileNotFoundError):
            if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
                (self._at.data / "postmaster.pid").unlink()

    def _end_of_log(self) -> str:
        lines = (self.folder / "postgres.log").read_text(errors="replace").splitlines()
        return " | ".join(lines[-5:])


def _is_there(connection: psycopg.Connection[tuple[object, ...]], query: LiteralString, name: str) -> bool:
    return connection.execute(query, [name]).fetchone() is not None
