"""Makes one target run its specification under one claim, from whatever state a killed worker may have left it in.

What runs once comes first. The new one is started beside the old one where both can run at a time, else in its place; the old one is kept
until all that is new is healthy.
"""

import time
from collections.abc import Iterable

from agents.cutting import told
from agents.docker_host import container, labels, placement
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.engine_errors import Vanished
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands
from agents.docker_host.health import look
from agents.docker_host.hooking import Containers, Hooks
from agents.docker_host.judging import PAUSE, await_end, await_health, last_words, named
from agents.docker_host.placement import Seat
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost, may_adopt
from fairlead.domain.health import Health
from fairlead.domain.target_kinds.hooks import POST, PRE
from fairlead.ports import Beat, FailPoints


class Rollout:
    """The work of one claim."""

    def __init__(
        self, engine: Engine, spec: TargetSpec, claim: Claim, beat: Beat, fail_points: FailPoints, safe: Safe
    ) -> None:
        self._engine, self._spec, self._claim, self._beat, self._fail_points = engine, spec, claim, beat, fail_points
        self._safe = safe
        self._ground = Ground(engine, spec)
        self._hands = Hands(engine, self._ground, spec, claim, beat)
        maker = Containers(engine, self._hands, spec, claim, safe)
        self._hooks = Hooks(engine, self._ground, self._hands, spec, claim, safe, fail_points, maker)
        self._chosen: list[Box] = []
        self._kept: dict[str, Box] = {}

    def run(self) -> tuple[SentFile, ...]:
        """Bring every component in order, then remove whatever else of ours is there. When one fails the whole target goes back.

        Answers what hooks have printed.
        """
        try:
            self._run()
            return self._hooks.sent
        except Vanished:
            self._ground.require(self._claim)  # whoever took it away may be who goes on
            raise

    def _run(self) -> None:
        self._keep(self._left_aside())
        try:
            self._make_networks()
            self._hooks.quiet()
            self._hooks.run(PRE)
            for seat in placement.seats(self._spec):
                self._bring(seat)
            self._hooks.run(POST)
        except FenceLost:
            raise
        except Refused as refusal:
            raise self._put_back(refusal) from refusal
        except Unavailable as hindrance:
            if hindrance.code == Code.TARGET_FULL:
                self._make_do()
            raise
        self._clear()

    def _clear(self) -> None:
        """All that is new is well: the rest goes."""
        chosen = {box.id for box in self._chosen}
        for box in [box for box in self._ground.boxes() if box.id not in chosen]:
            if box.running:
                self._hands.stop(box)
                self._fail_points.reach("after_stop_old")
            self._hands.discard(box)
        self._hooks.clear()
        self._remove_networks(but={n for c in self._spec.components for n in self._networks(c)})

    def take_down(self) -> None:
        """Stop and remove all containers of ours, the last started first. Volumes stay: they are data."""
        self._hands.remove(sorted(self._ground.boxes(), key=lambda box: str(box.started), reverse=True))
        self._hands.remove(self._ground.hook_boxes())
        self._remove_networks(but=set())

    def _bring(self, seat: Seat) -> None:
        """Adopt or replace one container, and return when it is healthy, or has ended well."""
        boxes = [box for box in self._ground.boxes(seat.component.name) if box.slot == seat.slot]
        main = self._main(seat)
        chosen = self._adoptable(seat.component, [b for b in boxes if b.beside == main and not b.cut_off])
        self._keep_for(seat, boxes, chosen)
        if chosen is None or not (chosen.running or chosen.has_run):
            if chosen is None:
                self._safe.of(seat.component)  # before the old one is stopped
            self._make_room(seat, chosen)
            with named(seat):
                chosen = self._placed(seat, chosen)
                self._chosen.append(chosen)
                self._go(seat, chosen)
        else:
            self._chosen.append(chosen)
        well = await_end if seat.runs_once else await_health
        well(self._engine, seat, chosen, self._spec.healthy_deadline, self._hands.guard)

    def _main(self, seat: Seat) -> str | None:
        """The container whose network a sidecar has. Raises Refused (start_failed) where nothing is to be had."""
        found = next((box.id for box in self._chosen if seat.beside == box.component), None)
        if seat.beside and found is None:
            detail = f"there is no {seat.beside} that {seat.component.name} could be beside"
            raise Refused(Code.START_FAILED, detail, fields={"component": seat.component.name})
        return found

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
        stays = box.running or box.runs_once  # by itself; what is only to be started is judged afterwards
        return self._hands.made_here(box) or not stays or self._is_healthy(component, box)

    def _is_healthy(self, component: ComponentSpec, box: Box) -> bool:
        return look(box, component.config.health, self._engine.probe)[0] == Health.HEALTHY

    def _left_aside(self) -> list[Box]:
        """What a killed worker put aside: for each place the latest."""
        parked = [box for box in self._ground.boxes() if box.parked]
        return list({box.slot: box for box in sorted(parked, key=lambda box: str(box.started))}.values())

    def _keep_for(self, seat: Seat, boxes: Iterable[Box], chosen: Box | None) -> None:
        """Decide what to go back to: one put aside (its successor was never seen healthy), else the one that has the name.

        Going back to an older container has nothing better to go back to.
        """
        kept = [box for box in self._kept.values() if box.slot == seat.slot]
        if chosen and not self._hands.made_here(chosen):
            for box in kept:
                del self._kept[box.id]
        elif not kept:
            self._keep([box for box in boxes if chosen is None or box.id != chosen.id][-1:])

    def _keep(self, boxes: Iterable[Box]) -> None:
        """Remember what may have to come back, as it is named now."""
        self._kept.update({box.id: box for box in boxes})

    # changing

    def _make_room(self, seat: Seat, chosen: Box | None) -> None:
        """Stop what is in the way, in this place or on its ports, and put aside what may have to come back."""
        ports = set(container.published(seat.component.config))
        others = [box for box in self._ground.boxes() if chosen is None or box.id != chosen.id]
        own = [box for box in others if box.slot == seat.slot]
        evicted = [b for b in others if b.slot != seat.slot and b.running and ports & set(b.ports)]
        beside = self._may_overlap(seat, own)
        if not beside:  # what has their network is to be started after them, too, if they come back
            ours = {box.id for box in own}
            evicted += [box for box in others if box.running and box.beside in ours]
        self._keep(evicted)
        for box in [*evicted, *own]:
            if box.running and not (beside and box.slot == seat.slot and box.id in self._kept):
                self._hands.stop(box)
                self._fail_points.reach("after_stop_old")
            if box.id in self._kept:
                name = box.name if box.parked else labels.parked_name(box.name, self._claim)
                self._keep([self._hands.rename(box, name)])
            else:
                self._hands.discard(box)

    def _may_overlap(self, seat: Seat, own: Iterable[Box]) -> bool:
        """Whether the new one may start while the old one runs: never on the same host port, nor on the host's own network."""
        ports = set(container.published(seat.component.config))
        if seat.runs_once or any(ports & set(box.ports) for box in own) or not placement.bears_two(seat.block):
            return False
        return bool(seat.beside or self._networks(seat.component)) or self._engine.has_bridge()

    def _placed(self, seat: Seat, chosen: Box | None) -> Box:
        """The container under its name, made if there is none."""
        name = labels.container_name(self._spec, *seat.slot)
        return self._hands.rename(chosen, name) if chosen else self._created(seat)

    def _created(self, seat: Seat) -> Box:
        if seat.runs_once and self._ground.has_mark(self._claim, seat.component.name):
            detail = f"{seat.component.name} has been run for this deployment already, and what it left is gone"
            raise Refused(Code.ONE_SHOT_FAILED, detail, fields={"component": seat.component.name})
        made = self._hands.create(self._recipe(seat))
        self._fail_points.reach("after_create")
        return made

    def _go(self, seat: Seat, box: Box) -> None:
        """Start it; before its first start it gets its files and networks. What runs once is marked, so that it does."""
        if labels.UNRUN in box.labels:
            return
        if box.status == "created":
            self._hands.furnished(box, self._recipe(seat), self._spec, seat)
        if seat.runs_once:
            self._hands.change(lambda: self._ground.put_mark(self._claim, seat.component.name))
        self._hands.start(box)

    def _networks(self, component: ComponentSpec) -> dict[str, bool]:
        return placement.networks(self._spec, placement.block_of(component.config))

    def _make_networks(self) -> None:
        own = {name for c in self._spec.components for name, is_own in self._networks(c).items() if is_own}
        for name in sorted(own):
            if not self._engine.network(name):
                self._hands.change(lambda name=name: self._engine.create_network(name, labels.of_data(self._spec)))  # type: ignore[misc]

    def _remove_networks(self, but: set[str]) -> None:
        for network in self._engine.networks(labels.of_data(self._spec)):
            if network["Name"] not in but:
                self._hands.change(lambda id=network["Id"]: self._engine.remove_network(id))  # type: ignore[misc]

    def _recipe(self, seat: Seat) -> container.Recipe:
        bridge, secrets = self._engine.has_bridge(), self._safe.of(seat.component)
        return container.recipe(
            self._spec, seat, self._claim, bridge=bridge, secrets=secrets, beside=self._main(seat) or ""
        )

    # going back

    def _put_back(self, refusal: Refused) -> Refused:
        """Remove what is new, start what was put aside again, and say so in the refusal."""
        failed = [box for box in self._chosen if box.component == refusal.fields.get("component")]
        log = told(self._safe.mask_output("".join(self._words(box, refusal) for box in failed)))
        self._hands.remove(box for box in reversed(self._chosen) if self._hands.made_here(box))
        back = [words for box in self._kept.values() if (words := self._back(box))]
        detail = "; ".join([refusal.detail, *back, *([f"its last words:\n{log}"] if log else [])])
        return Refused(refusal.code, detail, fields={**refusal.fields, "log": log, "restored": back})

    def _make_do(self) -> None:
        """Till there is room, and the next attempt comes, what was put aside runs again, where there is room for that.

        What runs once and has been run stays: it is not run again.
        """
        try:
            self._hands.remove(b for b in reversed(self._chosen) if self._hands.made_here(b) and not b.runs_once)
            for kept in self._kept.values():
                if not (box := self._engine.inspect(kept.id)).running and not box.runs_once:
                    self._hands.start(box)
        except FenceLost:
            raise
        except FairleadError:
            return

    def _words(self, box: Box, refusal: Refused) -> str:
        """What it printed last, of one that keeps ending and is about to be removed: up to an end."""
        if refusal.code != Code.START_FAILED or not self._hands.made_here(box):
            return self._engine.last_words(box.id)
        return last_words(self._engine, box, self._spec.healthy_deadline, self._beat)

    def _back(self, box: Box) -> str:
        """What is said of it, also where it does not start: the others are to come back all the same."""
        try:
            return self._restored(box)
        except FenceLost:
            raise
        except Refused as refusal:
            return f"{box.component} could not be put back: {refusal.detail}"

    def _restored(self, box: Box) -> str:
        """What is said of it; nothing of what has only left its container."""
        box = self._hands.rename(box, labels.own_name(box.name))
        if box.runs_once:
            return ""
        again = "runs on" if box.running else "runs again"
        if not box.running:
            self._hands.start(box)
        until = time.monotonic() + self._spec.healthy_deadline
        health = Health.STARTING
        while health != Health.HEALTHY and time.monotonic() < until:
            self._beat()
            health, _ = look(self._engine.inspect(box.id), labels.health_in(box.labels), self._engine.probe)
            time.sleep(PAUSE)
        version = box.labels.get(labels.RELEASE, "")
        return f"{box.component} {version} {again}" + ("" if health == Health.HEALTHY else f", {health}")
