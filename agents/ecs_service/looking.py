"""What really runs of a service, task by task, and how well: digests by ECS's word, health by ECS's and a probe now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from agents.ecs_service import marks, reading
from agents.ecs_service.addresses import Addresses
from agents.ecs_service.cluster import Cluster
from agents.ecs_service.ground import made_on
from agents.ecs_service.marks import Json
from agents.ecs_service.reading import Task
from agents.probe import Probe, probe_until_sure
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentObservation
from fairlead.domain.health import Health, worst

Ask = Callable[[RenderedHealth, str, int], Probe]

_BEFORE_RUNNING: Final = {"PROVISIONING", "PENDING", "ACTIVATING", "CREATED"}
_RUNNING: Final = "RUNNING"


@dataclass(frozen=True, slots=True)
class Running:
    """One component in one task. `ours`: whether we registered what it runs."""

    component: str
    task: Task
    health: Health
    words: str
    digest: str | None
    labels: dict[str, str]
    ours: bool


def patiently(check: RenderedHealth, host: str, port: int) -> Probe:
    """One bad answer is not yet unhealthy."""
    return probe_until_sure(check, host, port, lambda: None)


class Look:
    """Looks at one service with one way to ask."""

    def __init__(self, cluster: Cluster, addresses: Addresses, ask: Ask = patiently) -> None:
        self._cluster, self._addresses, self._ask = cluster, addresses, ask

    def at(
        self, service: Json | None, tasks: Iterable[Task], stopped: Iterable[Task] = ()
    ) -> tuple[ComponentObservation, ...]:
        """All components of a service, several tasks of one made one; in words also what failed last."""
        here = list(tasks)
        if service is None or not (service["desiredCount"] or here):
            return ()
        seen = [running for task in here for running in self.inside(service, task)]
        asked = marks.components_in(self._cluster.definition(reading.arn_of(service)))
        names = {*asked, *(running.component for running in seen)}
        words = _words(service, [task for task in stopped if task.failed])
        wanted = service["desiredCount"]
        return tuple(_merged(name, [r for r in seen if r.component == name], wanted, words) for name in sorted(names))

    def inside(self, service: Json, task: Task) -> list[Running]:
        """The components of one task."""
        said = marks.components_in(self._cluster.definition(task.definition))
        ours = reading.is_revision(task.definition, made_on(service))
        return [self._running(name, container, task, ours) for name, container in said.items()]

    def _running(self, name: str, said: Json, task: Task, ours: bool) -> Running:
        container = task.container(str(said["name"])) or {}
        health, words = self._health(said, task, container)
        return Running(name, task, health, words, container.get("imageDigest"), dict(marks.labels(said)), ours)

    def _health(self, said: Json, task: Task, container: Json) -> tuple[Health, str]:
        if task.status in _BEFORE_RUNNING or container.get("lastStatus") in _BEFORE_RUNNING:
            return Health.STARTING, f"the task is {task.status.lower()}"
        if task.status != _RUNNING or container.get("lastStatus") != _RUNNING:
            return Health.UNHEALTHY, f"the task is {task.status.lower()}: {task.why or 'ECS does not say why'}"
        own = container.get("healthStatus")
        if own == "UNHEALTHY":
            return Health.UNHEALTHY, "ECS's check of the container says unhealthy"
        if said.get("healthCheck") and own != "HEALTHY":
            return Health.STARTING, "ECS's check of the container has said nothing yet"
        check = marks.health_in(said)
        return self._probed(check, task, container) if check else (Health.HEALTHY, "running, by ECS's word")

    def _probed(self, check: RenderedHealth, task: Task, container: Json) -> tuple[Health, str]:
        where = self._addresses.of(self._cluster, task, container, check.port)
        if where is None:
            return Health.UNVERIFIABLE, f"nobody says where port {check.port} of the task can be asked"
        answer = self._ask(check, *where)
        return (Health.HEALTHY if answer.ok else Health.UNHEALTHY), answer.detail


def _words(service: Json, failed: list[Task]) -> list[str]:
    """What ECS says about the rollout while there is something to say, and about the task that failed last."""
    rollout, _ = reading.rollouts(service)
    told = rollout and (rollout.state != "COMPLETED" or rollout.failed)
    last = [f"a task ended: {failed[-1].why}"] if failed else []
    return [*([rollout.says()] if rollout and told else []), *last]


def _merged(name: str, found: list[Running], wanted: int, more: list[str]) -> ComponentObservation:
    if not found:
        return ComponentObservation(name=name, health=Health.MISSING, detail="; ".join(["no task runs", *more]))
    health = worst([one.health for one in found])
    words = [one.words for one in found if one.health == health][:1]
    if len(found) < wanted:
        health, words = worst([health, Health.STARTING]), [*words, f"{len(found)} of {wanted} tasks are there"]
    digest = _same(one.digest for one in found)
    if digest is None and health == Health.HEALTHY:
        health, words = Health.UNVERIFIABLE, [*words, "the tasks do not all say the same image"]
    if not all(one.ours for one in found):
        words.append("a task definition that we did not register runs")
    return ComponentObservation(
        name=name,
        health=health,
        digest=digest,
        config=_same(one.labels.get(marks.CONFIG) if one.ours else None for one in found),
        release=_same(one.labels.get(marks.RELEASE) for one in found),
        fence=_same(one.labels.get(marks.FENCE) for one in found),
        instance=",".join(sorted(one.task.id for one in found)),
        created=max((one.task.created for one in found if one.task.created), default=None),
        since=max((one.task.started for one in found if one.task.started), default=None),
        detail="; ".join([*words, *more]),
    )


def _same(values: Iterable[Any]) -> str | None:
    """What all say; None when they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
