"""What AWS says of services and tasks, as values; nothing here asks it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agents.ecs_service import marks
from agents.ecs_service.marks import Json

_PRIMARY: Final = "PRIMARY"
ENDED: Final = "EssentialContainerExited"
_BY_ITSELF: Final = {"TaskFailedToStart", ENDED}


@dataclass(frozen=True, slots=True)
class Rollout:
    """One of the deployments of a service, by ECS's own word."""

    id: str
    definition: str
    state: str
    words: str
    desired: int
    running: int
    failed: int
    created: datetime | None

    def says(self) -> str:
        """Where it stands, for people."""
        failed = f", {self.failed} failed tasks" if self.failed else ""
        return f"rollout {self.state}{failed}{f': {self.words}' if self.words and self.state == 'FAILED' else ''}"


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `why`: what ECS says about how it ended, in its own words."""

    arn: str
    definition: str
    deployment: str
    status: str
    instance: str
    created: datetime | None
    started: datetime | None
    stop_code: str
    why: str
    containers: tuple[Json, ...]
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its short name, which is in its log streams too."""
        return self.arn.rpartition("/")[2]

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status == "STOPPED"

    @property
    def failed(self) -> bool:
        """Whether it ended, or could not start, by itself: nobody scaled, rolled on, stopped it by hand, or took its machine away."""
        return self.stop_code in _BY_ITSELF

    def container(self, name: str) -> Json | None:
        """One of its containers."""
        return next((one for one in self.containers if one.get("name") == name), None)


def rollouts(service: Mapping[str, Any]) -> tuple[Rollout | None, list[Rollout]]:
    """The deployment that ECS works for, and the others, which still end."""
    said = service.get("deployments") or []
    primary = [_rollout(one) for one in said if one.get("status") == _PRIMARY]
    return (primary[0] if primary else None), [_rollout(one) for one in said if one.get("status") != _PRIMARY]


def task(said: Json) -> Task:
    """A task."""
    return Task(
        arn=said["taskArn"],
        definition=said.get("taskDefinitionArn", ""),
        deployment=said.get("startedBy", ""),
        status=said.get("lastStatus", ""),
        instance=said.get("containerInstanceArn", ""),
        created=said.get("createdAt"),
        started=said.get("startedAt"),
        stop_code=said.get("stopCode") or "",
        why=_why(said),
        containers=tuple(said.get("containers") or ()),
        said=said,
    )


def tasks(said: Iterable[Json]) -> list[Task]:
    """Tasks, the oldest first; those that are not there yet have no time."""
    return sorted((task(one) for one in said), key=lambda one: (str(one.created or "9"), one.arn))


def events(service: Mapping[str, Any], since: datetime | None, most: int = 3) -> list[str]:
    """What the service has told since then, the newest last."""
    said = [e for e in service.get("events") or [] if since is None or e.get("createdAt", since) >= since]
    return [str(event.get("message", "")) for event in reversed(said[:most])]


def arn_of(service: Mapping[str, Any]) -> str:
    """The task definition that a service asks for."""
    return str(service.get("taskDefinition", ""))


def asked_of(service: Mapping[str, Any]) -> set[str]:
    """Each `family:revision` that any deployment of a service runs or ran just now."""
    primary, others = rollouts(service)
    return {marks.revision(arn) for arn in (arn_of(service), *(one.definition for one in (primary, *others) if one))}


def is_revision(arn: str, revisions: Iterable[str]) -> bool:
    """Whether an ARN is of one of these `family:revision`."""
    return marks.revision(arn) in set(revisions)


def _why(said: Json) -> str:
    parts = [str(said.get("stoppedReason") or "")]
    for one in said.get("containers") or []:
        code = one.get("exitCode")
        words = [
            *([f"exit code {code}"] if code not in (None, 0) else []),
            *([one["reason"]] if one.get("reason") else []),
        ]
        if words:
            parts.append(f"{one.get('name')}: {', '.join(words)}")
    return "; ".join(part for part in parts if part)


def _rollout(said: Json) -> Rollout:
    return Rollout(
        id=said["id"],
        definition=said.get("taskDefinition", ""),
        state=said.get("rolloutState") or "IN_PROGRESS",
        words=said.get("rolloutStateReason") or "",
        desired=said.get("desiredCount") or 0,
        running=said.get("runningCount") or 0,
        failed=said.get("failedTasks") or 0,
        created=said.get("createdAt"),
    )
