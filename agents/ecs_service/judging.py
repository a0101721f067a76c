"""How far a rollout is: pure rules on what ECS says of it and of its tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.ecs_service.reading import Rollout, Task
from fairlead.contracts.target import ComponentObservation, ComponentSpec
from fairlead.domain.health import Health

CRASH_LIMIT: Final = 3
"""So many tasks that ended by themselves are enough. ECS's breaker does not count those that had begun to run, and goes on for hours."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One rollout, and the tasks that are there: those that are meant to run, and those that are meant to have stopped."""

    rollout: Rollout
    others: Sequence[Rollout]
    desired: int
    running: Sequence[Task]
    stopped: Sequence[Task] = ()

    @property
    def ours(self) -> list[Task]:
        """The tasks of this rollout that run."""
        return [t for t in self.running if t.deployment == self.rollout.id and t.status == "RUNNING"]

    @property
    def full(self) -> bool:
        """Whether as many of ours run as are wanted, and nothing else is meant to run."""
        return len(self.ours) == len(self.running) == self.desired

    @property
    def settled(self) -> bool:
        """Whether ECS says so too; until then it may wait for a load balancer, or for old tasks to end."""
        return self.rollout.state == "COMPLETED"

    @property
    def ended(self) -> list[Task]:
        """The tasks of this rollout that ended, for whatever reason."""
        return [task for task in self.stopped if task.deployment == self.rollout.id]

    @property
    def crashed(self) -> list[Task]:
        """Those that did so by themselves."""
        return [task for task in self.ended if task.failed]

    @property
    def hopeless(self) -> bool:
        """Whether ECS's breaker has tripped, or more have crashed than we look at."""
        return self.rollout.state == "FAILED" or len(self.crashed) >= CRASH_LIMIT

    @property
    def progress(self) -> tuple[int, int]:
        """Grows whenever something has come further; may jump."""
        return len(self.ours), -sum(task.deployment != self.rollout.id for task in self.running)

    @property
    def empty(self) -> bool:
        """Whether no task has ever been placed for it."""
        return not self.ended and not any(task.deployment == self.rollout.id for task in self.running)


def is_as_asked(components: Sequence[ComponentSpec], seen: Sequence[ComponentObservation]) -> bool:
    """Whether just these components are seen healthy, with these digests and configurations."""
    found = {one.name: one for one in seen}
    return found.keys() == {component.name for component in components} and all(
        found[c.name].health == Health.HEALTHY
        and c.accepts(found[c.name].digest)
        and found[c.name].config == c.config_digest
        for c in components
    )
