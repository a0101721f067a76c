"""A target of its own for one test, on whatever harness, and the specifications to put it through."""

import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.release import RenderedConfig, RenderedHealth, SecretUse
from fairlead.contracts.target import ComponentObservation, ComponentSpec, Sticker, TargetAddress, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.targets.harness import Harness, Image, Tally, free_port

PROJECT, ENVIRONMENT = "suite", "test"
DECISION = "sha256:" + "d" * 64
_numbers = itertools.count(1)


def nobeat() -> None:
    """Nobody waits for a sign of life."""


class Killed(BaseException):
    """Stands for a worker that dies at a fail point. Not an Exception, so that no clean-up code can mistake it for an error."""


@dataclass
class KillAt:
    """Fail points of a worker that dies the first time it reaches a place."""

    name: str

    def reach(self, name: str) -> None:
        if name == self.name:
            raise Killed(name)


@dataclass
class Bench:
    """One target. `apply` is what a worker does for one attempt; every call may be on a new executor."""

    harness: Harness
    target: str = field(default_factory=lambda: f"t{next(_numbers)}")
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> TargetAddress:
        return TargetAddress(
            project=PROJECT,
            environment=ENVIRONMENT,
            target=self.target,
            type=self.harness.type,
            endpoint=self.harness.endpoint(self.target),
            options=self.options,
        )

    @property
    def options(self) -> dict[str, Any]:
        """The target's own, where its type has any."""
        return dict(getattr(self.harness, "options", {}))

    def component(self, image: Image, env: Mapping[str, str] | None = None, name: str = "web", port: int = 0):
        config = RenderedConfig(
            component=name,
            repository=image.repository,
            target_type=self.harness.type,
            endpoint=self.address.endpoint,
            ports=(f"{port or self.port}:8080",),
            env=dict(env or {}),
            health=RenderedHealth(http=self.harness.health_path, port=8080, interval=0.1, timeout=1.0, retries=2),
            stop_grace=2.0,
            options=self.options or None,
        )
        return ComponentSpec(
            name=name,
            digest=image.digest,
            platforms=dict(image.platforms),
            config_digest=digest_of(config),
            config=config,
        )

    def spec(self, *components: ComponentSpec, release: str = "1.0.0", rollback: bool = False, deadline: float = 15.0):
        dress = getattr(self.harness, "dress", list)  # where components say how they run on such targets
        return TargetSpec(
            **self.address.model_dump(exclude={"options"}),
            release=release,
            deployment=f"deployment-of-{release}",
            decision=DECISION,
            is_rollback=rollback,
            healthy_deadline=max(deadline, getattr(self.harness, "shortest", 0.0)),
            components=dress(components),
        )

    def of(self, version: str, env: Mapping[str, str] | None = None, **options) -> TargetSpec:
        """The usual specification: one component in a version, under an environment."""
        return self.spec(self.component(self.harness.image(version), env), release=version, **options)

    def apply(
        self, spec: TargetSpec, number: int, attempt: int = 1, *, die_at: str = "", beat=nobeat, secrets=None
    ) -> None:
        """Prepare and apply as a new worker would."""
        executor = self.harness.executor(KillAt(die_at) if die_at else None, secrets)
        executor.prepare(spec, beat)
        executor.apply(spec, Claim(number, attempt), beat)

    def die(self, spec: TargetSpec, number: int, attempt: int = 1, *, at: str, secrets=None) -> None:
        """Apply by a worker that is killed at a fail point."""
        with pytest.raises(Killed):
            self.apply(spec, number, attempt, die_at=at, secrets=secrets)

    def see(self) -> dict[str, ComponentObservation]:
        """What is observed now, by component."""
        observation = self.harness.executor().observe(self.address)
        assert observation.reachable, observation.detail
        return {component.name: component for component in observation.components}

    def runs(self, spec: TargetSpec) -> bool:
        """Whether exactly what the specification asks is seen running and healthy."""
        seen = self.see()
        return seen.keys() == {c.name for c in spec.components} and all(
            component.accepts(seen[component.name].digest)
            and seen[component.name].config == component.config_digest
            and seen[component.name].health == Health.HEALTHY
            for component in spec.components
        )

    def tally(self) -> Tally:
        return self.harness.tally(self.address)

    def sticker(self, spec: TargetSpec, fence: str) -> Sticker:
        return Sticker(
            project=spec.project,
            environment=spec.environment,
            target=spec.target,
            release=spec.release,
            deployment=spec.deployment,
            decision=spec.decision,
            fence=fence,
            components={c.name: c.digest for c in spec.components},
            configs={c.name: c.config_digest for c in spec.components},
        )

    def close(self) -> None:
        self.harness.clear(self.address)


def with_config(component: ComponentSpec, **changes: object) -> ComponentSpec:
    """The same component under another configuration; its digest stays, for nobody compares it here."""
    return component.model_copy(update={"config": component.config.model_copy(update=changes)})


def with_secrets(component: ComponentSpec, **uses: SecretUse) -> ComponentSpec:
    """The same component with secrets, which its digest covers."""
    config = component.config.model_copy(update={"secrets": uses})
    return component.model_copy(update={"config": config, "config_digest": digest_of(config)})


def eventually(holds: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Poll until it holds or the time is up."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def ask(bench: Bench, path: str = "/") -> dict[str, Any]:
    """What the application says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{bench.port}{path}", timeout=5) as answer:
        return dict(json.load(answer))
