"""What worker and supervisor tell each other and what lies in the state file. Standard library only: the supervisor stays small."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from agents.process_host.processes import Identity


@dataclass(frozen=True, slots=True)
class RunSpec:
    """How a component's process is started, and what it is. Never changes; a changed one is another run.

    `closed`: a folder above the tree that the user may not pass, if there is one. `secrets`: the name of the file that holds what else stands
    in its environment, which is nowhere but there and with the process.
    """

    component: str
    argv: tuple[str, ...]
    cwd: str
    home: str
    env: Mapping[str, str]
    ports: tuple[int, ...]
    stop_grace: float
    labels: Mapping[str, str]
    health: Mapping[str, Any] | None = None
    probe_port: int = 0
    uid: int | None = None
    gid: int | None = None
    closed: str | None = None
    secrets: str | None = None

    @property
    def fence(self) -> str:
        """The claim that made it."""
        return self.labels["fence"]


@dataclass(frozen=True, slots=True)
class Errand:
    """A command that is run once in a deployment, before or after its component is changed (`when`). `id`: once on a target."""

    id: str
    component: str
    when: str
    name: str
    command: tuple[str, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class Part:
    """One component as it is asked for, before the host has said where its tree and its command are.

    `ports` are the host's; `secrets` as in RunSpec.
    """

    component: str
    digest: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    ports: tuple[int, ...]
    stop_grace: float
    labels: Mapping[str, str]
    health: Mapping[str, Any] | None = None
    probe_port: int = 0
    secrets: str | None = None
    errands: tuple[Errand, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """All that must run on one target, in start order. `owner`: whose target it is."""

    owner: Mapping[str, str]
    parts: tuple[Part, ...]
    healthy_deadline: float
    is_rollback: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a job: how everything was started, and what each errand printed, by its id."""

    plans: tuple[RunSpec, ...]
    printed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Check:
    """A health check, as the catalogue means it."""

    port: int
    http: str | None
    interval: float
    timeout: float
    retries: int


@dataclass(frozen=True, slots=True)
class SeenComponent:
    """What was seen of one component. Times in seconds since the epoch, by the host's clock."""

    name: str
    health: str
    digest: str | None = None
    config: str | None = None
    release: str | None = None
    fence: str | None = None
    instance: str | None = None
    created: float | None = None
    since: float | None = None
    restarts: int = 0
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen on one target. `fence`: the highest claim."""

    fence: str | None
    components: tuple[SeenComponent, ...]
    detail: str | None = None


@dataclass(slots=True)
class Run:
    """A component being kept alive. `holder`: the claim that answers for it, its maker or a later one that adopted it."""

    number: int
    spec: RunSpec
    holder: str
    created: float
    since: float
    exits: int = 0
    last_exit: str | None = None
    log_from: int = 0
    process: Identity | None = None


@dataclass(slots=True)
class Slot:
    """A component's place on a target. `kept`: the last one that was confirmed healthy, to go back to."""

    run: Run | None = None
    kept: RunSpec | None = None


@dataclass(slots=True)
class State:
    """All that the supervisor must know again after it was killed."""

    runs: int = 0
    slots: dict[str, Slot] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it lies on disk and goes over the control socket."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> State:
        """The inverse of to_json."""
        return cls(value["runs"], {name: _slot(slot) for name, slot in value["slots"].items()})


def run_spec(value: Mapping[str, Any]) -> RunSpec:
    """Read a RunSpec from JSON."""
    return RunSpec(**{**value, "argv": tuple(value["argv"]), "ports": tuple(value["ports"])})


def job(value: Mapping[str, Any]) -> Job:
    """Read a Job from JSON."""
    return Job(**{**value, "parts": tuple(_part(part) for part in value["parts"])})


def seen(value: Mapping[str, Any]) -> Seen:
    """Read a Seen from JSON."""
    return Seen(**{**value, "components": tuple(SeenComponent(**component) for component in value["components"])})


def read_state(path: Path) -> State:
    """The state file; an absent one is an empty target."""
    try:
        return State.from_json(json.loads(path.read_text()))
    except FileNotFoundError:
        return State()


def write_json(path: Path, value: object, mode: int = 0o600) -> None:
    """Replace a file atomically: after a crash there is the old or the new, on disk."""
    beside = path.with_name(f".{path.name}.{threading.get_native_id()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def is_full(error: OSError) -> bool:
    """Whether there is no room on the disk, or none left for us."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a crash of the machine."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _part(value: Mapping[str, Any]) -> Part:
    errands = tuple(Errand(**{**errand, "command": tuple(errand["command"])}) for errand in value["errands"])
    return Part(**{**value, "command": tuple(value["command"]), "ports": tuple(value["ports"]), "errands": errands})


def _slot(value: Mapping[str, Any]) -> Slot:
    run, kept = value["run"], value["kept"]
    return Slot(_run(run) if run else None, run_spec(kept) if kept else None)


def _run(value: Mapping[str, Any]) -> Run:
    process = Identity(**value["process"]) if value["process"] else None
    return Run(**{**value, "spec": run_spec(value["spec"]), "process": process})
