"""One component on one target: its template and the configuration layers above it, made one."""

from collections.abc import Sequence
from typing import Any

from fairlead.domain.catalogue import Component, HealthCheck, Layer, Target


def render(component: Component, target: Target, layers: Sequence[Layer]) -> dict[str, Any]:
    """The fields of contracts.release.RenderedConfig. Later layers win: `env` merges, `ports` replaces."""
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
    }


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
