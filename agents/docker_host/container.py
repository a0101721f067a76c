"""The document that a container is made from: a pure function of specification and claim."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.docker_host import labels, placement
from agents.docker_host.placement import Seat
from agents.secrets import references
from fairlead.contracts.release import RenderedConfig
from fairlead.contracts.target import ComponentSpec, SentFile, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.docker_section import FILES, SECRETS

FOLDER = "/run/secrets"
"""Where secrets lie that are delivered as files, as Compose and Swarm have it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`body` is what the library's create call takes, `host` the engine's own HostConfig.

    `files` are put into it before its first start.

    On the host's network ports are not published, but stand in HostConfig all the same: so others can see that they are taken.
    """

    name: str
    body: Mapping[str, Any]
    host: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


def reference(component: ComponentSpec) -> str:
    """The image, by digest."""
    return f"{component.config.repository}@{component.digest}"


def recipe(
    spec: TargetSpec,
    seat: Seat,
    claim: Claim,
    *,
    bridge: bool,
    secrets: Mapping[str, str] | None = None,
    beside: str = "",
) -> Recipe:
    """How to make a container. Without a bridge or a network of its own it shares the host's and is told its port, as a process is.

    `secrets`: name to value, or to what is shown in its place; `beside`: the container whose network a sidecar has.
    """
    config = seat.component.config
    ports, joined = published(config), list(placement.networks(spec, seat.block))
    alone = bridge or bool(joined or beside)
    given, files = _delivered(config, secrets or {})
    body = {
        "image": reference(seat.component),
        "command": list(config.command) or None,
        "environment": {**({} if alone else _port_told(ports)), **config.env, **given},
        "labels": {**labels.of_container(spec, seat.component, claim), **placement.labels_of(spec, seat)},
        "ports": sorted(set(ports.values())),
        **({"user": seat.block["user"]} if "user" in seat.block else {}),
    }
    host = {**placement.host_config(spec, seat.block), "PortBindings": _bindings(ports)}
    if beside:
        host["NetworkMode"] = f"container:{beside}"
    elif joined:
        host["NetworkMode"] = joined[0]
        body["networking_config"] = {"EndpointsConfig": {joined[0]: {"Aliases": [seat.component.name]}}}
    elif not bridge:
        host["NetworkMode"] = "host"
    return Recipe(labels.container_name(spec, *seat.slot), body, host, files)


def _delivered(config: RenderedConfig, secrets: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What of the secrets stands in the environment, and in which files."""
    if placement.block_of(config).get(SECRETS) != FILES:
        return dict(secrets), {}
    places = {name: f"{FOLDER}/{name}" for name in secrets}
    return {f"{name}_FILE": place for name, place in places.items()}, {places[n]: v for n, v in secrets.items()}


def sent(spec: TargetSpec, claim: Claim, *, bridge: bool) -> tuple[SentFile, ...]:
    """The documents of all containers, as they were sent."""
    recipes = [
        recipe(
            spec,
            seat,
            claim,
            bridge=bridge,
            secrets=references(seat.component),
            beside=labels.container_name(spec, seat.beside) if seat.beside else "",
        )
        for seat in placement.seats(spec)
    ]
    return tuple(SentFile(name=f"{r.name}.docker.json", content=_readable(r)) for r in recipes)


def _readable(recipe: Recipe) -> str:
    document = {"name": recipe.name, **recipe.body, "HostConfig": recipe.host}
    if recipe.files:
        document["files"] = dict(recipe.files)
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


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
