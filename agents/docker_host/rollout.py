"""Makes one target run its specification under one claim, stop-first, from whatever state a killed worker may have left it in."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from agents.docker_host import container, labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine, Vanished
from agents.docker_host.ground import Ground
from agents.docker_host.health import look
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost, may_adopt
from fairlead.domain.health import Health
from fairlead.ports import Beat, FailPoints

CRASH_LIMIT = 3
"""Restarts by the engine after which a container that never was healthy is taken for one that never will be."""
_PAUSE = 0.2
_GRACE = 10.0

T = TypeVar("T")


class Rollout:
    """The work of one claim. Before and after every change the claims are read again; only the highest goes on."""

    def __init__(
        self, engine: Engine, spec: TargetSpec, claim: Claim, beat: Beat, fail_points: FailPoints, safe: Safe
    ) -> None:
        self._engine, self._spec, self._claim, self._beat, self._fail_points = engine, spec, claim, beat, fail_points
        self._safe = safe
        self._ground = Ground(engine, spec)
        self._chosen: list[Box] = []
        self._kept: dict[str, Box] = {}

    def run(self) -> None:
        """Bring every component in order, then remove whatever else of ours is there. When one fails the whole target goes back."""
        try:
            self._run()
        except Vanished:
            self._ground.require(self._claim)  # whoever took it away may be who goes on
            raise

    def _run(self) -> None:
        self._keep(self._left_aside())
        try:
            for component in self._spec.components:
                self._bring(component)
        except FenceLost:
            raise
        except Refused as refusal:
            raise self._put_back(refusal) from refusal
        chosen = {box.id for box in self._chosen}
        self._remove(box for box in self._ground.boxes() if box.id not in chosen)

    def take_down(self) -> None:
        """Stop and remove all containers of ours, the last started first."""
        self._remove(sorted(self._ground.boxes(), key=lambda box: str(box.started), reverse=True))

    def _bring(self, component: ComponentSpec) -> None:
        """Adopt or replace one component, and return when it is healthy."""
        boxes = self._ground.boxes(component.name)
        chosen = self._adoptable(component, boxes)
        self._keep_for(component, boxes, chosen)
        if chosen is None or not chosen.running:
            if chosen is None:
                self._safe.of(component)  # before the old one is stopped
            self._make_room(component, chosen)
            chosen = self._placed(component, chosen)
            self._chosen.append(chosen)
            self._furnish(component, chosen)
            self._start(chosen)
        else:
            self._chosen.append(chosen)
        self._await_health(component, chosen)

    # choosing

    def _adoptable(self, component: ComponentSpec, boxes: Iterable[Box]) -> Box | None:
        """What is already as asked and may be kept; one that runs rather than one that does not."""
        fitting = [box for box in boxes if self._fits(component, box)]
        return max(fitting, key=lambda box: (box.running, not box.parked, str(box.created)), default=None)

    def _fits(self, component: ComponentSpec, box: Box) -> bool:
        if not (box.claim and may_adopt(self._claim, box.claim, is_rollback=self._spec.is_rollback)):
            return False
        if box.labels.get(labels.CONFIG) != component.config_digest or box.status in {"paused", "dead", "removing"}:
            return False
        digests = self._engine.digests(box.image, component.config.repository)
        if not any(component.accepts(digest) for digest in digests):
            return False
        return self._made_here(box) or not box.running or _is_healthy(self._engine, box, component)

    def _left_aside(self) -> list[Box]:
        """What a killed worker put aside: for each component the latest."""
        parked = [box for box in self._ground.boxes() if box.parked]
        return list({box.component: box for box in sorted(parked, key=lambda box: str(box.started))}.values())

    def _keep_for(self, component: ComponentSpec, boxes: Iterable[Box], chosen: Box | None) -> None:
        """Decide what to go back to: one put aside (its successor was never seen healthy), else the one that has the name.

        Going back to an older container has nothing better to go back to.
        """
        kept = [box for box in self._kept.values() if box.component == component.name]
        if chosen and not self._made_here(chosen):
            for box in kept:
                del self._kept[box.id]
        elif not kept:
            self._keep([box for box in boxes if chosen is None or box.id != chosen.id][-1:])

    def _keep(self, boxes: Iterable[Box]) -> None:
        """Remember what may have to come back, as it is named now."""
        self._kept.update({box.id: box for box in boxes})

    def _made_here(self, box: Box) -> bool:
        """Whether this or a lower attempt of the same number made it."""
        return box.claim is not None and box.claim.number == self._claim.number

    # changing

    def _make_room(self, component: ComponentSpec, chosen: Box | None) -> None:
        """Stop what is in the way, in this component's place or on its ports, and put aside what may have to come back."""
        ports = set(container.published(component.config))
        others = [box for box in self._ground.boxes() if chosen is None or box.id != chosen.id]
        evicted = [b for b in others if b.component != component.name and b.running and ports & set(b.ports)]
        self._keep(evicted)
        for box in [*evicted, *(b for b in others if b.component == component.name)]:
            if box.running:
                self._stop(box)
                self._fail_points.reach("after_stop_old")
            if box.id in self._kept:
                name = box.name if box.parked else labels.parked_name(box.name, self._claim)
                self._keep([self._renamed(box, name)])
            else:
                self._remove([box])

    def _placed(self, component: ComponentSpec, chosen: Box | None) -> Box:
        """The container under its name, made if there is none."""
        name = labels.container_name(self._spec, component.name)
        return self._renamed(chosen, name) if chosen else self._created(component)

    def _created(self, component: ComponentSpec) -> Box:
        recipe = self._recipe(component)
        refuse_foreign(self._engine, self._ground, recipe.name)
        made = self._change(lambda: self._engine.create(recipe.name, recipe.body, recipe.host), self._engine.remove)
        self._fail_points.reach("after_create")
        return self._engine.inspect(made)

    def _furnish(self, component: ComponentSpec, box: Box) -> None:
        """Put its files into a container that has never run; one that has keeps its own."""
        if box.status == "created" and (files := self._recipe(component).files):
            self._change(lambda: self._engine.put_files(box.id, files))

    def _recipe(self, component: ComponentSpec) -> container.Recipe:
        bridge, secrets = self._engine.has_bridge(), self._safe.of(component)
        return container.recipe(self._spec, component, self._claim, bridge=bridge, secrets=secrets)

    def _start(self, box: Box) -> None:
        undo = self._engine.remove if self._made_here(box) else None
        self._change(lambda: self._started(box.id), undo)

    def _started(self, id: str) -> str:
        self._engine.start(id)
        return id

    def _renamed(self, box: Box, name: str) -> Box:
        if box.name != name:
            self._change(lambda: self._engine.rename(box.id, name))
        return self._engine.inspect(box.id)

    def _stop(self, box: Box) -> None:
        graces = {component.name: component.config.stop_grace for component in self._spec.components}
        self._change(lambda: self._engine.stop(box.id, graces.get(box.component, _GRACE), self._beat))

    def _remove(self, boxes: Iterable[Box]) -> None:
        for box in boxes:
            if box.running:
                self._stop(box)
            self._change(lambda box=box: self._engine.remove(box.id))  # type: ignore[misc]

    def _change(self, action: Callable[[], T], undo: Callable[[T], None] | None = None) -> T:
        """Do one thing, if ours is the highest claim before and after it.

        What a lower claim has just made it unmakes, unless the higher one is a later attempt of the same number, which takes it over.
        """
        self._beat()
        self._ground.require(self._claim)
        done = action()
        try:
            self._ground.require(self._claim)
        except FenceLost as lost:
            if undo and Claim.parse(str(lost.fields["highest"])).number != self._claim.number:
                undo(done)
            raise
        return done

    # judging

    def _await_health(self, component: ComponentSpec, box: Box) -> None:
        """Return when it is healthy. Raises Refused: start_failed when it keeps ending, unhealthy when the time is up."""
        until = time.monotonic() + self._spec.healthy_deadline
        restarts = box.restarts if box.running else 0
        while True:
            self._beat()
            self._ground.require(self._claim)
            box = self._engine.inspect(box.id)
            health, words = look(box, component.config.health, self._engine.probe)
            if health == Health.HEALTHY:
                return
            if box.status in {"exited", "dead"} or box.restarts - restarts >= CRASH_LIMIT:
                raise self._refusal(Code.START_FAILED, component, f"{component.name} does not stay up: {words}")
            if time.monotonic() >= until:
                late = f"{component.name} was not healthy within {self._spec.healthy_deadline:g} s: {words}"
                raise self._refusal(Code.UNHEALTHY, component, late)
            time.sleep(_PAUSE)

    def _refusal(self, code: Code, component: ComponentSpec, detail: str) -> Refused:
        return Refused(code, detail, fields={"component": component.name})

    def _put_back(self, refusal: Refused) -> Refused:
        """Remove what is new, start what was put aside again, and say so in the refusal."""
        failed = [box for box in self._chosen if box.component == refusal.fields.get("component")]
        log = self._safe.mask_output("".join(self._engine.last_words(box.id) for box in failed))
        self._remove(box for box in reversed(self._chosen) if self._made_here(box))
        back = [self._restored(box) for box in self._kept.values()]
        detail = "; ".join([refusal.detail, *back, *([f"its last words:\n{log}"] if log else [])])
        return Refused(refusal.code, detail, fields={**refusal.fields, "log": log, "restored": back})

    def _restored(self, box: Box) -> str:
        box = self._renamed(box, labels.own_name(box.name))
        if not box.running:
            self._start(box)
        until = time.monotonic() + self._spec.healthy_deadline
        health = Health.STARTING
        while health != Health.HEALTHY and time.monotonic() < until:
            self._beat()
            health, _ = look(self._engine.inspect(box.id), labels.health_in(box.labels), self._engine.probe)
            time.sleep(_PAUSE)
        version = box.labels.get(labels.RELEASE, "")
        return f"{box.component} {version} runs again" + ("" if health == Health.HEALTHY else f", {health}")


def refuse_foreign(engine: Engine, ground: Ground, name: str) -> None:
    """Raise Refused (foreign_workload) when somebody else's container has the name that ours needs."""
    occupant = engine.named(name)
    if occupant and not ground.owns(occupant):
        raise Refused(
            Code.FOREIGN_WORKLOAD,
            f"a container named {name} is there, and is not one of ours",
            hint="rename or remove it",
            fields={"container": occupant.id, "name": name},
        )


def _is_healthy(engine: Engine, box: Box, component: ComponentSpec) -> bool:
    return look(box, component.config.health, engine.probe)[0] == Health.HEALTHY
