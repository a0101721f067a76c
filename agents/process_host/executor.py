"""The executor of every host whose components are supervised processes (ports.Executor), wherever the host is.

It says in plain data what is wanted, brings images there, and reads what comes back.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import UTC, datetime

from agents.probe import host_port
from agents.process_host.confidences import file_name
from agents.process_host.folder import HANDED_OVER
from agents.process_host.lookup import host_ports
from agents.process_host.place import Place
from agents.process_host.pull import bring
from agents.process_host.records import Errand, Job, Part, RunSpec, SeenComponent
from agents.secrets import Safe, opened, references, require_secrets
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import (
    ComponentObservation,
    ComponentSpec,
    SentFile,
    Sticker,
    TargetAddress,
    TargetObservation,
    TargetSpec,
)
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.health import Health
from fairlead.domain.target_kinds.hooks import POST, PRE, Hook, hooks_of
from fairlead.ports import Beat, FailPoints, NoFailPoints, NoSecrets, Secrets

Address = TargetAddress | TargetSpec
Opening = Callable[[Address], AbstractContextManager[Place]]


class PlacedExecutor:
    """`open` leads to the place that an address names; images come out of `images`."""

    def __init__(
        self, images: ImageStore, open: Opening, fail_points: FailPoints | None = None, secrets: Secrets | None = None
    ) -> None:
        self._images, self._open = images, open
        self._fail_points, self._secrets = fail_points or NoFailPoints(), secrets or NoSecrets()

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Pull, verify and unpack everything, find every command, look for taken ports."""
        with self._open(spec) as place:
            job = job_of(spec)
            bring(self._images, place, job, _repositories(spec), _Worker(beat))
            place.prepare(job)
            require_secrets(self._secrets, spec)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        with opened(self._secrets, spec) as safe, self._open(spec) as place:
            job, worker = job_of(spec), _Worker(beat, self._fail_points, safe, spec)
            bring(self._images, place, job, _repositories(spec), worker)
            applied = place.apply(job, claim, worker)
            started = (_sent(plan, c) for plan, c in zip(applied.plans, spec.components, strict=True))
            printed = (SentFile(name=f"{id}.hook.log", content=text) for id, text in applied.printed.items())
            return (*started, *printed)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by the target's own word."""
        try:
            with self._open(address) as place:
                seen = place.observe(owner_of(address))
        except Unavailable as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)
        return TargetObservation(
            target=address.target,
            reachable=True,
            fence=seen.fence,
            components=_observations(seen.components),
            detail=seen.detail,
        )

    def check(self, address: TargetAddress) -> TargetFacts:
        """Have the host tell of itself (ports.Checks)."""
        with self._open(address) as place:
            told = place.fitness()
        here = {"time": datetime.fromtimestamp(told["time"], UTC), "capabilities": tuple(told["capabilities"])}
        return TargetFacts(**{**told, **here})

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """The end of what the component's present run printed."""
        with self._open(address) as place:
            return place.logs(owner_of(address), component, lines)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there, and nothing else."""
        with self._open(spec) as place:
            place.retire(owner_of(spec), claim, _Worker(beat, self._fail_points))

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Leave what runs as it is, with whoever keeps it alive; from then on it is not ours."""
        with self._open(spec) as place:
            place.hand_over(owner_of(spec), claim, _Worker(beat, self._fail_points))

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        with self._open(address) as place:
            record = place.read_sticker(owner_of(address))
            return None if record in (None, HANDED_OVER) else Sticker.model_validate(record)

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        with self._open(address) as place:
            place.write_sticker(owner_of(address), sticker.model_dump(mode="json"), claim)


class _Worker:
    """place.Orderer: this worker, while one specification is worked on."""

    def __init__(
        self,
        beat: Beat,
        fail_points: FailPoints | None = None,
        safe: Safe | None = None,
        spec: TargetSpec | None = None,
    ) -> None:
        self._beat, self._fail_points, self._safe = beat, fail_points or NoFailPoints(), safe
        self._components = {component.name: component for component in spec.components} if spec else {}

    def beat(self) -> None:
        """Go on, if we still may."""
        self._beat()

    def reach(self, name: str) -> None:
        """A place where tests kill us."""
        self._fail_points.reach(name)

    def secrets(self, component: str) -> dict[str, str]:
        """Read where they are used."""
        return self._safe.of(self._components[component]) if self._safe else {}

    def mask_output(self, text: str) -> str:
        """Withheld where it cannot be masked."""
        return self._safe.mask_output(text) if self._safe else text


def owner_of(address: Address) -> dict[str, str]:
    """Whose target it is."""
    return {"project": address.project, "environment": address.environment, "target": address.target}


def job_of(spec: TargetSpec) -> Job:
    """A specification as plain data."""
    return Job(
        owner=owner_of(spec),
        parts=tuple(_part(spec, component) for component in spec.components),
        healthy_deadline=spec.healthy_deadline,
        is_rollback=spec.is_rollback,
    )


def _part(spec: TargetSpec, component: ComponentSpec) -> Part:
    config = component.config
    return Part(
        component=component.name,
        digest=component.digest,
        command=config.command,
        env=config.env,
        ports=host_ports(config.ports),
        stop_grace=config.stop_grace,
        labels=_labels(spec, component),
        health=config.health.model_dump() if config.health else None,
        probe_port=host_port(config.ports, config.health.port) if config.health else 0,
        secrets=file_name(component.config_digest) if config.secrets else None,
        errands=tuple(_errand(hook) for when in (PRE, POST) for hook in hooks_of(component.name, config.run, when)),
    )


def _errand(hook: Hook) -> Errand:
    """Raises BadInput for one with an image: the last layers come after the catalogue was checked."""
    if hook.image:
        raise BadInput(Code.NOT_SUPPORTED_YET, f"{hook.id} has an image of its own, and there are no containers here")
    return Errand(hook.id, hook.component, hook.when, hook.name, hook.command, hook.timeout)


def _labels(spec: TargetSpec, component: ComponentSpec) -> dict[str, str]:
    """As on a container (interface.md 7); the fence comes with the claim."""
    return {
        **owner_of(spec),
        "component": component.name,
        "release": spec.release,
        "digest": component.digest,
        "config": component.config_digest,
        "deployment": spec.deployment,
        "decision": spec.decision,
    }


def _repositories(spec: TargetSpec) -> dict[str, str]:
    return {component.digest: component.config.repository for component in spec.components}


def _observations(seen: Sequence[SeenComponent]) -> tuple[ComponentObservation, ...]:
    return tuple(
        ComponentObservation(
            name=component.name,
            health=Health(component.health),
            digest=component.digest,
            config=component.config,
            release=component.release,
            fence=component.fence,
            instance=component.instance,
            created=_time(component.created),
            since=_time(component.since),
            restarts=component.restarts,
            detail=component.detail,
        )
        for component in seen
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _sent(plan: RunSpec, component: ComponentSpec) -> SentFile:
    document = {**asdict(plan), "secrets": references(component)}
    return SentFile(name=f"{plan.component}.run.json", content=json.dumps(document, indent=2, default=str) + "\n")
