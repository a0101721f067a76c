"""What the engine says of one container, as a value; nothing here asks the engine."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from agents.docker_host import labels
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.docker_section import ONE_SHOTS


@dataclass(frozen=True, slots=True)
class Box:
    """A container. `ports` maps what it publishes as it was asked for, host port to container port; `sockets` as it is published now.

    `grace`: how long it was promised to be given to stop, None where nothing was. `beside`: the container whose network it has, if it is
    another's; `cut_off`: that one was started again since, so it has none any more. `clock`: what time it is there.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    image: str
    reference: str
    status: str
    exit_code: int
    restarts: int
    created: datetime | None
    started: datetime | None
    ports: Mapping[int, int]
    sockets: Mapping[int, tuple[str, int]]
    address: str | None
    own_health: str | None
    grace: float | None = None
    beside: str | None = None
    cut_off: bool = False
    clock: Callable[[], float] = field(default=time.time, compare=False)

    @property
    def component(self) -> str:
        """The component of ours that it is, empty for somebody else's."""
        return self.labels.get(labels.COMPONENT, "")

    @property
    def slot(self) -> tuple[str, int]:
        """Its component, and which of several it is."""
        return self.component, self._replica[0]

    @property
    def replicas(self) -> int:
        """How many there are to be."""
        return self._replica[1]

    @property
    def _replica(self) -> tuple[int, int]:
        which, _, of = self.labels.get(labels.REPLICA, "").partition("/")
        return (int(which), int(of)) if which.isdecimal() and of.isdecimal() else (1, 1)

    @property
    def runs_once(self) -> bool:
        """Whether it is to end."""
        return self.labels.get(labels.ROLE) in ONE_SHOTS

    @property
    def has_run(self) -> bool:
        """Whether nothing is left to be started of something that runs once."""
        return self.runs_once and (self.status == "exited" or labels.UNRUN in self.labels)

    @property
    def running(self) -> bool:
        """Whether the engine runs it, or is about to after a crash."""
        return self.status in {"running", "restarting", "paused"}

    @property
    def parked(self) -> bool:
        """Whether it was put aside for a successor that nobody has seen healthy yet."""
        return labels.is_parked(self.name)

    @property
    def claim(self) -> Claim | None:
        """Who made it; None where that cannot be told."""
        return labels.claim_in(self.labels)

    @property
    def repository(self) -> str:
        """The repository that it was made from: `host:port/path@digest` or `host:port/path:tag` without the end."""
        name = self.reference.partition("@")[0]
        path, colon, tag = name.rpartition(":")
        return path if colon and "/" not in tag else name


def read(attributes: Mapping[str, Any]) -> Box:
    """A container from the engine's inspect document."""
    state, config, network = attributes["State"], attributes["Config"], attributes["NetworkSettings"]
    return Box(
        id=attributes["Id"],
        name=attributes["Name"].removeprefix("/"),
        labels=config.get("Labels") or {},
        image=attributes["Image"],
        reference=config["Image"],
        status=state["Status"],
        exit_code=state["ExitCode"],
        restarts=attributes.get("RestartCount", 0),
        created=read_time(attributes["Created"]),
        started=read_time(state["StartedAt"]),
        ports=_ports(attributes["HostConfig"].get("PortBindings") or {}),
        sockets=_sockets(network.get("Ports") or {}),
        address=_address(network),
        own_health=(state.get("Health") or {}).get("Status"),
        grace=config.get("StopTimeout"),
        beside=_beside(attributes["HostConfig"].get("NetworkMode") or ""),
    )


def joined(box: Box, main: Box) -> Box:
    """One that is beside another, with what it has from that one."""
    late = box.running and not (main.started and box.started and main.started <= box.started)
    return replace(box, address=main.address, sockets=main.sockets, cut_off=late)


def read_time(text: str) -> datetime | None:
    """The engine's RFC 3339 with nanoseconds; its zero time is None."""
    if text.startswith("0001-"):
        return None
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=UTC)


def read_local_time(text: str) -> datetime | None:
    """The engine's clock, which it tells with nanoseconds in its own time zone."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _beside(mode: str) -> str | None:
    kind, _, id = mode.partition(":")
    return id if kind == "container" else None


def _ports(bindings: Mapping[str, Any]) -> dict[int, int]:
    """Those of TCP. Others may have asked for any port, or any of a range: `sockets` says which they were given."""
    return {
        int(binding["HostPort"]): _number(port)
        for port, published in bindings.items()
        for binding in published or []
        if _is_tcp(port) and binding["HostPort"].isdecimal()
    }


def _sockets(published: Mapping[str, Any]) -> dict[int, tuple[str, int]]:
    """For each container port where it can be reached on this host, IPv4 first."""
    found: dict[int, tuple[str, int]] = {}
    for port, bindings in published.items():
        for binding in bindings or []:
            host = binding["HostIp"]
            if _is_tcp(port) and ":" not in host:
                found.setdefault(_number(port), (_reachable(host), int(binding["HostPort"])))
    return found


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"", "0.0.0.0"} else host  # noqa: S104 - the engine's word for every address


def _address(network: Mapping[str, Any]) -> str | None:
    addresses = (n.get("IPAddress") for n in (network.get("Networks") or {}).values())
    return next((address for address in addresses if address), None)


def _is_tcp(port: str) -> bool:
    return port.partition("/")[2] in {"", "tcp"}


def _number(port: str) -> int:
    return int(port.partition("/")[0])
