"""Hooks on an engine: one-shot containers, one after the other, each once in a deployment. Who makes them differs by target type.

A hook's container stays until the next deployment, also when it failed: it says that it has been run, and what came of it. The mark beside the
claim says the former also when somebody has pruned containers.
"""

import time
from collections.abc import Iterator
from typing import Protocol

from agents.docker_host import container, labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.hands import Hands
from agents.docker_host.judging import PAUSE
from agents.docker_host.placement import Seat, block_of
from agents.secrets import Safe
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.docker_section import SECTION
from fairlead.domain.target_kinds.hooks import KEPT_LENGTH, KEPT_LINES, POST, PRE, Hook, failed, hooks_of, starting
from fairlead.ports import FailPoints

_NOT_OF_ONE_SHOTS = ("replicas", "order", "restart", "timeout", "role", "beside")


class Maker(Protocol):
    """How a hook becomes a container, under the one claim that all of it is done for."""

    def make(self, component: ComponentSpec, hook: Hook) -> Box:
        """Make its container, and start nothing."""

    def start(self, component: ComponentSpec, hook: Hook, box: Box) -> None:
        """Start one that was made. Raises Refused (start_failed)."""


class Hooks:
    """Those of one task. `printed`: what each printed, masked, by the name of a file."""

    def __init__(
        self,
        engine: Engine,
        ground: Ground,
        hands: Hands,
        spec: TargetSpec,
        claim: Claim,
        safe: Safe,
        fail_points: FailPoints,
        maker: Maker,
    ) -> None:
        self._engine, self._ground, self._hands, self._spec, self._claim = engine, ground, hands, spec, claim
        self._safe, self._fail_points, self._maker = safe, fail_points, maker
        self.printed: dict[str, str] = {}

    def run(self, when: str) -> None:
        """Run them in start order. Raises Refused (hook_failed)."""
        for component in self._spec.components:
            for hook in hooks_of(component.name, component.config.run, when):
                with starting(hook):
                    box = self._started(component, hook, self._box(hook) or self._made(component, hook))
                self._await(hook, box)

    def has(self, when: str) -> bool:
        """Whether there are any."""
        return any(hooks_of(component.name, component.config.run, when) for component in self._spec.components)

    def quiet(self) -> None:
        """Stop what a killed deployment still runs."""
        for box in self._ground.hook_boxes():
            if box.running and not self._hands.made_here(box):
                self._hands.stop(box)

    def clear(self) -> None:
        """Remove what earlier deployments left."""
        for box in self._ground.hook_boxes():
            if not self._hands.made_here(box):
                self._hands.discard(box)

    @property
    def sent(self) -> tuple[SentFile, ...]:
        """What they printed, to be kept."""
        return tuple(SentFile(name=name, content=text) for name, text in self.printed.items())

    def _box(self, hook: Hook) -> Box | None:
        """What this or a lower attempt has made for it."""
        boxes = self._ground.hook_boxes()
        return next((b for b in boxes if b.labels.get(labels.ONCE) == hook.id and self._hands.made_here(b)), None)

    def _made(self, component: ComponentSpec, hook: Hook) -> Box:
        if self._ground.has_mark(self._claim, hook.id):
            raise self._failed(hook, None, "has been run for this deployment already, and what it left is gone")
        made = self._maker.make(component, hook)
        self._fail_points.reach("after_create")
        return made

    def _started(self, component: ComponentSpec, hook: Hook, box: Box) -> Box:
        """Start it. Before that it is marked, so that it is run once."""
        if box.status == "created":
            self._hands.change(lambda: self._ground.put_mark(self._claim, hook.id))
            self._maker.start(component, hook, box)
            self._fail_points.reach("after_hook_start")
        return box

    def _await(self, hook: Hook, box: Box) -> None:
        until = time.monotonic() + hook.timeout
        while (box := self._engine.inspect(box.id)).running:
            self._hands.guard()
            if time.monotonic() >= until:
                self._hands.stop(box)
                raise self._failed(hook, box, f"did not end within {hook.timeout:g} s")
            time.sleep(PAUSE)
        self.printed[hook.log] = self._words(box)
        if box.exit_code:
            raise self._failed(hook, box, f"ended with exit code {box.exit_code}")

    def _words(self, box: Box) -> str:
        return self._safe.mask_output(self._engine.last_words(box.id, KEPT_LINES, KEPT_LENGTH))

    def _failed(self, hook: Hook, box: Box | None, what: str) -> Refused:
        log = self._words(box) if box else ""
        said = f"; its last words:\n{log}" if log else ""
        return failed(hook, f"{what}{said}", log)


class Containers:
    """Makes them as a Docker host makes its components."""

    def __init__(self, engine: Engine, hands: Hands, spec: TargetSpec, claim: Claim, safe: Safe) -> None:
        self._engine, self._hands, self._spec, self._claim, self._safe = engine, hands, spec, claim, safe

    def make(self, component: ComponentSpec, hook: Hook) -> Box:
        """As Maker.make."""
        return self._hands.create(self._recipe(component, hook))

    def start(self, component: ComponentSpec, hook: Hook, box: Box) -> None:
        """As Maker.start; before that it gets its files and networks."""
        seat = Seat(as_component(component, hook))
        self._hands.start(self._hands.furnished(box, self._recipe(component, hook), self._spec, seat))

    def _recipe(self, component: ComponentSpec, hook: Hook) -> container.Recipe:
        bridge, secrets = self._engine.has_bridge(), self._safe.of(component)
        seat = Seat(as_component(component, hook))
        made = container.recipe(self._spec, seat, self._claim, bridge=bridge, secrets=secrets)
        body = {**made.body, "labels": labels_of(self._spec, self._claim, hook)}
        return container.Recipe(name_of(self._spec, self._claim, hook), body, made.host, made.files)


def forget_ended(ground: Ground, hands: Hands) -> None:
    """Remove what hooks have left on a target that is handed over; one that runs still runs on."""
    for box in ground.hook_boxes():
        if not box.running:
            hands.discard(box)


def name_of(spec: TargetSpec, claim: Claim, hook: Hook) -> str:
    """The name of a hook's container."""
    return f"{labels.stem(spec)}-hook-{claim.number}.{hook.id}"


def labels_of(spec: TargetSpec, claim: Claim, hook: Hook) -> dict[str, str]:
    """What it carries: it is no component."""
    return {**labels.of_release(spec, claim), labels.KIND: labels.HOOK, labels.ONCE: hook.id}


def as_component(component: ComponentSpec, hook: Hook) -> ComponentSpec:
    """A hook as something to be run: in the component's environment, networks and volumes, from its image or a given one."""
    config = component.config
    repository, _, digest = hook.image.partition("@")
    block = {key: said for key, said in block_of(config).items() if key not in _NOT_OF_ONE_SHOTS}
    said = {"command": hook.command, "ports": (), "health": None, "repository": repository or config.repository}
    run = {**(config.run or {}), SECTION: {**block, "restart": "no"}}
    return component.model_copy(
        update={
            "name": hook.id,  # nobody is to find it in its component's place
            "digest": digest or component.digest,
            "config": config.model_copy(update={**said, "run": run}),
        }
    )


def images_of(spec: TargetSpec) -> Iterator[ComponentSpec]:
    """What hooks need beside the components' own images."""
    for component in spec.components:
        for when in (PRE, POST):
            yield from (
                as_component(component, h) for h in hooks_of(component.name, component.config.run, when) if h.image
            )
