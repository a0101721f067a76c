"""Child processes of one foreground process: started, started again with backoff when they die, stopped in order."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY_SECONDS = 30.0
"""Who ran for so long has earned a fresh start."""


class Child:
    """One child, a session of its own, so that killing its group hits nothing else. Output goes to `log`, or to where ours goes."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], *, log: Path | None = None
    ) -> None:
        self.name = name
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._again_at = 0.0

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def identity(self) -> dict[str, Any]:
        """Process id and kernel start time: together they name one process for ever."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if self.pid is not None:
                return {"pid": self.pid, "started": psutil.Process(self.pid).create_time()}
        return {"pid": None}

    def start(self) -> None:
        """Start it now."""
        output = self._log.open("ab") if self._log else None
        with output or contextlib.nullcontext():
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
            )
        self._started = time.monotonic()

    def tend(self) -> bool:
        """Start it again if it has died and its pause is over; whether that was done."""
        if self._process is None or self._process.poll() is None:
            return False
        now = time.monotonic()
        if not self._again_at:
            steady = now - self._started > STEADY_SECONDS
            self._pause = FIRST_PAUSE if steady else self._pause
            self._again_at = now + self._pause
            return False
        if now < self._again_at:
            return False
        self._pause, self._again_at = min(2 * self._pause, LONGEST_PAUSE), 0.0
        self.start()
        return True

    def stop(self, within: float) -> None:
        """Ask it to end, and kill it if it does not in time."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def end_leftover(identity: Mapping[str, Any]) -> None:
    """End a child that an earlier, killed parent left behind: this very process, not another with its number."""
    pid, started = identity.get("pid"), identity.get("started")
    if pid is None or started is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if abs(process.create_time() - started) < 0.01:
            process.send_signal(signal.SIGTERM)
            _, alive = psutil.wait_procs([process], timeout=10)
            for survivor in alive:
                survivor.kill()


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until it holds or the time is over; whether it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def choose_port(wanted: int | None, preferred: int, held: list[socket.socket]) -> int:
    """The port asked for; without one the preferred, if it is free. 0 is any free one.

    For as long as what is added to `held` lives, the kernel gives the port to nobody else, while whoever names it may listen on it.
    """
    for port in [preferred, 0] if wanted is None else [wanted]:
        if (bound := _bind(port)) is not None:
            held.append(bound)
            return int(bound.getsockname()[1])
    return preferred if wanted is None else wanted


def _bind(port: int) -> socket.socket | None:
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        probe.close()
        return None
    return probe


def write_private(path: Path, text: str) -> None:
    """Replace a file's content at once, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
