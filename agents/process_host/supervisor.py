"""The supervisor of one target: a detached program that keeps the target's applications running and takes orders over a Unix socket.

Orders carry a claim and are refused when a higher one is known or lies in the claims folder, before and after they are carried out; so a
worker that was stopped in the middle and woken later changes nothing. It imports the standard library only.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from agents.process_host import housekeeping
from agents.process_host.confidences import Confidences
from agents.process_host.errands import Errands
from agents.process_host.folder import TargetFolder
from agents.process_host.keeper import Children, Keeper
from agents.process_host.processes import me
from agents.process_host.records import Run, RunSpec, Slot, is_full, run_spec, write_json
from agents.process_host.socket_path import bind
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused
from fairlead.domain.fence import Claim, require_highest

PR_SET_CHILD_SUBREAPER: Final = 36
MAX_ORDER: Final = 4 * 1024 * 1024

Order = dict[str, Any]


class Supervisor:
    """State, keepers, and the orders that change them."""

    def __init__(self, folder: TargetFolder) -> None:
        self._folder = folder
        self._state = folder.read_state()
        self._confidences = Confidences(folder)
        self._children = Children()
        self._keepers: dict[str, Keeper] = {}
        self._one_at_a_time = asyncio.Lock()
        self._errands = Errands(folder, self._children)
        self._over = asyncio.Event()
        self._highest: Claim | None = None
        self._orders: dict[str, Callable[[Order], Awaitable[None]]] = {
            "start": self._start, "restore": self._restore, "stop": self._stop, "adopt": self._adopt,
            "confirm": self._confirm, "remove": self._remove, "shutdown": self._shutdown,
            "errand": self._errand, "forget_errands": self._forget_errands,
        }  # fmt: skip

    async def serve(self, listener: Any, ready: Callable[[], None]) -> None:
        """Take up what should run, answer orders until shut down."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._children.reap)
        loop.add_signal_handler(signal.SIGTERM, self._over.set)
        for slot in self._state.slots.values():
            if slot.run:
                self._keeper(slot.run).resume()
        self._errands.resume()
        server = await asyncio.start_unix_server(self._answer, sock=listener, limit=MAX_ORDER)
        ready()
        sweeping = asyncio.create_task(housekeeping.sweep(self._folder))
        await self._over.wait()
        server.close()
        sweeping.cancel()
        self._errands.end_all()
        async with self._one_at_a_time:
            for keeper in reversed(list(self._keepers.values())):
                await keeper.stop()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            order = json.loads(await reader.readline())
            answer = await self._obey(order)
        except FairleadError as error:
            answer = {"code": error.code, "detail": error.detail, "fields": error.fields}
        except (OSError, ValueError, KeyError, TypeError) as error:
            full = isinstance(error, OSError) and is_full(error)
            answer = {
                "code": Code.TARGET_FULL if full else Code.INTERNAL_ERROR,
                "detail": f"{type(error).__name__}: {error}",
            }
        try:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            return  # the worker is gone; what it ordered is done all the same
        finally:
            writer.close()

    async def _obey(self, order: Order) -> Order:
        if order["order"] == "status":
            return self._status()
        if order["order"] == "undo":
            async with self._one_at_a_time:
                await self._undo(order)
            return self._status()
        claim = Claim.parse(order["claim"])
        async with self._one_at_a_time:
            self._require_highest(claim)
            self._save()  # what could not be written down is not begun
            await self._orders[order["order"]](order)
            self._save()
        self._require_highest(claim)
        return self._status()

    def _require_highest(self, claim: Claim) -> None:
        known = [self._highest] if self._highest else []
        require_highest(claim, [*known, *self._folder.list_claims()])
        self._highest = claim

    def _status(self) -> Order:
        return {"supervisor": str(me()), "state": self._state.to_json()}

    async def _start(self, order: Order) -> None:
        spec = run_spec(order["spec"])
        self._confidences.keep(spec, order.get("secrets") or {})
        self._begin(spec, order["claim"])

    async def _restore(self, order: Order) -> None:
        """Start again what was last confirmed, as it was."""
        kept = self._slot(order).kept
        await self._stop(order)
        if kept:
            self._begin(kept, order["claim"])
            self._confidences.forget_others(kept.component, [kept])

    async def _stop(self, order: Order) -> None:
        slot = self._slot(order)
        if slot.run and order.get("run") in (None, slot.run.number):
            await self._keepers.pop(order["component"]).stop()
            slot.run = None

    async def _undo(self, order: Order) -> None:
        """A claim that gave way takes back what it started, unless somebody else answers for it by now."""
        run = self._slot(order).run
        if run and run.number == order["run"] and run.holder == order["claim"]:
            await self._stop(order)
            self._save()

    async def _adopt(self, order: Order) -> None:
        run = self._slot(order).run
        if run is None or run.number != order["run"]:
            raise Refused(Code.INTERNAL_ERROR, f"{order['component']} has changed meanwhile")
        run.holder = order["claim"]

    async def _confirm(self, order: Order) -> None:
        """It is healthy: from now on this is what to go back to."""
        await self._adopt(order)
        slot = self._slot(order)
        assert slot.run is not None  # noqa: S101 - _adopt has looked
        slot.kept = slot.run.spec
        self._confidences.forget_others(order["component"], [slot.kept])
        current = self._folder.component(order["component"]) / "current"
        beside = current.with_name(".current")
        beside.unlink(missing_ok=True)
        beside.symlink_to(slot.run.spec.cwd)
        beside.replace(current)

    async def _remove(self, order: Order) -> None:
        await self._stop(order)
        self._state.slots.pop(order["component"], None)
        shutil.rmtree(self._folder.component(order["component"]), ignore_errors=True)

    async def _shutdown(self, order: Order) -> None:
        for name in reversed(list(self._state.slots)):
            await self._remove({**order, "component": name})
        self._errands.end_all()
        shutil.rmtree(self._folder.errands, ignore_errors=True)
        self._over.set()

    async def _errand(self, order: Order) -> None:
        spec, claim = run_spec(order["spec"]), Claim.parse(order["claim"])
        self._furnish(spec)
        try:
            self._errands.begin(claim, order["id"], spec, order["secrets"], order["timeout"])
        except OSError as error:
            if is_full(error):
                raise
            raise Refused(Code.START_FAILED, f"{order['id']} cannot be started: {error}") from error

    async def _forget_errands(self, order: Order) -> None:
        self._errands.forget_lower(Claim.parse(order["claim"]))

    def _slot(self, order: Order) -> Slot:
        return self._state.slots.get(order["component"]) or Slot()

    def _begin(self, spec: RunSpec, claim: str) -> None:
        slot = self._state.slots.setdefault(spec.component, Slot())
        if slot.run:
            raise Refused(Code.INTERNAL_ERROR, f"{spec.component} is already running")
        self._state.runs += 1
        now, log_from = time.time(), self._furnish(spec)
        slot.run = Run(self._state.runs, spec, claim, created=now, since=now, log_from=log_from)
        try:
            self._keeper(slot.run).start()
        except OSError as error:
            self._keepers.pop(spec.component)
            slot.run = None
            if is_full(error):
                raise
            raise Refused(Code.START_FAILED, f"{spec.component} cannot be started: {error}") from error

    def _furnish(self, spec: RunSpec) -> int:
        """Make the component's folders; returns where its log will begin."""
        home, log = Path(spec.home), self._folder.log(spec.component)
        home.mkdir(parents=True, exist_ok=True)
        if spec.uid is not None:
            os.chown(home, spec.uid, spec.uid if spec.gid is None else spec.gid)
        return log.stat().st_size if log.exists() else 0

    def _keeper(self, run: Run) -> Keeper:
        name = run.spec.component
        self._keepers[name] = Keeper(run, self._folder.log(name), self._children, self._confidences, self._note)
        return self._keepers[name]

    def _note(self, what: str, run: Run) -> None:
        self._save()
        housekeeping.write_line(self._folder.journal, what, run)

    def _save(self) -> None:
        write_json(self._folder.state, self._state.to_json())


def detach(folder: TargetFolder) -> None:
    """Serve in a session of its own; the parent leaves when that is done or has failed."""
    listening, told = os.pipe()
    if os.fork():
        os.close(told)
        sys.exit(0 if os.read(listening, 1) else 1)
    os.setsid()
    supervise(folder, lambda: _tell(told))


def supervise(folder: TargetFolder, ready: Callable[[], None]) -> None:
    """Take the target's lock, and serve."""
    os.umask(0o022)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(1)  # another one serves this target
    write_json(folder.pidfile, asdict(me()), 0o644)
    asyncio.run(_serve(folder, ready))
    folder.socket.unlink(missing_ok=True)
    folder.pidfile.unlink(missing_ok=True)


async def _serve(folder: TargetFolder, ready: Callable[[], None]) -> None:
    await Supervisor(folder).serve(bind(folder.socket), ready)


def _tell(pipe: int) -> None:
    os.write(pipe, b".")
    os.close(pipe)


if __name__ == "__main__":
    detach(TargetFolder(Path(sys.argv[1])))
