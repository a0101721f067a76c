"""The document that a container is made from: a pure function of specification and claim."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.docker_host import labels
from fairlead.contracts.release import RenderedConfig
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.fence import Claim


@dataclass(frozen=True, slots=True)
class Recipe:
    """`body` is what the library's create call takes, `host` the engine's own HostConfig.

    On the host's network ports are not published, but stand in HostConfig all the same: so others can see that they are taken.
    """

    name: str
    body: Mapping[str, Any]
    host: Mapping[str, Any]


def reference(component: ComponentSpec) -> str:
    """The image, by digest."""
    return f"{component.config.repository}@{component.digest}"


def recipe(spec: TargetSpec, component: ComponentSpec, claim: Claim, *, bridge: bool) -> Recipe:
    """How to make a component's container. Without a bridge it shares the host's network and is told its port, as a process is."""
    config = component.config
    ports = published(config)
    body = {
        "image": reference(component),
        "command": list(config.command) or None,
        "environment": {**({} if bridge else _port_told(ports)), **config.env},
        "labels": labels.of_container(spec, component, claim),
        "ports": sorted(set(ports.values())),
    }
    host: dict[str, Any] = {"RestartPolicy": {"Name": "unless-stopped"}, "PortBindings": _bindings(ports)}
    if not bridge:
        host["NetworkMode"] = "host"
    return Recipe(labels.container_name(spec, component.name), body, host)


def sent(spec: TargetSpec, claim: Claim, *, bridge: bool) -> tuple[SentFile, ...]:
    """The documents of all containers, as they were sent."""
    recipes = [recipe(spec, component, claim, bridge=bridge) for component in spec.components]
    return tuple(SentFile(name=f"{r.name}.docker.json", content=_readable(r)) for r in recipes)


def _readable(recipe: Recipe) -> str:
    return json.dumps({"name": recipe.name, **recipe.body, "HostConfig": recipe.host}, indent=2, sort_keys=True) + "\n"


def published(config: RenderedConfig) -> dict[int, int]:
    """Host port to container port, of `HOST:CONTAINER`."""
    pairs = (entry.split(":") for entry in config.ports)
    return {int(host): int(inside) for host, inside in pairs}


def _bindings(ports: Mapping[int, int]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for host, inside in ports.items():
        found.setdefault(f"{inside}/tcp", []).append({"HostPort": str(host)})
    return found


def _port_told(ports: Mapping[int, int]) -> dict[str, str]:
    return {"PORT": str(next(iter(ports)))} if ports else {}
