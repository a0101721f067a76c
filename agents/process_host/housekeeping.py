"""Logs and journal of one target: append only, and bounded."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from agents.cutting import READ, whole_lines
from agents.process_host.folder import TargetFolder
from agents.process_host.records import Run

MAX_LOG: Final = 10 * 1024 * 1024
EVERY: Final = 30.0
TAIL_LINES: Final = 20


def write_line(journal: Path, what: str, run: Run) -> None:
    """One line for one thing that happened to a run; all of it or nothing, also on a disk that is full."""
    line = {
        "time": time.time(),
        "event": what,
        "run": run.number,
        "component": run.spec.component,
        "process": str(run.process) if run.process else None,
        "exit": run.last_exit,
        **{name: run.spec.labels.get(name) for name in ("release", "digest", "config", "fence")},
    }
    with open(journal, "ab", buffering=0) as file:
        size, text = file.tell(), json.dumps(line).encode() + b"\n"
        try:
            if file.write(text) != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(size)
            raise


def tail(log: Path, start: int, lines: int = TAIL_LINES, most: int = READ) -> str:
    """The last whole lines of a run's output, at most so many lines and bytes."""
    if not log.exists():
        return ""
    with open(log, "rb") as file:
        size = file.seek(0, 2)
        begin = start if start <= size else 0
        file.seek(max(begin, size - most))
        text = file.read(most).decode(errors="replace")
        return "\n".join((whole_lines(text) if size - most > begin else text).splitlines()[-lines:])


async def sweep(folder: TargetFolder) -> None:
    """Now and then, cut what has grown too large."""
    while True:
        await asyncio.sleep(EVERY)
        for log in [folder.journal, *folder.components.glob("*/log"), *folder.errands.glob("*.log")]:
            with suppress(OSError):
                cut(log)


def cut(log: Path) -> None:
    """Keep one older file. The file is emptied in place: whoever writes to it has it open for appending."""
    if log.exists() and log.stat().st_size > MAX_LOG:
        older = log.with_name(log.name + ".1")
        try:
            shutil.copyfile(log, older)
        except OSError:  # no room: rather no older one than a log that grows
            older.unlink(missing_ok=True)
        with open(log, "r+b") as file:
            file.truncate(0)
