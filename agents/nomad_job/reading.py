"""What Nomad says of deployments and allocations, as values; nothing here asks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agents.nomad_job.marks import Json

_OVER = {"complete", "failed", "lost"}


@dataclass(frozen=True, slots=True)
class Group:
    """How far one group of a deployment is."""

    total: int
    placed: int
    healthy: int
    canaries: int
    promoted: bool

    @property
    def awaits_promotion(self) -> bool:
        """Decided by numbers: after a pause the description no longer tells."""
        return self.canaries > 0 and not self.promoted


@dataclass(frozen=True, slots=True)
class Rollout:
    """A deployment of one version."""

    id: str
    index: int
    version: int
    status: str
    words: str
    groups: tuple[Group, ...]

    @property
    def placed(self) -> int:
        """How many allocations it has placed."""
        return sum(group.placed for group in self.groups)


@dataclass(frozen=True, slots=True)
class Place:
    """One allocation. `healthy` is the verdict of its deployment, which is not revised later."""

    id: str
    name: str
    version: int
    group: str
    desired: str
    status: str
    canary: bool
    healthy: bool | None
    created: datetime
    tasks: Mapping[str, Any]

    @property
    def stays(self) -> bool:
        """Whether it is meant to run."""
        return self.desired == "run"

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status in _OVER

    @property
    def restarts(self) -> int:
        """How often its tasks were started again."""
        return sum(task.get("Restarts", 0) for task in self.tasks.values())

    @property
    def started(self) -> bool:
        """Whether any of its tasks ever ran."""
        return any(read_time(task.get("StartedAt")) for task in self.tasks.values())

    @property
    def exit_code(self) -> int | None:
        """With which its only task ended last; None where somebody ended it, or it never ran."""
        said = [event for task in self.tasks.values() for event in task.get("Events") or []]
        codes = [event.get("ExitCode") for event in said if event.get("Type") == "Terminated"]
        by_others = any(event.get("Type") == "Killing" for event in said)
        return codes[-1] if codes and not by_others else None

    def words(self) -> str:
        """What its tasks' last events say, the worst of them first."""
        said = [event for task in self.tasks.values() for event in task.get("Events") or []]
        telling = [event.get("DisplayMessage", "") for event in said if event.get("Type") in _TELLING]
        return "; ".join(dict.fromkeys(telling[-3:]))


_TELLING = {"Driver Failure", "Failed Validation", "Setup Failure", "Terminated", "Not Restarting", "Alloc Unhealthy"}


def rollout(said: Json) -> Rollout:
    """A deployment."""
    return Rollout(
        id=said["ID"],
        index=said["ModifyIndex"],
        version=said["JobVersion"],
        status=said["Status"],
        words=said.get("StatusDescription", ""),
        groups=tuple(_group(group) for group in (said.get("TaskGroups") or {}).values()),
    )


def newest_of(said: Iterable[Json], version: int) -> Rollout | None:
    """The deployment of one version, not merely the newest; lists are in no order."""
    ours = [one for one in said if one["JobVersion"] == version]
    return rollout(max(ours, key=lambda one: one["CreateIndex"])) if ours else None


def progress(seen: Rollout | None, found: Iterable[Place]) -> int:
    """Grows whenever something has come further; may jump. What starts has come further than what is placed, or pulled."""
    groups = seen.groups if seen else ()
    return sum(g.healthy + g.promoted for g in groups) + sum(place.started and place.stays for place in found)


def places(said: Iterable[Json]) -> list[Place]:
    """Allocations, the oldest first."""
    return [_place(one) for one in sorted(said, key=lambda one: (one["CreateIndex"], one["ID"]))]


def present(found: Iterable[Place]) -> list[Place]:
    """What runs, and what failed and nothing has come in its place: a failed one stays listed as wanted when another version has followed."""
    kept = list(found)
    held = {place.name for place in kept if not place.over}
    lost = {place.name: place for place in kept if place.over and place.stays and place.name not in held}
    return [*(place for place in kept if not place.over), *lost.values()]


def read_time(text: str | None) -> datetime | None:
    """RFC 3339 with up to nanoseconds."""
    if not text or text.startswith("0001-"):
        return None
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}").replace(tzinfo=UTC)


def why_unplaced(evaluations: Iterable[Json]) -> Mapping[str, Any]:
    """FailedTGAllocs of the newest evaluation that has some."""
    failed = [e for e in evaluations if e.get("FailedTGAllocs")]
    return dict(max(failed, key=lambda e: e["CreateIndex"])["FailedTGAllocs"]) if failed else {}


def _group(said: Json) -> Group:
    return Group(
        total=said["DesiredTotal"],
        placed=said["PlacedAllocs"],
        healthy=said["HealthyAllocs"],
        canaries=said["DesiredCanaries"],
        promoted=said["Promoted"],
    )


def _place(said: Json) -> Place:
    judged = said.get("DeploymentStatus") or {}
    return Place(
        id=said["ID"],
        name=said["Name"],
        version=said["JobVersion"],
        group=said["TaskGroup"],
        desired=said["DesiredStatus"],
        status=said["ClientStatus"],
        canary=bool(judged.get("Canary")),
        healthy=judged.get("Healthy"),
        created=datetime.fromtimestamp(said["CreateTime"] / 1e9, UTC),
        tasks=said.get("TaskStates") or {},
    )
