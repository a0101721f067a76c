"""Keeps one run alive: starts it, and again with backoff whenever it ends, until told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from agents.process_host.confidences import Confidences
from agents.process_host.processes import is_alive, kill_remains, signal_group
from agents.process_host.records import Run
from agents.process_host.spawn import spawn

BACKOFF: Final = 0.25
MAX_BACKOFF: Final = 30.0
STEADY: Final = 30.0
"""Who lived so long has started well: the next end counts as the first."""
POLL: Final = 0.2

Note = Callable[[str, Run], None]
"""Writes the state and a journal line, durably, before what it tells of goes on. Raises OSError."""


class Children:
    """Waits for our children, and for the orphans that we are given as a subreaper."""

    def __init__(self) -> None:
        self._ends: dict[int, asyncio.Future[str]] = {}

    def expect(self, pid: int) -> asyncio.Future[str]:
        """A future of how this child ends. Call it before control goes back to the event loop."""
        return self._ends.setdefault(pid, asyncio.get_running_loop().create_future())

    def reap(self) -> None:
        """Collect all that have ended. Called on SIGCHLD."""
        with suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                end = self._ends.pop(found.si_pid, None)
                if end is not None:
                    # As long as it is not collected nobody else can have its pid, so the group is still its own.
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(found.si_pid, signal.SIGKILL)
                os.waitpid(found.si_pid, 0)
                if end is not None:
                    end.set_result(_how(found))


class Keeper:
    """One run. `run` is shared with the state that `note` writes."""

    def __init__(self, run: Run, log: Path, children: Children, confidences: Confidences, note: Note) -> None:
        self.run = run
        self._log, self._children, self._confidences, self._note = log, children, confidences, note
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it for the first time. Raises OSError if that is impossible."""
        self._task = asyncio.create_task(self._keep(self._spawn()))

    def resume(self) -> None:
        """Take up what an earlier supervisor, since killed, has started; where it no longer runs, start it again."""
        self._mention("resumed")
        self._task = asyncio.create_task(self._keep(asyncio.ensure_future(_gone(self.run))))

    async def stop(self) -> None:
        """TERM to its process group, KILL after the grace, and wait until it is gone."""
        self._stopping.set()
        if self._task is None:
            return
        if self.run.process:
            signal_group(self.run.process, signal.SIGTERM)
        done, _ = await asyncio.wait({self._task}, timeout=self.run.spec.stop_grace)
        if not done and self.run.process:
            signal_group(self.run.process, signal.SIGKILL)
        await self._task
        self._mention("stopped")

    async def _keep(self, end: asyncio.Future[str]) -> None:
        quick = 0
        while True:
            how = await end
            quick = quick + 1 if time.time() - self.run.since < STEADY else 1
            self._ended(how)
            if await self._pause(min(BACKOFF * 2 ** (quick - 1), MAX_BACKOFF)):
                return
            end = self._spawn_again()

    async def _pause(self, seconds: float) -> bool:
        """Whether we were told to stop meanwhile."""
        told = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({told}, timeout=seconds)
        told.cancel()
        return self._stopping.is_set()

    def _spawn(self) -> asyncio.Future[str]:
        waiting = spawn(self.run.spec, self._log, self._confidences.of(self.run.spec))
        end = self._children.expect(waiting.process.pid)
        self.run.process, self.run.since = waiting.process, time.time()
        self._note("started", self.run)
        waiting.go()
        return end

    def _spawn_again(self) -> asyncio.Future[str]:
        try:
            return self._spawn()
        except OSError as error:
            failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            failed.set_result(str(error))
            return failed

    def _ended(self, how: str) -> None:
        if not self._stopping.is_set():
            self.run.exits += 1
        self.run.process, self.run.last_exit = None, how
        self._mention("ended")

    def _mention(self, what: str) -> None:
        """What has happened has happened, though it cannot be written down on a disk that is full; the next write makes up for it."""
        with suppress(OSError):
            self._note(what, self.run)


async def _gone(run: Run) -> str:
    """The end of what is no child of ours: we can only look now and then."""
    process = run.process
    while is_alive(process):
        await asyncio.sleep(POLL)
    if process:
        kill_remains(process, run.spec.env)
    return "ended, nobody saw how"


def _how(found: os.waitid_result) -> str:
    if found.si_code == os.CLD_EXITED:
        return f"exit code {found.si_status}"
    try:
        return f"signal {signal.Signals(found.si_status).name}"
    except ValueError:  # those for real-time use have no names
        return f"signal {found.si_status}"
