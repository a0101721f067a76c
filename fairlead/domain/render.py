"""One component on one target: its template and the configuration layers above it, made one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.domain.catalogue import Catalogue, Component, Environment, HealthCheck, Layer, Target
from fairlead.domain.catalogue_document import template
from fairlead.domain.component_rules import read_template
from fairlead.domain.files import FIELD
from fairlead.domain.merging import Tree, compose, merge, overlay
from fairlead.domain.selecting import has
from fairlead.domain.target_kinds import KINDS


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from. `layer`: component, global, project, environment, labels, target, release or request.

    `name` says which one, `revision` in which state of it, `actor` who made it so.
    """

    layer: str
    name: str = ""
    revision: str = ""
    actor: str = ""


Sourced = tuple[Source, Layer]


def catalogue_layers(
    catalogue: Catalogue, environment: Environment, target: Target, revision: str = "", actor: str = ""
) -> Iterator[Sourced]:
    """The layers that a catalogue has for a target, the lowest first."""
    yield Source("project", catalogue.project, revision, actor), catalogue.config
    yield Source("environment", environment.name, revision, actor), environment.config
    for labelled in catalogue.label_config:
        if has(target, labelled.labels):
            named = ",".join(f"{name}={value}" for name, value in sorted(labelled.labels.items()))
            yield Source("labels", named, revision, actor), labelled.config
    yield Source("target", target.name, revision, actor), target.config


def resolve(component: Component, layers: Sequence[Layer]) -> Component:
    """The component as the layers leave it, later ones over earlier ones. Raises ValueError where that is none any more."""
    patches = [patch for layer in layers if (patch := patch_of(layer, component.name))]
    if not patches:
        return component
    said: Any = template(component)
    for patch in patches:
        said = merge(said, patch)
    return read_template(component.name, component.repository, {**said, "files": dict(component.files)})


def trace(component: Component, layers: Sequence[Sourced], frozen: Source) -> Tree:
    """What `resolve` makes, each value with where it came from. `frozen`: the source of what the component says itself."""
    patches = [(source, patch_of(layer, component.name)) for source, layer in layers]
    return overlay([(frozen, template(component)), *patches])


def patch_of(layer: Layer, component: str) -> Mapping[str, Any]:
    """What a layer changes of one component; what it says of just this one goes over what it says of all."""
    ports = {"ports": list(layer.ports[component])} if component in layer.ports else {}
    of_all = {key: dict(said) for key, said in (("env", layer.env), ("secrets", layer.secrets)) if said}
    patch: Mapping[str, Any] = compose({**of_all, **ports}, layer.components.get(component, {}))
    return patch


def render(component: Component, target: Target, layers: Sequence[Layer]) -> dict[str, Any]:
    """The fields of contracts.release.RenderedConfig, but of secrets only the references. Raises ValueError as `resolve` does."""
    component = resolve(component, layers)
    return {
        "component": component.name,
        "repository": component.repository,
        "target_type": target.type.value,
        "endpoint": target.endpoint,
        "command": component.command,
        "ports": component.ports,
        "env": dict(component.env),
        "depends_on": component.depends_on,
        "health": _health(component.health),
        "stop_grace": component.stop_grace,
        "options": dict(target.options) or None,
        "run": _run(component, target),
        "files": _files(component, target),
        "secrets": dict(component.secrets) or None,
    }


def _run(component: Component, target: Target) -> dict[str, Any] | None:
    """What the component says about such targets, by block."""
    said = {key: dict(component.sections[key]) for key in KINDS[target.type].sections if key in component.sections}
    return said or None


def _files(component: Component, target: Target) -> dict[str, str] | None:
    """The digests of the files that are named there."""
    said = _run(component, target) or {}
    paths = [section[FIELD] for section in said.values() if FIELD in section]
    return {path: component.files[path] for path in paths} or None


def _health(health: HealthCheck | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "port": health.port,
        "http": health.http,
        "interval": health.interval,
        "timeout": health.timeout,
        "retries": health.retries,
    }
