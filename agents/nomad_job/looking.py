"""What really runs of a job, allocation by allocation, and how well: by Nomad's own word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agents.nomad_job import marks
from agents.nomad_job.ground import Ground
from agents.nomad_job.marks import Json
from agents.nomad_job.reading import Place, places, present, read_time
from agents.nomad_job.server import Server
from agents.nomad_job.versions import altered
from fairlead.contracts.target import ComponentObservation
from fairlead.domain.health import Health, worst

_TOLD: Final = 5
_CHECKED = {"success": Health.HEALTHY, "failure": Health.UNHEALTHY, "pending": Health.STARTING}


@dataclass(frozen=True, slots=True)
class Running:
    """One component in one allocation. `image` is what the task was told to run."""

    component: str
    place: Place
    health: Health
    words: str
    image: str
    said: Json
    job: Json
    since: datetime | None
    restarts: int

    @property
    def digest(self) -> str | None:
        """What runs, if anybody can say: under a tag Nomad may run whatever image its engine has by that name."""
        name, at, digest = self.image.partition("@")
        return digest if name and at else None


def look(server: Server, ground: Ground) -> tuple[ComponentObservation, ...]:
    """All components of a job, several instances of one made one."""
    job = ground.job()
    if job is None:
        return ()
    here = present(places(server.allocations(ground.id)))
    if job.get("Stop") and not here:
        return ()
    seen = [running for place in here for running in inside(server, place)]
    names = {*marks.components_in(job), *(running.component for running in seen)}
    wanted = max((int(group.get("Count") or 0) for group in job["TaskGroups"]), default=0)
    return tuple(_merged(name, [r for r in seen if r.component == name], wanted) for name in sorted(names))


def compared(
    server: Server, ground: Ground, seen: tuple[ComponentObservation, ...]
) -> tuple[ComponentObservation, ...]:
    """The same, without a configuration where somebody else has changed the job: then nobody can say what they run with."""
    changed = altered(server.versions(ground.id), ground.sticker()) if seen else []
    if not changed:
        return seen
    words = f"somebody else changed in the job: {', '.join(changed[:_TOLD])}"
    return tuple(one.model_copy(update={"config": None, "detail": f"{one.detail}; {words}"}) for one in seen)


def inside(server: Server, place: Place) -> list[Running]:
    """The components of one allocation, as they were when it was placed."""
    full = server.allocation(place.id)
    if full is None:
        return []
    job, checks = full["Job"], server.checks(place.id)
    group = next(group for group in job["TaskGroups"] if group["Name"] == place.group)
    tasks = {task["Name"]: task for task in group.get("Tasks") or []}
    return [
        _running(name, said, place, job, group, tasks[said["task"]], checks)
        for name, said in marks.components_in(job).items()
        if said.get("task") in tasks
    ]


def _running(name: str, said: Json, place: Place, job: Json, group: Json, task: Json, checks: list[Json]) -> Running:
    state = place.tasks.get(task["Name"]) or {}
    health, words = _health(place, state, _of_task(checks, task["Name"]), _is_checked(group, task))
    return Running(
        component=name,
        place=place,
        health=health,
        words=words,
        image=str((task.get("Config") or {}).get("image", "")),
        said=said,
        job=job,
        since=read_time(state.get("StartedAt")),
        restarts=state.get("Restarts", 0),
    )


def _health(place: Place, state: Json, checks: Sequence[Json], is_checked: bool) -> tuple[Health, str]:
    """How well one task is. The verdict of its deployment counts only where no check says anything: it is not revised afterwards."""
    phase = state.get("State", "pending")
    if place.over or phase == "dead" or (phase == "pending" and state.get("Restarts")):
        return Health.UNHEALTHY, f"{place.status}: {place.words() or 'does not run'}"
    if phase != "running":
        return Health.STARTING, "not started yet"
    if checks:
        bad = max(checks, key=lambda check: [*Health].index(_CHECKED.get(check["Status"], Health.UNVERIFIABLE)))
        return _CHECKED.get(bad["Status"], Health.UNVERIFIABLE), _check_words(bad)
    if is_checked:
        return Health.STARTING, "its checks have not run yet"
    if place.healthy is False:
        return Health.UNHEALTHY, place.words() or "its deployment found it unhealthy"
    return Health.HEALTHY, "running, has no check"


def _of_task(checks: Iterable[Json], task: str) -> list[Json]:
    """The checks that are about a task: its own, else those of its group that are not another component's by name."""
    mine = [check for check in checks if check.get("Task") == task or check.get("Check") == f"{task}-health"]
    return mine or [c for c in checks if not c.get("Task") and not str(c.get("Check", "")).endswith("-health")]


def _is_checked(group: Json, task: Json) -> bool:
    services = [*(group.get("Services") or []), *(task.get("Services") or [])]
    mine = [s for s in services if s.get("Provider") == "nomad" and (s.get("TaskName") or task["Name"]) == task["Name"]]
    return any(service.get("Checks") for service in mine)


def _check_words(check: Json) -> str:
    status = check.get("StatusCode")
    return f"{check.get('Check')}: " + (f"answered {status}" if status else str(check.get("Output", "")).strip())


def _merged(name: str, found: list[Running], wanted: int) -> ComponentObservation:
    if not found:
        return ComponentObservation(name=name, health=Health.MISSING, detail="nothing is placed")
    health = worst([one.health for one in found])
    words = [one.words for one in found if one.health == health][:1]
    if len(found) < wanted:
        health, words = worst([health, Health.STARTING]), [*words, f"{len(found)} of {wanted} are placed"]
    digest = _same(one.digest for one in found)
    if digest is None:
        health, words = worst([health, Health.UNVERIFIABLE]), [*words, "nobody can say which image runs"]
    return ComponentObservation(
        name=name,
        health=health,
        digest=digest,
        config=_same(one.said.get("config") for one in found),
        release=_same((one.job.get("Meta") or {}).get(marks.RELEASE) for one in found),
        fence=_same((one.job.get("Meta") or {}).get(marks.FENCE) for one in found),
        instance=",".join(sorted(one.place.id for one in found)),
        created=max(one.place.created for one in found),
        since=max((one.since for one in found if one.since), default=None),
        restarts=sum(one.restarts for one in found),
        detail="; ".join(words),
    )


def _same(values: Iterable[Any]) -> str | None:
    """What all say; None when they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
