"""The whole system as `fairlead dev` starts it: Postgres, Temporal, worker and API, on free ports in a folder of its own."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import httpx
from temporalio.client import Client

from workers.demo.targets import end_processes
from workers.plugin import build_plugin

T = TypeVar("T")
SECONDS = 300.0
"""Far more than anything here takes; a crowded machine may need it."""
RECONCILE_EVERY = "10"
"""Seconds: a sweep costs some twenty events, also of who has nothing to do with it."""
APPLICATION_PORTS = range(20_100, 32_000)
"""Below those that the kernel gives to whoever connects somewhere: a port that is free stays free."""


def until(look: Callable[[], T | None], what: str, seconds: float = SECONDS) -> T:
    """Look again until there is something to see; a server that is just being started again is looked for again, too."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    body: Any
    headers: httpx.Headers

    @property
    def code(self) -> str | None:
        """The stable code of a problem document."""
        return self.body.get("code") if isinstance(self.body, dict) and self.status >= 400 else None

    @property
    def says(self) -> tuple[int, str | None]:
        return self.status, self.code


class Caller:
    """Whoever holds a bearer key."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=70, trust_env=False)

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, **query: Any) -> Answer:
        """One request. `body`: bytes as they are, anything else as JSON; `key`: the Idempotency-Key."""
        headers = {"idempotency-key": key} if key else {}
        sent: dict[str, Any] = {} if body is None else {"content" if isinstance(body, bytes) else "json": body}
        answer = self.http.request(method, path, headers=headers, params=query, **sent)
        return Answer(answer.status_code, answer.json() if answer.content else None, answer.headers)

    def get(self, path: str, **query: Any) -> Any:
        """The body of an answer that is good."""
        return self._good(self.ask("GET", path, **query))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """The body of an answer that is good."""
        return self._good(self.ask("POST", path, body, **more))

    def _good(self, answer: Answer) -> Any:
        assert answer.status < 300, answer.body
        return answer.body


class WholeSystem:
    """A child process in a session of its own, and what a test may do to its processes. `prefix` goes before its command."""

    def __init__(self, prefix: Sequence[str] = (), settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self.prefix, self.settings = list(prefix), dict(settings)
        self.folder = Path(tempfile.mkdtemp(prefix="fl-system-"))
        self.folder.chmod(0o755)  # applications of process hosts run as another user
        self.data, self.log, self.fail_points = (self.folder / name for name in ("data", "log", "fail-points"))
        self.fail_points.mkdir()
        self.hosts, self.layouts = self.data / "hosts", self.data / "layouts"
        self._ports = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it is ready."""
        bound = (
            ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        )  # it ends when we do, however we do
        command = [*bound, *self.prefix, sys.executable, "-m", "fairlead.cli.main", "dev", "--data", str(self.data)]
        command += ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
        settings = {
            "FAIRLEAD_RECONCILE_EVERY": RECONCILE_EVERY,
            "FAIRLEAD_FAIL_POINTS": str(self.fail_points),
            **self.settings,
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=ours | settings, stdout=log, stderr=log, start_new_session=True
            )
        until(self._is_ready, "the system to be ready", 90)

    def stop(self) -> None:
        """Stop it, end what it left running on its targets on purpose, and remove its folder."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)
        end_processes(self.hosts)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def main_pid(self) -> int:
        """The process id of `fairlead dev` itself."""
        assert self._process
        return self._process.pid

    @property
    def processes(self) -> dict[str, Any]:
        """Pids and addresses, by its own word."""
        try:
            known: dict[str, Any] = json.loads((self.data / "processes.json").read_text())
        except FileNotFoundError:
            return {}
        return known

    def caller(self, key: str) -> Caller:
        return Caller(self.processes["api"]["url"], key)

    @property
    def admin(self) -> Caller:
        """The holder of the first key, which may do everything."""
        return self.caller((self.data / "admin.key").read_text().strip())

    async def temporal(self) -> Client:
        """A client like that of production, for hands."""
        return await Client.connect(self.processes["temporal"]["address"], plugins=[build_plugin()])

    def pid(self, name: str) -> int:
        return int(self.processes[name]["pid"])

    def kill(self, name: str) -> int:
        """SIGKILL the process group of `worker`, `api`, `temporal` or `postgres`; returns its pid. `fairlead dev` starts another."""
        pid = self.pid(name)
        os.killpg(os.getpgid(pid), signal.SIGKILL)
        return pid

    def await_another(self, name: str, killed: int) -> None:
        """Return when another process has taken the place of the killed one, and the API answers."""
        until(lambda: self.processes[name]["pid"] != killed and self._answers(), f"another {name}")

    def arm(self, fail_point: str) -> Path:
        """The worker that reaches this fail point next kills itself; the file is gone once it has."""
        armed = self.fail_points / fail_point
        armed.touch()
        return armed

    def free_port(self) -> int:
        """A loopback port for an application; no two calls give the same."""
        return next(self._ports)

    def _is_ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-4000:]
        return bool(self.processes) and self._answers()

    def _answers(self) -> bool:
        url = f"{self.processes['api']['url']}/readyz"
        return httpx.get(url, timeout=5, trust_env=False).is_success


def _our_share(ports: range) -> range:
    """Of several processes of one run each has its own: what is free now another's application may take before ours does."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = len(ports) // count
    return ports[number * size : (number + 1) * size]


def _free_ports() -> Iterator[int]:
    ours = _our_share(APPLICATION_PORTS)
    first = os.getpid() % len(ours)  # other runs on this machine begin elsewhere
    for place in itertools.count(first):
        port = ours[place % len(ours)]
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                yield port
