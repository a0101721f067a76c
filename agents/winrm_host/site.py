"""What a Windows host does for us (place.Place), by scripts at the other end of a connection."""

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any, BinaryIO, Final, cast

from agents.process_host.fitness import Fitness
from agents.process_host.folder import HANDED_OVER
from agents.process_host.health import Finding
from agents.process_host.hooking import starting
from agents.process_host.place import Orderer, Owner, Stage
from agents.process_host.records import Applied, Errand, Job, Part, Run, RunSpec, Seen
from agents.process_host.trees import Staging
from agents.winrm_host import copying, packing, reading
from agents.winrm_host.hooking import Hooks
from agents.winrm_host.options import Options
from agents.winrm_host.orders import Orders, ServiceRollout, tail
from agents.winrm_host.remote import Remote
from agents.winrm_host.shell import Json
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Refused
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from fairlead.ports import Beat

MAX_LOG: Final = 64 * 1024
_OLDEST: Final = (5, 1)
_READ_BY_A_SHELL: Final = (".bat", ".cmd")


class WindowsSite:
    """One host folder there. What it was seen to have is remembered for the length of one call."""

    def __init__(self, remote: Remote, options: Options) -> None:
        self._remote, self._options = remote, options
        self._root = PureWindowsPath(options.root)
        self._platform = ""
        self._commands: dict[str, tuple[str, ...]] = {}

    @property
    def platform(self) -> str:
        """`os/arch`, as images name it; known once the host was asked anything."""
        return self._platform

    def missing(self, job: Job) -> list[str]:
        """The digests whose trees are not there yet."""
        said = self._look(job.owner, Images=[_hex(part.digest) for part in job.parts])
        _refuse_handed_over(job.owner, said)
        for part in job.parts:
            if note := said["images"].get(_hex(part.digest)):
                self._commands[part.digest] = tuple(json.loads(note)["command"])
        return [part.digest for part in job.parts if part.digest not in self._commands]

    @contextlib.contextmanager
    def staging(self, orderer: Orderer) -> Iterator[Stage]:
        """Unpacked here, where it can be looked at, then packed as Windows takes it."""
        with tempfile.TemporaryDirectory(prefix="fairlead-") as folder:
            yield Staging(
                Path(folder),
                lambda digest, tree, command: self._bring(digest, tree, command, orderer.beat),
                orderer.beat,
            )

    def prepare(self, job: Job) -> None:
        """Find every command, look for taken ports."""
        programs = [(part.component, self._argv(part)[0]) for part in job.parts]
        errands = [(errand, plan.argv[0]) for errand, plan in self._errands(job, Claim(0, 0))]
        ports = [port for part in job.parts for port in part.ports]
        said = self._look(job.owner, Programs=[program for _, program in [*programs, *errands]], Ports=ports)
        for component, program in programs:
            _require(said, program, component)
        for errand, program in errands:
            with starting(errand):
                _require(said, program, errand.component)
        for part in job.parts:
            for port in part.ports:
                if port in said["taken"]:
                    detail = f"port {port}, which {part.component} needs, is taken by somebody else"
                    raise Conflict(Code.PORT_TAKEN, detail, fields={"port": port, "component": part.component})

    def apply(self, job: Job, claim: Claim, orderer: Orderer) -> Applied:
        """Claim the target, then make it run the job."""
        orders = self._claimed(job.owner, claim, orderer)
        plans = [self._plan(part, job.owner, claim) for part in job.parts]
        hooks = Hooks(self._remote, _folder(job.owner), claim, orderer, self._errands(job, claim), orders.left)
        ServiceRollout(orders, job, claim, plans, orderer, hooks).carry_out()
        return Applied(tuple(plans), hooks.printed)

    def observe(self, owner: Owner) -> Seen:
        """What really runs, by the service manager's word and a probe now."""
        said = self._look(owner, Closely=True)
        if _record(said) == HANDED_OVER:
            return Seen(None, (), "it was handed over")
        orders = self._orders(owner, _no_beat)
        slots = orders.learn(said).slots
        fence = max((Claim.parse(claim) for claim in said["claims"]), default=None)
        found = {name: _sure(orders, slot.run) if slot.run else None for name, slot in slots.items()}
        return Seen(
            str(fence) if fence else None,
            tuple(reading.seen(name, slot, found[name], said["slots"][name]) for name, slot in slots.items()),
        )

    def fitness(self) -> Fitness:
        """What the host tells of itself; whoever may write below the root is an administrator."""
        told = self._remote.call("fit", "", _no_beat)
        _require_new(told["powershell"])
        return {
            "version": f"Windows {told['windows']}, PowerShell {told['powershell']}",
            "time": told["time"] / 1000,
            "folder": self._options.root,
            "free": told["free"],
            "writable": told["administrator"],
            "capabilities": ["services"],
        }

    def logs(self, owner: Owner, component: str, lines: int) -> str:
        """The end of what the component's present run wrote."""
        return tail(self._remote, _folder(owner), _written(owner), _no_beat, component, lines, MAX_LOG)

    def retire(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Stop and remove what we made there; claims stay, so that lower ones are refused for ever."""
        _refuse_handed_over(owner, self._look(owner))
        orders = self._claimed(owner, claim, orderer)
        for name, slot in reversed(list(orders.status().slots.items())):
            orders.remove(claim, name, slot.run.spec.stop_grace if slot.run else 0.0)
        Hooks(self._remote, _folder(owner), claim, orderer, (), orders.left).quiet()
        self.write_sticker(owner, None, claim)

    def hand_over(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Say so where the record was. Windows goes on running its services; claims stay, and refuse lower ones."""
        self._claimed(owner, claim, orderer)
        self.write_sticker(owner, HANDED_OVER, claim)

    def read_sticker(self, owner: Owner) -> object:
        """The record on the target."""
        return _record(self._look(owner))

    def write_sticker(self, owner: Owner, record: object, claim: Claim) -> None:
        """Leave the record."""
        self._remote.call("sticker", _folder(owner), _no_beat, Claim=str(claim), Record=json.dumps(record))

    def _look(self, owner: Owner, **more: Any) -> Json:
        said = self._remote.call("look", _folder(owner), _no_beat, Owner=_written(owner), **more)
        self._platform = said["platform"]
        _require_new(said["powershell"])
        return said

    def _claimed(self, owner: Owner, claim: Claim, orderer: Orderer) -> Orders:
        orders = self._orders(owner, orderer.beat)
        said = self._remote.call("claim", _folder(owner), orderer.beat, Owner=_written(owner), Claim=str(claim))
        orders.learn(said)
        orders.left = said["hooks"]
        orderer.reach("after_claim")
        return orders

    def _orders(self, owner: Owner, beat: Beat) -> Orders:
        return Orders(self._remote, _folder(owner), _written(owner), self._options.runs_as, beat)

    def _bring(self, digest: str, tree: Path, command: Sequence[str], beat: Beat) -> None:
        with tempfile.TemporaryFile() as plain:
            file = cast(BinaryIO, plain)
            packed = packing.pack(tree, file, beat)
            copying.bring(self._remote, "incoming", _hex(digest), command, file, packed, beat)
        self._commands[digest] = tuple(command)

    def _plan(self, part: Part, owner: Owner, claim: Claim) -> RunSpec:
        tree = self._root / "releases" / _hex(part.digest)
        ours = {"FAIRLEAD_TREE": str(tree), **({"PORT": str(part.ports[0])} if part.ports else {})}
        return RunSpec(
            component=part.component,
            argv=self._argv(part),
            cwd=str(tree),
            home=str(self._root / _folder(owner) / "components" / part.component / "home"),
            env={**ours, **part.env},
            ports=part.ports,
            stop_grace=part.stop_grace,
            labels={**part.labels, "fence": str(claim)},
            health=part.health,
            probe_port=part.probe_port,
            secrets=part.secrets,
        )

    def _argv(self, part: Part) -> tuple[str, ...]:
        """The first word is a program inside the tree, or one by its whole path. There is no search path: who writes to it would choose."""
        command = part.command or self._commands[part.digest]
        if not command:
            raise Refused(Code.START_FAILED, f"{part.component} has no command, and its image has none either")
        return self._found(part, command)

    def _errands(self, job: Job, claim: Claim) -> list[tuple[Errand, RunSpec]]:
        """How each hook is run: where its component runs, and with its environment."""
        return [
            (errand, replace(self._plan(part, job.owner, claim), argv=self._errand_argv(part, errand), ports=()))
            for part in job.parts
            for errand in part.errands
        ]

    def _errand_argv(self, part: Part, errand: Errand) -> tuple[str, ...]:
        with starting(errand):
            argv = self._found(part, errand.command)
            if PureWindowsPath(argv[0]).suffix.lower() in _READ_BY_A_SHELL:
                detail = f"{errand.command[0]!r} would be read by a shell that nobody has asked for"
                raise Refused(Code.START_FAILED, detail, hint="name cmd.exe by its whole path, with /c")
            return argv

    def _found(self, part: Part, command: Sequence[str]) -> tuple[str, ...]:
        program = PureWindowsPath(command[0])
        if not program.is_absolute():
            if program.drive or program.root or ".." in program.parts:
                raise Refused(Code.START_FAILED, f"{part.component}: {command[0]!r} leads out of its tree")
            program = self._root / "releases" / _hex(part.digest) / program
        return (str(program), *command[1:])


def _sure(orders: Orders, run: Run) -> Finding:
    """One bad answer is asked about again, as the health check says."""
    found = orders.glance(run)
    check = run.spec.health
    for _ in range(check["retries"] - 1 if check else 0):
        if found.health == Health.HEALTHY or orders.gave_up(run):
            break
        time.sleep(check["interval"] if check else 0)
        found = orders.glance(run)
    return found


def _record(said: Json) -> object:
    return json.loads(said["sticker"] or "null")


def _refuse_handed_over(owner: Owner, said: Json) -> None:
    if _record(said) == HANDED_OVER:
        detail = f"what runs in {_folder(owner)} was handed over, and is not ours any more"
        raise Conflict(Code.FOREIGN_WORKLOAD, detail, hint="remove its services, then its folder")


def _folder(owner: Owner) -> str:
    return "-".join(owner[name] for name in ("project", "environment", "target"))


def _written(owner: Owner) -> str:
    return json.dumps(dict(owner), sort_keys=True)


def _require_new(powershell: str) -> None:
    if _version(powershell) < _OLDEST:
        raise Refused(Code.POWERSHELL_TOO_OLD, f"the host has PowerShell {powershell}, and 5.1 is needed")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _no_beat() -> None:
    """Looking is short."""


def _require(said: Json, program: str, component: str) -> None:
    if not said["programs"][program]:
        raise Refused(Code.START_FAILED, f"{component}: there is no {program} on the host")
