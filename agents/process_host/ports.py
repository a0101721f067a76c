"""Who listens on this host's TCP ports, by /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from agents.process_host.processes import PROC, family

LISTENING: Final = "0A"


def foreign_listeners(port: int, leaders: Iterable[int]) -> set[int | None]:
    """Processes that listen on a port and do not belong to these leaders; None stands for one that we may not see."""
    sockets = _sockets(port)
    return _owners(sockets) - family(leaders) if sockets else set()


def is_served_by(port: int, leader: int) -> bool:
    """Whether this leader or one of its family listens on the port."""
    sockets = _sockets(port)
    return any(sockets & set(_open_sockets(pid)) for pid in family([leader])) if sockets else False


def _sockets(port: int) -> set[str]:
    """The inodes of all listening sockets of a port, on whatever address."""
    return {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in _rows(table)
        if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }


def _rows(table: str) -> list[list[str]]:
    with suppress(FileNotFoundError):  # a kernel without IPv6
        return [line.split() for line in (PROC / "net" / table).read_text().splitlines()[1:]]
    return []


def _owners(sockets: set[str]) -> set[int | None]:
    found: set[int | None] = set()
    left = set(sockets)
    for entry in os.listdir(PROC):
        if entry.isdigit() and (held := sockets & set(_open_sockets(int(entry)))):
            found.add(int(entry))
            left -= held
    return found | ({None} if left else set())


def _open_sockets(pid: int) -> Iterator[str]:
    folder = PROC / str(pid) / "fd"
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for entry in os.listdir(folder):
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                name = os.readlink(folder / entry)
                if name.startswith("socket:["):
                    yield name[8:-1]
