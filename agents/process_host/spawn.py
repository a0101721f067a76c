"""Starts one application so that no moment leaves it running unknown: it waits, ready, until its start has been written down.

If the supervisor is killed in between, the waiting child reads the end of its gate and exits.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agents.process_host.processes import Identity, identify
from agents.process_host.records import RunSpec
from agents.process_host.way import open_way

EXEC_FAILED = 127
_READY = b"."


@dataclass(slots=True)
class Waiting:
    """A child that is ready to become the application."""

    process: Identity
    _gate: socket.socket

    def go(self) -> None:
        """Let it. A child that died meanwhile is found out by its exit."""
        with self._gate, suppress(BrokenPipeError):
            self._gate.sendall(_READY)


def spawn(spec: RunSpec, log: Path, secrets: Mapping[str, str]) -> Waiting:
    """Fork a child in a session, folder and user of its own; its secrets join its environment here, and stand nowhere else.

    Raises OSError (with the child's reason) where it cannot be.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()  # or the child would hold its own gate open
        _become(spec, log, theirs, {**spec.env, **secrets})
    theirs.close()
    said = ours.recv(4096)
    process = identify(pid)
    if said == _READY and process:
        return Waiting(process, ours)
    ours.close()
    os.waitpid(pid, 0)
    raise OSError(said.decode(errors="replace") or "the child died before it was started")


def _become(spec: RunSpec, log: Path, gate: socket.socket, environment: Mapping[str, str]) -> None:
    """In the child: prepare, wait, exec; never return."""
    try:
        _forget_signals()
        _set_up(spec, log)
        gate.sendall(_READY)
        if gate.recv(1) == _READY:
            _exec(spec, environment)
    except BaseException as error:
        with suppress(OSError):
            gate.sendall(str(error).encode())
    finally:
        os._exit(EXEC_FAILED)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _set_up(spec: RunSpec, log: Path) -> None:
    os.setsid()
    os.umask(0o022)
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    for source, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    if spec.closed:
        open_way(spec.closed, (spec.cwd, spec.home))
    os.chdir(spec.cwd)
    if spec.uid is not None:
        gid = spec.uid if spec.gid is None else spec.gid
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(spec.uid, spec.uid, spec.uid)


def _exec(spec: RunSpec, environment: Mapping[str, str]) -> None:
    try:
        os.execve(spec.argv[0], list(spec.argv), dict(environment))  # noqa: S606 - argument vectors only
    except OSError as error:
        os.write(2, f"cannot execute {spec.argv[0]}: {error.strerror}\n".encode())
