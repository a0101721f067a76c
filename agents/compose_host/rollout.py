"""Makes one target run its lock under one claim, stop-first, from whatever state a killed worker may have left it in.

What is replaced is decided here, by our own labels, and stopped and removed by id. Compose makes what is missing and starts it in its order;
it is never asked whether something has changed.
"""

from collections.abc import Iterable

from agents.compose_host.hooking import Services
from agents.compose_host.kept import Kept
from agents.compose_host.locking import Lock
from agents.compose_host.plugin import Compose, Ended, Project
from agents.compose_host.project import Ours, called
from agents.compose_host.vigil import Vigil
from agents.cutting import told
from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.engine_errors import Vanished
from agents.docker_host.hands import Hands
from agents.docker_host.hooking import Hooks
from agents.docker_host.judging import last_words
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.compose.reading import LockedService
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost, may_adopt
from fairlead.domain.health import Health
from fairlead.domain.target_kinds.hooks import POST, PRE
from fairlead.ports import Beat, FailPoints

_GRACE = 10.0
_CHANGE = "change"
"""What is marked when the hooks before it have ended: from then on there is something to put back."""


class Rollout:
    """The work of one claim. Before and after every change, and while Compose works, the claims are read; only the highest goes on."""

    def __init__(
        self,
        engine: Engine,
        compose: Compose,
        spec: TargetSpec,
        claim: Claim,
        safe: Safe,
        beat: Beat,
        fail_points: FailPoints,
    ) -> None:
        self._engine, self._compose, self._spec, self._claim, self._safe = engine, compose, spec, claim, safe
        self._beat, self._fail_points = beat, fail_points
        self._ours = Ours(engine, spec)
        self._kept = Kept(engine, self._ours.ground, spec)
        self._hands = Hands(engine, self._ours.ground, spec, claim, beat)
        self._specs = {component.name: component for component in spec.components}

    def run(self, lock: Lock) -> tuple[SentFile, ...]:
        """Bring every service, or put back what was seen healthy last. Answers what hooks have printed."""
        hooks, back = self._hooks(lock), self._kept.lock()
        try:
            hooks.quiet()
            hooks.run(PRE)
            if hooks.has(PRE):
                self._hands.change(lambda: self._ours.ground.put_mark(self._claim, _CHANGE))
            self._bring(lock)
            hooks.run(POST)
        except FenceLost as lost:
            self._unmake(lost)
            raise
        except Refused as refusal:
            if hooks.has(PRE) and not self._ours.ground.has_mark(self._claim, _CHANGE):
                raise
            raise self._put_back(lock, back, refusal) from refusal
        hooks.clear()
        self._ours.remove_networks(but=lock.document.get("networks", {}))
        self._kept.put(lock, self._claim)
        return hooks.sent

    def take_down(self) -> None:
        """Stop and remove all of ours, the last started first. Named volumes stay: they are data."""
        self._clear(self._ours.boxes())
        self._hands.remove(self._ours.ground.hook_boxes())
        self._ours.remove_networks()
        self._kept.remove()

    def _bring(self, lock: Lock) -> None:
        chosen = self._chosen(lock)
        resting = {s.name for s in lock.services if s.called not in chosen or not _serves(s, chosen[s.called])}
        values = lock.values(resting, self._safe)
        self._clear(box for box in self._ours.boxes() if box.id not in {b.id for b in chosen.values()})
        if resting:
            self._make(lock, values, chosen)
            self._fail_points.reach("after_create")
        self._start(lock, values, go=bool(resting))

    def _hooks(self, lock: Lock) -> Hooks:
        engine, ground, hands, spec, claim, safe = (
            self._engine,
            self._ours.ground,
            self._hands,
            self._spec,
            self._claim,
            self._safe,
        )
        services = Services(engine, self._compose, ground, hands, spec, claim, safe, lock, self._beat)
        return Hooks(engine, ground, hands, spec, claim, safe, self._fail_points, services)

    # choosing

    def _chosen(self, lock: Lock) -> dict[str, Box]:
        """What is already as asked and may be kept; one that runs rather than one that does not."""
        found: dict[str, Box] = {}
        services = {service.called: service for service in lock.services}
        for box in sorted(self._ours.boxes(), key=lambda box: (box.running, str(box.created))):
            service = services.get(called(box))
            if service and self._fits(service, box):
                found[service.called] = box
        return found

    def _fits(self, service: LockedService, box: Box) -> bool:
        if box.labels.get(labels.CONFIG) != service.config or box.status in {"paused", "dead", "removing"}:
            return False
        component = self._specs.get(service.component)
        return box.reference == service.image if component is None else self._adoptable(component, box)

    def _adoptable(self, component: ComponentSpec, box: Box) -> bool:
        if not (box.claim and may_adopt(self._claim, box.claim, is_rollback=self._spec.is_rollback)):
            return False
        digests = self._engine.digests(box.image, component.config.repository)
        if not any(component.accepts(digest) for digest in digests):
            return False
        return self._made_here(box) or not box.running or Vigil.is_well(box)

    def _made_here(self, box: Box) -> bool:
        """Whether this or a lower attempt of the same number made it."""
        return box.claim is not None and box.claim.number == self._claim.number

    # changing

    def _clear(self, boxes: Iterable[Box]) -> None:
        """Stop all of these, the last started first, then remove them."""
        going = sorted(boxes, key=lambda box: str(box.started), reverse=True)
        for box in going:
            if box.running:
                self._guard()
                self._engine.stop(box.id, _GRACE if box.grace is None else box.grace, self._beat)
                self._fail_points.reach("after_stop_old")
        for box in going:
            self._guard()
            self._engine.remove(box.id)

    def _make(self, lock: Lock, values: dict[str, str], chosen: dict[str, Box]) -> None:
        self._guard()
        self._ours.refuse_foreign(lock)
        ended = self._compose.create(self._project(lock, values), self._guard)
        self._guard()
        boxes = self._ours.boxes()
        strange = [box for box in boxes if not self._made_here(box) and box.id not in {b.id for b in chosen.values()}]
        if strange:
            raise Vanished(Code.TARGET_UNREACHABLE, f"{strange[0].name} was made meanwhile by somebody else")
        if ended.code:
            raise self._failed(lock, ended)

    def _start(self, lock: Lock, values: dict[str, str], *, go: bool) -> None:
        """Let Compose start it all, watch from the first moment on, and return when all is well."""
        vigil = Vigil(self._engine, self._ours, lock, self._spec.healthy_deadline, self._guard)
        if go:
            ended = self._compose.up(self._project(lock, values), vigil.look, vigil.limit)
            self._guard()
            if ended.code:
                vigil.look(last=True)
                raise self._failed(lock, ended)
        vigil.stay()

    def _failed(self, lock: Lock, ended: Ended) -> Refused:
        """Why Compose gave up, where no container tells."""
        running = {called(box) for box in self._ours.boxes() if box.running}
        self._ours.refuse_taken_ports(lock, but=running)
        return Refused(Code.START_FAILED, f"Docker Compose says: {self._safe.mask_output(ended.words)}")

    def _project(self, lock: Lock, values: dict[str, str]) -> Project:
        return Project(lock.name, self._spec.endpoint, lock.text, values)

    def _guard(self) -> None:
        self._beat()
        self._ours.ground.require(self._claim)

    def _unmake(self, lost: FenceLost) -> None:
        """Remove what we made after a claim of another number was laid; an attempt of our own number takes it over."""
        highest = Claim.parse(str(lost.fields["highest"]))
        since = self._ours.ground.laid(highest)
        if highest.number == self._claim.number or since is None:
            return
        for box in self._ours.boxes():
            if box.claim == self._claim and box.created and box.created > since:
                self._engine.remove(box.id)

    # going back

    def _put_back(self, lock: Lock, back: Lock | None, refusal: Refused) -> Refused:
        """Remove what is new, bring back what was kept, and say so in the refusal."""
        failed = [box for box in self._ours.boxes() if called(box) == refusal.fields.get("component")]
        log = told(self._safe.mask_output("".join(self._words(box, refusal) for box in failed)))
        wanted = {(s.called, s.config) for s in back.services} if back else set()
        self._clear(
            box
            for box in self._ours.boxes()
            if self._made_here(box) or (called(box), box.labels.get(labels.CONFIG)) not in wanted
        )
        self._ours.remove_networks(but=back.document.get("networks", {}) if back else ())
        restored = self._restored(back) if back else []
        detail = "; ".join([refusal.detail, *restored, *([f"its last words:\n{log}"] if log else [])])
        return Refused(refusal.code, detail, fields={**refusal.fields, "log": log, "restored": restored})

    def _words(self, box: Box, refusal: Refused) -> str:
        """What it printed last, of one that keeps ending and is about to be removed: up to an end."""
        if refusal.code != Code.START_FAILED or not self._made_here(box):
            return self._engine.last_words(box.id)
        return last_words(self._engine, box, self._spec.healthy_deadline, self._guard)

    def _restored(self, back: Lock) -> list[str]:
        """What is said of what runs again."""
        there = {called(box) for box in self._ours.boxes() if box.running}
        try:
            values = back.values({s.name for s in back.services if s.called not in there}, self._safe)
            for step in (self._compose.create, self._started):
                if (ended := step(self._project(back, values), self._guard)).code:
                    return [f"the old ones could not be put back: {self._safe.mask_output(ended.words)}"]
        except FenceLost:
            raise
        except Refused as refusal:
            return [f"the old ones could not be put back: {refusal.detail}"]
        vigil = Vigil(self._engine, self._ours, back, self._spec.healthy_deadline, self._guard)
        health = vigil.outcome()
        return [
            _said(s, health.get(s.called, Health.MISSING))
            for s in back.services
            if s.component and s.called not in there
        ]

    def _started(self, project: Project, watch: Beat) -> Ended:
        return self._compose.up(project, watch, self._spec.healthy_deadline + 60)


def _serves(service: LockedService, box: Box) -> bool:
    """Whether nothing is left to be started of it."""
    return box.running or (service.one_shot and box.status == "exited" and not box.exit_code)


def _said(service: LockedService, health: Health) -> str:
    version = service.labels.get(labels.RELEASE, "")
    return f"{service.component} {version} runs again" + ("" if health == Health.HEALTHY else f", {health}")
