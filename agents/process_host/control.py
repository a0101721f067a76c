"""The worker's end of the control socket: one JSON line each way for each order. Starts the supervisor where none answers."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from agents.process_host.folder import TargetFolder
from agents.process_host.health import Finding, glance
from agents.process_host.housekeeping import tail
from agents.process_host.lookup import DEFAULT_PATH
from agents.process_host.records import Run, RunSpec, State
from agents.process_host.socket_path import reachable
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost

if TYPE_CHECKING:
    from fairlead.ports import Beat

SUPERVISOR: Final = "agents.process_host.supervisor"
PATIENCE: Final = 15.0
BEAT_EVERY: Final = 0.5
CRASH_LOOP: Final = 3

Launch = Callable[[TargetFolder], bool]
"""Starts a supervisor; whether it came up."""


def launch_detached(folder: TargetFolder) -> bool:
    """Start it in a session of its own, with nothing of ours: no environment, no open file, no working directory."""
    return run_detached(folder, [sys.executable, "-P", "-B", "-m", SUPERVISOR, str(folder.path)])


def run_detached(folder: TargetFolder, command: list[str]) -> bool:
    """Run a command that detaches itself and leaves when that is done."""
    with open(folder.supervisor_log, "ab") as log:
        launched = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env={"PATH": DEFAULT_PATH},
            start_new_session=True, check=False,
        )  # fmt: skip
    return launched.returncode == 0


class Control:
    """place.Orders to one target's supervisor."""

    def __init__(self, folder: TargetFolder, beat: Beat, launch: Launch = launch_detached) -> None:
        self._folder, self._beat, self._launch = folder, beat, launch

    def status(self) -> State:
        """What the supervisor keeps. Raises Unavailable (target_unreachable) where none answers."""
        return self._order("status")

    def claims(self) -> list[Claim]:
        """All claims that lie on the target."""
        return self._folder.list_claims()

    def glance(self, run: Run) -> Finding:
        """How it is now."""
        return glance(run)

    def gave_up(self, run: Run) -> bool:
        """Whether it ends again and again."""
        return run.exits >= CRASH_LOOP

    def last_words(self, run: Run) -> str:
        """The end of what it printed."""
        return tail(self._folder.log(run.spec.component), run.log_from)

    def start(self, claim: Claim, spec: RunSpec, secrets: Mapping[str, str] | None = None) -> State:
        """Start a component that is stopped. Raises Refused (start_failed)."""
        return self._order("start", claim, spec=asdict(spec), secrets=dict(secrets or {}))

    def stop(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Stop just this run."""
        return self._order("stop", claim, component=component, run=run, patience=grace)

    def restore(self, claim: Claim, component: str, grace: float) -> State:
        """Stop what runs and start what was last confirmed."""
        return self._order("restore", claim, component=component, patience=grace)

    def adopt(self, claim: Claim, component: str, run: int) -> State:
        """Answer for a run from now on."""
        return self._order("adopt", claim, component=component, run=run)

    def confirm(self, claim: Claim, component: str, run: int) -> State:
        """It is healthy: make it current."""
        return self._order("confirm", claim, component=component, run=run)

    def remove(self, claim: Claim, component: str, grace: float) -> State:
        """Stop a component and forget it."""
        return self._order("remove", claim, component=component, patience=grace)

    def undo(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Take back what this claim started, though a higher one lies on the target."""
        return self._order("undo", claim, component=component, run=run, patience=grace)

    def errand(self, claim: Claim, id: str, spec: RunSpec, timeout: float, secrets: Mapping[str, str]) -> State:
        """Begin what is run once, unless it has been. Raises Refused (start_failed)."""
        return self._order("errand", claim, id=id, spec=asdict(spec), timeout=timeout, secrets=dict(secrets))

    def forget_errands(self, claim: Claim) -> State:
        """End and forget those of earlier deployments."""
        return self._order("forget_errands", claim)

    def shut_down(self, claim: Claim, grace: float) -> None:
        """Remove everything, end the supervisor, and wait until it has left."""
        self._order("shutdown", claim, patience=grace)
        until = time.monotonic() + PATIENCE
        while self._folder.pidfile.exists() and time.monotonic() < until:
            time.sleep(0.02)

    def ensure(self) -> None:
        """Start the supervisor where none answers; it takes up what should run. Raises Unavailable (target_unreachable)."""
        until = time.monotonic() + PATIENCE
        while not self.answers():
            if time.monotonic() > until:
                raise self._unreachable("does not come up; see supervisor.log")
            self._beat()
            if not self._launch(self._folder):
                time.sleep(0.1)  # another one is just coming up, or just leaving

    def answers(self) -> bool:
        absent = suppress(FileNotFoundError, ConnectionRefusedError)
        with absent, reachable(self._folder.socket) as path, socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            return True
        return False

    def _order(self, order: str, claim: Claim | None = None, *, patience: float = 0.0, **more: Any) -> State:
        message = {"order": order, "claim": str(claim) if claim else None, **more}
        try:
            answer = json.loads(self._exchange(json.dumps(message).encode() + b"\n", PATIENCE + patience))
        except (OSError, ValueError) as error:
            raise self._unreachable(f"does not answer: {error}") from error
        if "code" in answer:
            raise _error(answer)
        return State.from_json(answer["state"])

    def _exchange(self, message: bytes, patience: float) -> bytes:
        until, received = time.monotonic() + patience, bytearray()
        with reachable(self._folder.socket) as path, socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(path)
            connection.sendall(message)
            while not received.endswith(b"\n"):
                self._beat()
                if select.select([connection], [], [], BEAT_EVERY)[0]:
                    piece = connection.recv(65536)
                    if not piece:
                        raise ConnectionError("it closed the connection")
                    received += piece
                if time.monotonic() > until:
                    raise TimeoutError("it took too long")
        return bytes(received)

    def _unreachable(self, what: str) -> Unavailable:
        return Unavailable(Code.TARGET_UNREACHABLE, f"the supervisor of {self._folder.path.name} {what}")


def _error(answer: dict[str, Any]) -> Refused | Unavailable:
    code, detail, fields = Code(answer["code"]), answer["detail"], answer.get("fields") or {}
    if code == Code.TARGET_FULL:
        return Unavailable(code, f"the supervisor cannot write: {detail}")
    if code == Code.INTERNAL_ERROR:  # what it did not expect may be gone at the next attempt
        return Unavailable(Code.TARGET_UNREACHABLE, f"the supervisor answered: {detail}")
    return (FenceLost if code == Code.FENCE_LOST else Refused)(code, detail, fields=fields)
