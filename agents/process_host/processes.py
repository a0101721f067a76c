"""Processes by pid and start time, read from /proc. A pid alone is never trusted: it may be somebody else's by now."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, once: start time in clock ticks since that boot."""

    pid: int
    started: int
    boot: str

    def __str__(self) -> str:
        return f"{self.pid}@{self.started}"


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    state: str
    parent: int
    session: int
    started: int


def identify(pid: int) -> Identity | None:
    """Who has this pid now; None where nobody runs under it (a zombie does not run)."""
    stat = _stat(pid)
    return Identity(pid, stat.started, _boot()) if stat and stat.state not in "ZX" else None


def me() -> Identity:
    """This process."""
    found = identify(os.getpid())
    assert found is not None  # noqa: S101 - we do run
    return found


def is_alive(process: Identity | None) -> bool:
    """Whether just this process still runs."""
    return process is not None and identify(process.pid) == process


def family(leaders: Iterable[int]) -> set[int]:
    """The processes of these leaders: their sessions and all descendants."""
    found = set(leaders)
    stats = list(_stats())
    before = -1
    while len(found) != before:
        before = len(found)
        found |= {s.pid for s in stats if s.parent in found or s.session in found}
    return found


def signal_group(leader: Identity, number: signal.Signals) -> None:
    """Send a signal to the process group of a leader, if it still is that leader."""
    if is_alive(leader):
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, number)


def kill_remains(leader: Identity, environment: Mapping[str, str]) -> None:
    """Kill what a dead leader left behind in its session.

    The session's number may be another's by now, so only who was born later, in this boot, with just this environment, counts as left behind.
    """
    for stat in _stats() if leader.boot == _boot() else ():
        left = stat.session == leader.pid != stat.pid and stat.started >= leader.started
        if left and environment.items() <= _environment(stat.pid).items():
            with suppress(ProcessLookupError):
                os.kill(stat.pid, signal.SIGKILL)


def _environment(pid: int) -> dict[str, str]:
    try:
        entries = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in entries)
    return {name: value for name, _, value in pairs}


def _stats() -> Iterator[_Stat]:
    for entry in os.listdir(PROC):
        if entry.isdigit() and (stat := _stat(int(entry))):
            yield stat


def _stat(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # others' may be hidden from us
        return None
    fields = text.rpartition(")")[2].split()
    return _Stat(pid, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


@cache
def _boot() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()
