"""An executor whose targets live in memory: the same semantics as the real ones, with a journal to check and switches to make it fail.

Applications are played: of their environment BROKEN makes them answer badly, SLOW=<seconds> late, CRASH not at all.
"""

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.contracts.target import (
    ComponentObservation,
    ComponentSpec,
    Sticker,
    TargetAddress,
    TargetObservation,
    TargetSpec,
)
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost, may_adopt, require_highest
from fairlead.domain.health import Health
from fairlead.ports import Beat, FailPoints, NoFailPoints

_PAUSE = 0.01
Address = TargetAddress | TargetSpec


@dataclass(slots=True, eq=False)
class Instance:
    """One played container. `parked`: put aside until its successor is healthy."""

    id: str
    spec: ComponentSpec
    release: str
    claim: Claim
    created: datetime
    started: datetime | None = None
    running: bool = False
    parked: bool = False
    restarts: int = 0

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
            return Health.UNHEALTHY, "told to crash"
        if (_now() - self.started).total_seconds() < float(env.get("SLOW", 0)):
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
    """One target. The switches: `unreachable`; `refuses`, a code that every apply ends with; `delay`, seconds that every change takes."""

    endpoint: str
    claims: set[Claim] = field(default_factory=set)
    instances: list[Instance] = field(default_factory=list)
    sticker: tuple[Claim, Sticker] | None = None
    journal: list[Entry] = field(default_factory=list)
    unreachable: bool = False
    refuses: Code | None = None
    delay: float = 0.0

    def count(self, event: str) -> int:
        """How often something happened here."""
        return sum(entry.event == event for entry in self.journal)

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


class MemoryHost:
    """ports.Executor on a World."""

    def __init__(self, world: World, fail_points: FailPoints | None = None) -> None:
        self._world, self._fail_points = world, fail_points or NoFailPoints()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Check digests and ports; change nothing."""
        place = self._reach(spec)
        for component in spec.components:
            beat()
            if component.digest in self._world.altered:
                raise Refused(Code.DIGEST_MISMATCH, f"other bytes than {component.digest} stands for are served")
            taken = _ports(component) & (self._world.occupied | self._ports_of_others(place))
            if taken:
                raise Refused(Code.PORT_TAKEN, f"port {min(taken)} is taken", fields={"port": min(taken)})

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        place = self._claimed(spec, claim)
        if place.refuses:
            raise Refused(place.refuses, f"{spec.target} was told to refuse")
        _Work(self._world, place, spec, claim, beat, self._fail_points).run()
        place.claims -= {lower for lower in place.claims if lower < claim}

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What runs, by the world's word."""
        try:
            place = self._reach(address)
        except Unavailable as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)
        with self._world.lock:
            shown = {i.spec.name: i for i in sorted(place.instances, key=lambda i: not i.parked)}
            seen = tuple(_observed(i) for _, i in sorted(shown.items()))
            fence = max(place.claims, default=None)
        return TargetObservation(
            target=address.target, reachable=True, fence=str(fence) if fence else None, components=seen
        )

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Remove what runs there; the claim stays."""
        place = self._claimed(spec, claim)
        _Work(self._world, place, spec, claim, beat, self._fail_points).remove(list(place.instances))
        place.sticker = None

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        place = self._reach(address)
        return place.sticker[1] if place.sticker else None

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        place = self._reach(address)
        with self._world.lock:
            require_highest(claim, place.claims)
            place.sticker = (claim, sticker)

    def _claimed(self, spec: TargetSpec, claim: Claim) -> Place:
        place = self._reach(spec)
        with self._world.lock:
            require_highest(claim, place.claims)
            place.claims.add(claim)
        self._fail_points.reach("after_claim")
        return place

    def _reach(self, address: Address) -> Place:
        place = self._world.place(address)
        if place.unreachable or address.endpoint == "memory:nowhere":
            raise Unavailable(Code.TARGET_UNREACHABLE, f"{address.target} does not answer")
        return place

    def _ports_of_others(self, place: Place) -> set[int]:
        others = (p for p in self._world.places.values() if p is not place and p.endpoint == place.endpoint)
        return {port for other in others for i in other.instances if i.running for port in i.ports}


class _Work:
    """What one claim does on one target."""

    def __init__(
        self, world: World, place: Place, spec: TargetSpec, claim: Claim, beat: Beat, fail_points: FailPoints
    ) -> None:
        self._world, self._place, self._spec, self._claim = world, place, spec, claim
        self._beat, self._fail_points = beat, fail_points
        self._chosen: list[Instance] = []

    def run(self) -> None:
        """Bring every component in order, then remove whatever else is there. When one fails the whole target goes back."""
        try:
            for component in self._spec.components:
                self._bring(component)
        except FenceLost:
            raise
        except Refused:
            self._put_back()
            raise
        self.remove([i for i in self._place.instances if i not in self._chosen])

    def _bring(self, component: ComponentSpec) -> None:
        chosen = self._adoptable(component)
        if chosen is None or not chosen.running:
            self._make_room(component, chosen)
            chosen = chosen or self._create(component)
            self._start(chosen)
        self._chosen.append(chosen)
        self._await_health(chosen)

    def remove(self, instances: Iterable[Instance]) -> None:
        """Stop and remove these."""
        for instance in instances:
            self._stop(instance)
            with self._change("remove", instance):
                self._place.instances.remove(instance)

    def _adoptable(self, component: ComponentSpec) -> Instance | None:
        fitting = [i for i in self._of(component) if self._fits(component, i)]
        return max(fitting, key=lambda i: (i.running, not i.parked), default=None)

    def _fits(self, component: ComponentSpec, made: Instance) -> bool:
        same = made.spec.config_digest == component.config_digest and component.accepts(made.spec.digest)
        if not same or not may_adopt(self._claim, made.claim, is_rollback=self._spec.is_rollback):
            return False
        return made.claim.number == self._claim.number or not made.running or made.health[0] == Health.HEALTHY

    def _make_room(self, component: ComponentSpec, chosen: Instance | None) -> None:
        old = [i for i in self._of(component) if i is not chosen]
        wanted = _ports(component)
        evicted = [i for i in self._place.instances if i.spec.name != component.name and i.running and i.ports & wanted]
        going_back = chosen is not None and chosen.claim.number != self._claim.number
        kept = [] if going_back else sorted(old, key=lambda i: (i.parked, str(i.started)))[-1:]
        for instance in [*evicted, *old]:
            if self._stop(instance):
                self._fail_points.reach("after_stop_old")
            instance.parked = True
        self.remove([i for i in old if i not in kept])

    def _create(self, component: ComponentSpec) -> Instance:
        made = Instance(self._world.next_id(), component, self._spec.release, self._claim, _now())
        with self._change("create", made):
            self._place.instances.append(made)
        self._fail_points.reach("after_create")
        return made

    def _start(self, instance: Instance) -> None:
        with self._change("start", instance):
            instance.started, instance.running, instance.parked, instance.restarts = _now(), True, False, 0

    def _stop(self, instance: Instance) -> bool:
        if not instance.running:
            return False
        with self._change("stop", instance):
            instance.running = False
        return True

    def _await_health(self, instance: Instance) -> None:
        until = time.monotonic() + self._spec.healthy_deadline
        while True:
            self._beat()
            require_highest(self._claim, self._place.claims)
            health, words = instance.health
            if health == Health.HEALTHY:
                return
            if instance.restarts:
                raise self._refusal(Code.START_FAILED, instance, words)
            if time.monotonic() >= until:
                raise self._refusal(Code.UNHEALTHY, instance, words)
            time.sleep(_PAUSE)

    def _refusal(self, code: Code, instance: Instance, words: str) -> Refused:
        fields = {"component": instance.spec.name, "log": words}
        return Refused(code, f"{instance.spec.name} does not become healthy: {words}", fields=fields)

    def _put_back(self) -> None:
        self.remove([i for i in self._chosen if i.claim.number == self._claim.number])
        for instance in [i for i in self._place.instances if i.parked]:
            self._start(instance)

    def _of(self, component: ComponentSpec) -> list[Instance]:
        return [i for i in self._place.instances if i.spec.name == component.name]

    @contextmanager
    def _change(self, event: str, instance: Instance) -> Iterator[None]:
        """Do one thing if ours is the highest claim; the world stands still meanwhile, so looking once is enough."""
        self._beat()
        time.sleep(self._place.delay)
        with self._world.lock:
            require_highest(self._claim, self._place.claims)
            yield
            entry = Entry(event, instance.spec.name, instance.spec.digest, str(self._claim))
            self._place.journal.append(entry)


def _observed(instance: Instance) -> ComponentObservation:
    health, words = instance.health
    return ComponentObservation(
        name=instance.spec.name,
        health=health,
        digest=next(iter(instance.spec.platforms.values()), instance.spec.digest),
        config=instance.spec.config_digest,
        release=instance.release,
        fence=str(instance.claim),
        instance=instance.id,
        created=instance.created,
        since=instance.started,
        restarts=instance.restarts,
        detail=words,
    )


def _ports(component: ComponentSpec) -> set[int]:
    return {int(entry.partition(":")[0]) for entry in component.config.ports}


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
