"""A model of a Windows machine: a drive, services that are played, and who listens where. Times are milliseconds since the epoch."""

import socket
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PureWindowsPath

from tests.doubles.nomad_double.played import Task, by_environment

STRANGER = 999_999
"""The process of whoever listens on this machine and is no service of the model."""
ABORTED = 1067


def now() -> int:
    return int(time.time() * 1000)


@dataclass(eq=False)
class Service:
    """One service. `environment` is the value of that name under its registry key."""

    name: str
    path: str
    account: str
    start_mode: str = "Manual"
    recovers: bool = False
    environment: list[str] = field(default_factory=list)
    pid: int = 0
    started: int | None = None
    exit: int = 0
    exits: int = 0
    task: Task | None = None

    @property
    def variables(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.environment)

    @property
    def ports(self) -> tuple[int, ...]:
        return (int(self.variables["PORT"]),) if "PORT" in self.variables else ()


class Windows:
    """One machine. `started` and `created` count by the target's folder. `runners`, `begun`: of each hook, by its folder, and what it runs."""

    def __init__(self, drive: Path) -> None:
        self.drive = drive
        self.services: dict[str, Service] = {}
        self.created: Counter[str] = Counter()
        self.started: Counter[str] = Counter()
        self.powershell = "5.1.17763.6292"
        self.free: int | None = None
        self.runners: dict[Path, threading.Thread] = {}
        self.begun: dict[Path, subprocess.Popen[bytes]] = {}
        self._pids = count(4000, 4)
        self._guard = threading.RLock()
        self._targets: dict[str, threading.RLock] = {}

    def path(self, text: str) -> Path:
        """Where a path of drive C lies."""
        return self.drive.joinpath(*PureWindowsPath(text).parts[1:])

    def lock(self, target: str) -> threading.RLock:
        """The file `lock` in a target's folder."""
        with self._guard:
            return self._targets.setdefault(target, threading.RLock())

    def create(self, target: str, service: Service) -> None:
        with self._guard:
            self.services[service.name] = service
            self.created[target] += 1

    def start(self, target: str, service: Service) -> None:
        """As the service manager: its program is begun, and may end at once."""
        with self._guard:
            variables = service.variables
            if not self.path(service.path.split('"')[1]).is_file():
                return
            service.task = Task(by_environment({}, variables), service.ports)
            service.pid, service.started, service.exit = next(self._pids), now(), 0
            self.started[target] += 1
            try:
                service.task.start()
            except OSError:
                self._ended(service, 1)
            self.live(service)

    def stop(self, service: Service) -> None:
        with self._guard:
            if service.task and service.pid:
                service.task.stop()
            service.pid, service.started = 0, None

    def delete(self, service: Service) -> None:
        with self._guard:
            self.stop(service)
            self.services.pop(service.name, None)

    def live(self, service: Service) -> None:
        """What has gone on in it since somebody last looked."""
        with self._guard:
            task = service.task
            if task is None:
                return
            if service.pid:
                try:
                    code = task.live()
                except OSError:
                    code = 1
                self._write_log(service, task)
                if code is not None:
                    self._ended(service, code)

    def listeners(self, port: int) -> set[int]:
        """The processes that listen on a port."""
        ours = {s.pid for s in self.services.values() if s.pid and port in s.ports and s.task and s.task._servers}
        if ours:
            return ours
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                return {STRANGER}
        return set()

    def _ended(self, service: Service, code: int) -> None:
        self.stop(service)
        service.exit, service.exits = code or ABORTED, service.exits + 1

    def _write_log(self, service: Service, task: Task) -> None:
        folder = self.path(service.variables["FAIRLEAD_LOGS"])
        if folder.is_dir():
            (folder / "app.log").write_text(task.stdout + task.stderr)
