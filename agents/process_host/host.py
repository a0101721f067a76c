"""The executor of process hosts (ports.Executor): supervised processes on this machine, one supervisor for each target."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from agents.process_host.control import Control
from agents.process_host.folder import TargetFolder
from agents.process_host.housekeeping import tail
from agents.process_host.lookup import Lookup, User, host_ports, search_path
from agents.process_host.observation import observe_slots, without_supervisor
from agents.process_host.ports import foreign_listeners
from agents.process_host.processes import is_alive
from agents.process_host.records import RunSpec, is_full
from agents.process_host.rollout import Rollout
from agents.process_host.trees import Trees
from agents.secrets import opened, references, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import ComponentSpec, SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, Unavailable
from fairlead.domain.fence import Claim, require_highest
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

NOBODY: Final = 65534
MAX_LOG: Final = 64 * 1024
SCHEME: Final = "process:"

Address = TargetAddress | TargetSpec


class ProcessHost:
    """`hosts` is the folder that `process:NAME` endpoints lie in; applications run as `app_user` when we are root (default: nobody)."""

    def __init__(
        self,
        hosts: Path,
        images: ImageStore,
        fail_points: FailPoints | None = None,
        app_user: int | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._hosts, self._images = hosts.absolute(), images
        self._fail_points, self._secrets = fail_points or NoFailPoints(), secrets or NoSecrets()
        user = (NOBODY if app_user is None else app_user) if os.geteuid() == 0 else None
        self._lookup = Lookup(User.of(user), search_path(os.environ.get("PATH", "")))

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Pull, verify and unpack everything, find every command, look for taken ports."""
        with self._reaching(spec) as folder:
            folder.require_owner(_owner(spec))
            trees = Trees(folder.path.parent, self._images).ensure(spec.components, beat)
            for component in spec.components:
                self._lookup.plan(folder, spec, component, trees[component.digest], Claim(0, 0))
            self._require_ports(folder, spec)
            require_secrets(self._secrets, spec)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        with self._reaching(spec) as folder:
            self._claim(folder, spec, claim)
            trees = Trees(folder.path.parent, self._images).ensure(spec.components, beat)
            plans = [self._lookup.plan(folder, spec, c, trees[c.digest], claim) for c in spec.components]
            control = Control(folder, beat)
            control.ensure()
            with opened(self._secrets, spec) as safe:
                Rollout(folder, control, spec, claim, plans, self._fail_points, beat, safe).carry_out()
            require_highest(claim, folder.list_claims())
            return tuple(_sent(plan, c) for plan, c in zip(plans, spec.components, strict=True))

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by the supervisor's word, /proc and a probe now.

        Where the supervisor was killed the answer says so, and a new one is started: the next look finds things in order.
        """
        try:
            with self._reaching(address) as folder:
                return self._look(folder, address)
        except Unavailable as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's present run printed."""
        with self._reaching(address) as folder:
            slot = folder.read_state().slots.get(component)
            start = slot.run.log_from if slot and slot.run else 0
            return tail(folder.log(component), start, lines, MAX_LOG)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there; claims stay, so that lower ones are refused for ever, and so does the journal."""
        with self._reaching(spec) as folder:
            self._claim(folder, spec, claim)
            control = Control(folder, beat)
            if folder.read_state().slots or control.answers():
                control.ensure()
                slots = control.status().slots.values()
                control.shut_down(claim, sum(slot.run.spec.stop_grace for slot in slots if slot.run))
            folder.leave_sticker(claim, None)

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with self._reaching(address) as folder:
            record = folder.sticker()
            return None if record is None else Sticker.model_validate(record)

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with self._reaching(address) as folder:
            folder.leave_sticker(claim, sticker.model_dump(mode="json"))

    def _claim(self, folder: TargetFolder, spec: TargetSpec, claim: Claim) -> None:
        folder.take(_owner(spec))
        folder.claim(claim)
        self._fail_points.reach("after_claim")

    def _look(self, folder: TargetFolder, address: TargetAddress) -> TargetObservation:
        folder.require_owner(_owner(address))
        known, control = folder.read_state(), Control(folder, _no_beat)
        try:
            components, detail = observe_slots(control.status()), None
        except Unavailable as gone:
            components, detail = without_supervisor(known), gone.detail if known.slots else None
            if known.slots:
                with suppress(Unavailable):
                    control.ensure()
        fence = max(folder.list_claims(), default=None)
        return TargetObservation(
            target=address.target,
            reachable=True,
            fence=str(fence) if fence else None,
            components=components,
            detail=detail,
        )

    def _require_ports(self, folder: TargetFolder, spec: TargetSpec) -> None:
        runs = [slot.run for slot in folder.read_state().slots.values() if slot.run]
        leaders = [run.process.pid for run in runs if run.process and is_alive(run.process)]
        for component in spec.components:
            for port in host_ports(component.config.ports):
                if foreign_listeners(port, leaders):
                    detail = f"port {port}, which {component.name} needs, is taken by somebody else"
                    raise Conflict(Code.PORT_TAKEN, detail, fields={"port": port, "component": component.name})

    @contextmanager
    def _reaching(self, address: Address) -> Iterator[TargetFolder]:
        host = self._host(address.endpoint)
        try:
            yield TargetFolder(host / f"{address.project}-{address.environment}-{address.target}")
        except OSError as error:
            code = Code.TARGET_FULL if is_full(error) else Code.TARGET_UNREACHABLE
            raise Unavailable(code, f"cannot work in {address.endpoint}: {error}") from error

    def _host(self, endpoint: str) -> Path:
        name = endpoint.removeprefix(SCHEME)
        if name.startswith("///"):
            host = Path(name.removeprefix("//"))
            if not host.is_dir():
                raise Unavailable(Code.TARGET_UNREACHABLE, f"there is no folder {host}")
            return host
        if not endpoint.startswith(SCHEME) or name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise BadInput(Code.BAD_VALUE, f"{endpoint!r} is neither process:NAME nor process:///folder")
        return self._hosts / name


def _sent(plan: RunSpec, component: ComponentSpec) -> SentFile:
    document = {**asdict(plan), "secrets": references(component)}
    return SentFile(name=f"{plan.component}.run.json", content=json.dumps(document, indent=2, default=str) + "\n")


def _owner(address: Address) -> dict[str, str]:
    return {"project": address.project, "environment": address.environment, "target": address.target}


def _no_beat() -> None:
    """Observing is short."""
