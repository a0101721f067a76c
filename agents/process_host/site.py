"""What is done on the host itself (place.Place), by whoever has the right to: a worker on its own machine, or our program on another.

Standard library only, for hosts that have nothing of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agents.process_host.control import Control, Launch, launch_detached
from agents.process_host.fitness import Fitness, fitness_of
from agents.process_host.folder import HANDED_OVER, TargetFolder
from agents.process_host.hooking import Hooks, starting
from agents.process_host.housekeeping import tail
from agents.process_host.lookup import Lookup
from agents.process_host.observation import observe_slots, without_supervisor
from agents.process_host.place import Orderer, Owner, Stage
from agents.process_host.ports import foreign_listeners
from agents.process_host.processes import is_alive
from agents.process_host.records import Applied, Errand, Job, RunSpec, Seen, is_full
from agents.process_host.rollout import Rollout
from agents.process_host.trees import Trees
from fairlead.adapters.platforms import host_platform
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Unavailable
from fairlead.domain.fence import Claim, require_highest

MAX_LOG: Final = 64 * 1024


class Site:
    """One host folder. Making this object touches nothing. `launch` starts a supervisor, `forget` hears of targets that need none any more."""

    def __init__(
        self,
        host: Path,
        lookup: Lookup,
        launch: Launch = launch_detached,
        forget: Callable[[TargetFolder], None] | None = None,
    ) -> None:
        self._host, self._lookup, self._launch, self._forget = host, lookup, launch, forget
        self._trees = Trees(host)

    @property
    def platform(self) -> str:
        """This machine's."""
        return host_platform()

    def fitness(self) -> Fitness:
        """What this machine tells of itself."""
        with self._mapped():
            return fitness_of(self._host)

    def missing(self, job: Job) -> list[str]:
        """The digests whose trees are not there yet."""
        with self._working(job.owner):
            return [part.digest for part in job.parts if not self._trees.has(part.digest)]

    @contextmanager
    def staging(self, orderer: Orderer) -> Iterator[Stage]:
        """A place to unpack what is missing; it goes afterwards."""
        with self._mapped(), self._trees.staging(orderer.beat) as stage:
            yield stage

    def prepare(self, job: Job) -> None:
        """Find every command, look for taken ports."""
        with self._working(job.owner) as folder:
            folder.refuse_handed_over()
            self._plan_errands(job, self._plan(folder, job, Claim(0, 0)))
            self._require_ports(folder, job)

    def apply(self, job: Job, claim: Claim, orderer: Orderer) -> Applied:
        """Claim the target, then make it run the job."""
        with self._working(job.owner) as folder:
            folder.refuse_handed_over()
            self._claim(folder, job.owner, claim, orderer)
            plans = self._plan(folder, job, claim)
            control = Control(folder, orderer.beat, self._launch)
            control.ensure()
            hooks = Hooks(folder, control, claim, orderer, self._plan_errands(job, plans))
            Rollout(control, job, claim, plans, orderer, hooks).carry_out()
            require_highest(claim, folder.list_claims())
            return Applied(tuple(plans), hooks.printed)

    def observe(self, owner: Owner) -> Seen:
        """What really runs, by the supervisor's word, /proc and a probe now.

        Where the supervisor was killed the answer says so, and a new one is started: the next look finds things in order.
        """
        with self._working(owner) as folder:
            return Seen(None, (), "it was handed over") if folder.is_handed_over() else self._look(folder)

    def logs(self, owner: Owner, component: str, lines: int) -> str:
        """The end of what the component's present run printed."""
        with self._working(owner) as folder:
            slot = folder.read_state().slots.get(component)
            start = slot.run.log_from if slot and slot.run else 0
            return tail(folder.log(component), start, lines, MAX_LOG)

    def retire(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Stop and remove what we made there; claims stay, so that lower ones are refused for ever, and so does the journal."""
        with self._working(owner) as folder:
            folder.refuse_handed_over()
            self._claim(folder, owner, claim, orderer)
            control = Control(folder, orderer.beat, self._launch)
            if folder.read_state().slots or control.answers():
                control.ensure()
                slots = control.status().slots.values()
                control.shut_down(claim, sum(slot.run.spec.stop_grace for slot in slots if slot.run))
            if self._forget:
                self._forget(folder)
            folder.leave_sticker(claim, None)

    def hand_over(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Say so where the record was. The supervisor goes on keeping alive what runs; claims stay, and refuse lower ones."""
        with self._working(owner) as folder:
            self._claim(folder, owner, claim, orderer)
            folder.leave_sticker(claim, HANDED_OVER)

    def read_sticker(self, owner: Owner) -> object:
        """The record on the target."""
        with self._working(owner) as folder:
            return folder.sticker()

    def write_sticker(self, owner: Owner, record: object, claim: Claim) -> None:
        """Leave the record."""
        with self._working(owner) as folder:
            folder.leave_sticker(claim, record)

    def _claim(self, folder: TargetFolder, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        folder.take(owner)
        folder.claim(claim)
        orderer.reach("after_claim")

    def _plan(self, folder: TargetFolder, job: Job, claim: Claim) -> list[RunSpec]:
        return [self._lookup.plan(folder, part, self._trees.tree(part.digest), claim) for part in job.parts]

    def _plan_errands(self, job: Job, plans: Sequence[RunSpec]) -> list[tuple[Errand, RunSpec]]:
        return [
            (errand, self._plan_errand(plan, errand, part.digest))
            for part, plan in zip(job.parts, plans)  # noqa: B905 - Python 3.9 cannot be asked to be strict
            for errand in part.errands
        ]

    def _plan_errand(self, plan: RunSpec, errand: Errand, digest: str) -> RunSpec:
        with starting(errand):
            return self._lookup.errand(plan, errand, self._trees.tree(digest))

    def _look(self, folder: TargetFolder) -> Seen:
        known, control = folder.read_state(), Control(folder, _no_beat, self._launch)
        try:
            components, detail = observe_slots(control.status()), None
        except Unavailable as gone:
            components, detail = without_supervisor(known), gone.detail if known.slots else None
            if known.slots:
                with suppress(Unavailable):
                    control.ensure()
        fence = max(folder.list_claims(), default=None)
        return Seen(str(fence) if fence else None, components, detail)

    def _require_ports(self, folder: TargetFolder, job: Job) -> None:
        runs = [slot.run for slot in folder.read_state().slots.values() if slot.run]
        leaders = [run.process.pid for run in runs if run.process and is_alive(run.process)]
        for part in job.parts:
            for port in part.ports:
                if foreign_listeners(port, leaders):
                    detail = f"port {port}, which {part.component} needs, is taken by somebody else"
                    raise Conflict(Code.PORT_TAKEN, detail, fields={"port": port, "component": part.component})

    @contextmanager
    def _working(self, owner: Owner) -> Iterator[TargetFolder]:
        """The target's folder. Raises Conflict (foreign_workload) where it is another's."""
        folder = TargetFolder(self._host / "-".join(owner[name] for name in ("project", "environment", "target")))
        with self._mapped():
            folder.require_owner(owner)
            yield folder

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            code = Code.TARGET_FULL if is_full(error) else Code.TARGET_UNREACHABLE
            raise Unavailable(code, f"cannot work in {os.fspath(self._host)}: {error}") from error


def _no_beat() -> None:
    """Observing is short."""
