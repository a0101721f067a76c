"""One component on one target: its template and the configuration layers above it, made one."""

from collections.abc import Sequence
from typing import Any

from fairlead.domain.catalogue import Component, HealthCheck, Layer, Target
from fairlead.domain.files import FIELD
from fairlead.domain.target_kinds import KINDS


def render(component: Component, target: Target, layers: Sequence[Layer]) -> dict[str, Any]:
    """The fields of contracts.release.RenderedConfig, but of secrets only the references. Later layers win: `env` merges, `ports` replaces."""
    env, ports = dict(component.env), component.ports
    for layer in layers:
        env |= layer.env
        ports = layer.ports.get(component.name, ports)
    return {
        "component": component.name,
        "repository": component.repository,
        "target_type": target.type.value,
        "endpoint": target.endpoint,
        "command": component.command,
        "ports": ports,
        "env": env,
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
