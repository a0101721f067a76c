"""What a target should run beside what it was seen running: the one comparison behind "succeeded", "verified" and "drifted"."""

from collections.abc import Iterator, Sequence

from fairlead.contracts.base import Frozen
from fairlead.contracts.target import ComponentObservation, ComponentSpec, TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.drift import Kind
from fairlead.domain.health import Health


class Difference(Frozen):
    """One thing that is not as it should be: `target_unreachable`, `observation_differs` or `unhealthy`, by `kind` more exactly."""

    code: Code
    kind: Kind
    detail: str
    component: str | None = None


def compare(expected: Sequence[ComponentSpec], seen: TargetObservation) -> tuple[Difference, ...]:
    """Everything that differs; empty means it is as asked and healthy. What cannot be told is a difference, never fine."""
    if not seen.reachable:
        detail = seen.detail or f"{seen.target} cannot be reached"
        return (Difference(code=Code.TARGET_UNREACHABLE, kind=Kind.UNREACHABLE, detail=detail),)
    return tuple(_differences(expected, seen))


def _differences(expected: Sequence[ComponentSpec], seen: TargetObservation) -> Iterator[Difference]:
    running = {component.name: component for component in seen.components if component.health is not Health.MISSING}
    for spec in expected:
        yield from _component(spec, running.pop(spec.name, None))
    for name in running:
        yield _difference(name, Kind.EXTRA, "runs, but should not")


def _component(spec: ComponentSpec, seen: ComponentObservation | None) -> Iterator[Difference]:
    if seen is None:
        yield _difference(spec.name, Kind.MISSING, "does not run")
    elif seen.digest is None:
        yield _difference(spec.name, Kind.UNVERIFIABLE, "runs, but nobody can say what")
    elif not spec.accepts(seen.digest):
        yield _difference(spec.name, Kind.WRONG_DIGEST, f"runs {seen.digest}, not {spec.digest}")
    elif seen.config != spec.config_digest:
        yield _difference(spec.name, Kind.WRONG_CONFIG, "runs with another configuration")
    elif seen.health is not Health.HEALTHY:
        yield _difference(spec.name, _kind_of(seen.health), seen.detail or f"is {seen.health}", Code.UNHEALTHY)


def _kind_of(health: Health) -> Kind:
    return Kind.UNVERIFIABLE if health is Health.UNVERIFIABLE else Kind.UNHEALTHY


def _difference(component: str, kind: Kind, detail: str, code: Code = Code.OBSERVATION_DIFFERS) -> Difference:
    return Difference(code=code, kind=kind, detail=f"{component} {detail}", component=component)
