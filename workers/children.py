"""Child processes of one foreground process: started, started again with backoff when they die, stopped in order."""

import contextlib
import signal
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
