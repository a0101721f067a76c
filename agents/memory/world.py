"""Targets in memory, and what is true of the hosts they are on.

Applications are played: of their environment BROKEN makes them answer badly, SLOW=<seconds> late, CRASH not at all; TELL names a
secret that they print.
"""

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.contracts.target import ComponentSpec, Sticker, TargetAddress, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health

Address = TargetAddress | TargetSpec


@dataclass(slots=True, eq=False)
class Instance:
    """One played container. `parked`: put aside until its successor is healthy. `secrets`: what it was given.
    `nameless`: nobody can say which image it is."""

    id: str
    spec: ComponentSpec
    release: str
    claim: Claim
    created: datetime
    started: datetime | None = None
    running: bool = False
    parked: bool = False
    nameless: bool = False
    restarts: int = 0
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> set[int]:
        return {int(entry.partition(":")[0]) for entry in self.spec.config.ports}

    @property
    def health(self) -> tuple[Health, str]:
        """How it answers now, and its last words."""
        env = self.spec.config.env
        if not self.running or self.started is None:
            return Health.UNHEALTHY, "not running"
        if "CRASH" in env:
            self.restarts += 1
            return Health.UNHEALTHY, f"{self.secrets.get(env.get('TELL', ''), '')} told to crash".lstrip()
        if (now() - self.started).total_seconds() < float(env.get("SLOW", 0)):
            return Health.STARTING, "not listening yet"
        return (Health.UNHEALTHY, "answered 500") if "BROKEN" in env else (Health.HEALTHY, "answered 200")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a target's journal. `event`: create | start | stop | remove."""

    event: str
    component: str
    digest: str
    claim: str


@dataclass(slots=True, eq=False)
class Place:
    """One target. `handed_over`: under which claim, if it was.

    The switches: `unreachable`; `refuses`, a code that every apply ends with; `delay`, seconds that every change takes."""

    endpoint: str
    claims: set[Claim] = field(default_factory=set)
    instances: list[Instance] = field(default_factory=list)
    sticker: tuple[Claim, Sticker] | None = None
    handed_over: Claim | None = None
    journal: list[Entry] = field(default_factory=list)
    unreachable: bool = False
    refuses: Code | None = None
    delay: float = 0.0

    def count(self, event: str) -> int:
        """How often something happened here."""
        return sum(entry.event == event for entry in self.journal)

    @property
    def laid(self) -> set[Claim]:
        """All claims that count here."""
        return self.claims | ({self.handed_over} if self.handed_over else set())

    @property
    def is_handed_over(self) -> bool:
        """Whether something runs here that is not ours any more."""
        return self.handed_over is not None and any(i.claim <= self.handed_over for i in self.instances)

    def digests(self) -> dict[str, str]:
        """What runs here, by component."""
        return {i.spec.name: i.spec.digest for i in self.instances if i.running}


class World:
    """All targets, and what is true of the hosts they are on. Safe for threads; outlives any executor."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.places: dict[tuple[str, str, str], Place] = {}
        self.altered: set[str] = set()
        """Digests that stores serve other bytes for."""
        self.lacking: dict[str, Code] = {}
        """Digests that stores have nothing for, and what is told of each."""
        self.occupied: set[int] = set()
        """Ports that somebody else listens on."""
        self._numbers = itertools.count(1)

    def place(self, address: Address) -> Place:
        """The target of an address, made on first sight."""
        with self.lock:
            key = (address.project, address.environment, address.target)
            return self.places.setdefault(key, Place(address.endpoint))

    def named(self, target: str) -> Place:
        """The target of this name, whatever environment it is in. Raises KeyError."""
        return {name: place for (_, _, name), place in self.places.items()}[target]

    def next_id(self) -> str:
        """An id for a new instance."""
        return f"instance-{next(self._numbers)}"


def ports_of(component: ComponentSpec) -> set[int]:
    """The host ports that it needs."""
    return {int(entry.partition(":")[0]) for entry in component.config.ports}


def now() -> datetime:
    """The time on these hosts."""
    return datetime.fromtimestamp(time.time(), UTC)
