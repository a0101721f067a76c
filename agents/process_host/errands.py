"""What is run once: started by the supervisor, which outlives the worker, and written down before and after.

One file for each, by the number of the deployment, says which process it is and how it ended; nothing that has a file is begun again.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from agents.process_host.folder import TargetFolder
from agents.process_host.keeper import Children
from agents.process_host.processes import Identity, is_alive, signal_group
from agents.process_host.records import RunSpec, write_json
from agents.process_host.spawn import spawn
from fairlead.domain.fence import Claim

WELL: Final = "exit code 0"
_GRACE: Final = 5.0
_POLL: Final = 0.2

Record = dict[str, Any]
"""Which process it is, since when, how long it may run, and how it ended."""


class Errands:
    """All of one target. Used by the supervisor only."""

    def __init__(self, folder: TargetFolder, children: Children) -> None:
        self._folder, self._children = folder, children
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, claim: Claim, id: str, spec: RunSpec, secrets: Mapping[str, str], timeout: float) -> None:
        """Start it, unless it has been under this number. Raises OSError where it cannot be."""
        path = file_of(self._folder, claim, id)
        path.parent.mkdir(exist_ok=True)
        if path.exists():
            return
        waiting = spawn(spec, path.with_suffix(".log"), secrets)
        end = self._children.expect(waiting.process.pid)
        record = {"process": asdict(waiting.process), "end": None, "since": time.time(), "timeout": timeout}
        write_json(path, record)
        waiting.go()
        self._watch(path, record, end)

    def resume(self) -> None:
        """Look after what an earlier supervisor, since killed, has started: nobody will know how it ends."""
        for path, record in self._unended():
            self._watch(path, record, asyncio.ensure_future(_gone(_process(record))))

    def forget_lower(self, claim: Claim) -> None:
        """End and remove what belongs to earlier deployments."""
        for path, record in self._unended():
            if number_of(path) < claim.number:
                signal_group(_process(record), signal.SIGKILL)
        for path in self._folder.errands.glob("*"):
            if number_of(path) < claim.number:
                path.unlink(missing_ok=True)

    def end_all(self) -> None:
        """They end with their supervisor."""
        for _, record in self._unended():
            signal_group(_process(record), signal.SIGKILL)

    def _unended(self) -> Iterator[tuple[Path, Record]]:
        for path in self._folder.errands.glob("*.json"):
            said = read(path)
            if said and said["end"] is None:
                yield path, said

    def _watch(self, path: Path, record: Record, end: asyncio.Future[str]) -> None:
        task = asyncio.create_task(_see_off(path, record, end))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _see_off(path: Path, record: Record, end: asyncio.Future[str]) -> None:
    done, _ = await asyncio.wait({end}, timeout=_left(record))
    late = "" if done else f"did not end within {record['timeout']:g} s, "
    for number in () if done else (signal.SIGTERM, signal.SIGKILL):
        signal_group(_process(record), number)
        await asyncio.wait({end}, timeout=_GRACE)
    how = late + await end
    if path.exists():  # else nobody wants to know any more
        with suppress(OSError):
            write_json(path, {**record, "end": how})


def _left(record: Record) -> float | None:
    """How long it may still run; an older supervisor has not written that down."""
    return max(0.0, record["since"] + record["timeout"] - time.time()) if "timeout" in record else None


def _process(record: Record) -> Identity:
    return Identity(**record["process"])


async def _gone(process: Identity) -> str:
    while is_alive(process):
        await asyncio.sleep(_POLL)
    return "ended, nobody saw how"


def file_of(folder: TargetFolder, claim: Claim, id: str) -> Path:
    """Where it is told how an errand goes."""
    return folder.errands / f"{claim.number}.{id}.json"


def number_of(path: Path) -> int:
    """The deployment's number."""
    return int(path.name.lstrip(".").partition(".")[0])


def read(path: Path) -> Record | None:
    """What was written down; None where it has not been begun."""
    try:
        said: Record = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return said


def how_ended(path: Path) -> str | None:
    """How it ended; None where it has not yet."""
    said = read(path)
    return said["end"] if said else None
