"""What is to be done next about a version that rolls out: pure rules on what Nomad says of it."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from agents.nomad_job.reading import Place, Rollout, present
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

CRASH_LIMIT: Final = 3
"""Restarts after which what never was healthy is taken for something that never will be. Nomad itself may go on trying for ever."""
_PORTS: Final = "network"


class Step(Enum):
    """`look`: there is no deployment to follow, so what runs is looked at."""

    WAIT = auto()
    LOOK = auto()
    PROMOTE = auto()
    DONE = auto()
    CRASHED = auto()
    UNHEALTHY = auto()
    OVERTAKEN = auto()


_ENDED = {"successful": Step.DONE, "cancelled": Step.OVERTAKEN}


def next_step(rollout: Rollout | None, places: Sequence[Place]) -> Step:
    """Of the deployment of our version, and the allocations that it has made."""
    if rollout and rollout.status in _ENDED:
        return _ENDED[rollout.status]
    if crashed(places):
        return Step.CRASHED
    if rollout is None:
        return Step.LOOK
    if rollout.status == "failed":
        return Step.UNHEALTHY
    waiting = sum(group.canaries for group in rollout.groups if group.awaits_promotion)
    healthy = sum(place.canary and place.healthy is True and place.stays for place in places)
    return Step.PROMOTE if waiting and healthy >= waiting else Step.WAIT


def crashed(places: Iterable[Place]) -> list[Place]:
    """Those that do not stay up."""
    kept = [place for place in places if place.stays]
    return [p for p in kept if p.status == "failed" or (p.restarts >= CRASH_LIMIT and p.healthy is not True)]


def settled(here: Iterable[Place], version: int) -> bool:
    """Whether all that is meant to run is of this version; right after a registration the old ones still are."""
    kept = present(here)
    return bool(kept) and all(place.version == version for place in kept)


def alone(here: Iterable[Place], version: int) -> bool:
    """Whether nothing of another version runs any more."""
    return all(place.over or place.version == version for place in here)


def unplaced(failed: Mapping[str, Any]) -> Refused:
    """Why nothing could be placed, of FailedTGAllocs: Nomad waits for a fitting node for ever, we do not."""
    exhausted = [name for said in failed.values() for name in said.get("DimensionExhausted") or {}]
    ports = [name for name in exhausted if name.partition(":")[0] == _PORTS]
    words = "; ".join(f"{group}: {_words(said)}" for group, said in failed.items()) or "no node has room for it"
    if ports:
        return Refused(Code.PORT_TAKEN, f"no node has the ports free: {'; '.join(ports)}", fields={"groups": [*failed]})
    return Refused(Code.PLACEMENT_FAILED, f"nothing can be placed: {words}", fields={"groups": [*failed]})


def _words(said: Mapping[str, Any]) -> str:
    parts = [f"{count} x {name}" for name, count in (said.get("ConstraintFiltered") or {}).items()]
    parts += [f"{count} x no {name}" for name, count in (said.get("DimensionExhausted") or {}).items()]
    return ", ".join(parts) or f"{said.get('NodesEvaluated', 0)} nodes looked at, none fits"
