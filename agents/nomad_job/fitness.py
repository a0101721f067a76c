"""What a Nomad tells of itself, as far as the token may know."""

from collections import Counter
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

from agents.nomad_job.marks import Json
from agents.nomad_job.server import Server
from fairlead.domain.fitness import TargetFacts

_READY = "ready"


def facts_of(server: Server) -> TargetFacts:
    """Its version needs the right `agent:read`, its nodes `node:read`; its clock is that of whoever answers."""
    date = server.date()
    return TargetFacts(
        version=_version(server.agent()),
        time=parsedate_to_datetime(date) if date else None,
        capabilities=_nodes(server.nodes()),
    )


def _version(agent: Json | None) -> str | None:
    said = ((agent or {}).get("config") or {}).get("Version") or {}
    whole = "-".join(part for part in (said.get("Version"), said.get("VersionPrerelease")) if part)
    return f"Nomad {whole}" if whole else None


def _nodes(nodes: Iterable[Json] | None) -> tuple[str, ...]:
    """How many can be placed on, and by which drivers."""
    if nodes is None:
        return ()
    ready = [node for node in nodes if node.get("Status") == _READY and node.get("SchedulingEligibility") == "eligible"]
    drivers = Counter(
        name for node in ready for name, driver in (node.get("Drivers") or {}).items() if driver["Healthy"]
    )
    return (f"{len(ready)} nodes ready", *(f"{name} on {count}" for name, count in sorted(drivers.items())))
