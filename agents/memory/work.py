"""What one claim does on one target in memory: adopt or replace, stop-first, and take the whole target back when that fails."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from agents.memory.world import Entry, Instance, Place, World, now, ports_of
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost, may_adopt, require_highest
from fairlead.domain.health import Health
from fairlead.ports import Beat, FailPoints, NoSecrets

_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
"""Seconds between looks: short ones for what starts at once, and hundreds of slow ones must not look all the time."""


class Work:
    """What one claim does on one target."""

    def __init__(
        self,
        world: World,
        place: Place,
        spec: TargetSpec,
        claim: Claim,
        beat: Beat,
        fail_points: FailPoints,
        safe: Safe | None = None,
    ) -> None:
        self._world, self._place, self._spec, self._claim = world, place, spec, claim
        self._beat, self._fail_points = beat, fail_points
        self._safe = safe or Safe(NoSecrets(), spec)
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
            if chosen is None:
                self._safe.of(component)  # before the old one is stopped
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
        wanted = ports_of(component)
        evicted = [i for i in self._place.instances if i.spec.name != component.name and i.running and i.ports & wanted]
        going_back = chosen is not None and chosen.claim.number != self._claim.number
        kept = [] if going_back else sorted(old, key=lambda i: (i.parked, str(i.started)))[-1:]
        for instance in [*evicted, *old]:
            if self._stop(instance):
                self._fail_points.reach("after_stop_old")
            instance.parked = True
        self.remove([i for i in old if i not in kept])

    def _create(self, component: ComponentSpec) -> Instance:
        given = self._safe.of(component)
        made = Instance(self._world.next_id(), component, self._spec.release, self._claim, now(), secrets=given)
        with self._change("create", made):
            self._place.instances.append(made)
        self._fail_points.reach("after_create")
        return made

    def _start(self, instance: Instance) -> None:
        with self._change("start", instance):
            instance.started, instance.running, instance.parked, instance.restarts = now(), True, False, 0

    def _stop(self, instance: Instance) -> bool:
        if not instance.running:
            return False
        with self._change("stop", instance):
            instance.running = False
        return True

    def _await_health(self, instance: Instance) -> None:
        until, pause = time.monotonic() + self._spec.healthy_deadline, _PAUSE
        while True:
            self._beat()
            require_highest(self._claim, self._place.laid)
            health, words = instance.health
            if health == Health.HEALTHY:
                return
            if instance.restarts:
                raise self._refusal(Code.START_FAILED, instance, words)
            if time.monotonic() >= until:
                raise self._refusal(Code.UNHEALTHY, instance, words)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _refusal(self, code: Code, instance: Instance, words: str) -> Refused:
        words = self._safe.mask_output(words)
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
            require_highest(self._claim, self._place.laid)
            yield
            entry = Entry(event, instance.spec.name, instance.spec.digest, str(self._claim))
            self._place.journal.append(entry)
