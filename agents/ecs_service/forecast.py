"""What a claim would ask of ECS beside what its service asks for now, as lines for people. ECS has no plan of its own: we compare.

A value is shown only where its field is known to hold nothing secret: environments, commands and options may.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.ecs_service import document, marks
from agents.ecs_service.marks import Json
from agents.ecs_service.sameness import differing
from fairlead.contracts.target import TargetSpec
from fairlead.domain.forecast import change, differences

_SHOWN: Final = {
    "containerPort", "cpu", "essential", "executionRoleArn", "family", "hostPort", "image", "memory", "memoryReservation", "networkMode",
    "portMappings", "requiresCompatibilities", "stopTimeout", "taskRoleArn",
}  # fmt: skip
_CONTAINERS: Final = "containerDefinitions"
_LABELS: Final = ".dockerLabels"


def lines(spec: TargetSpec, name: str, service: Json | None, wanted: Json, found: Json | None) -> Iterator[str]:
    """`service`, `found`: as they are now, and the task definition that it asks for; `wanted`: the one that would be registered."""
    count = document.count(spec, service or {})
    if service is None:
        yield f"service {name} is new, tasks: {count}"
        yield from (f"{_CONTAINERS}.{one['name']} is new: {one['image']}" for one in wanted[_CONTAINERS])
        return
    yield f"service {name}: all tasks are replaced"
    if count != service["desiredCount"]:
        yield change("desiredCount", service["desiredCount"], count, shows=True)
    yield from _settings(spec, service)
    if found is None:
        yield "the task definition that it asks for now is gone, so what would change in it cannot be told"
        return
    for path, old, new in differing(wanted, found):
        yield from _in_definition(path, old, new)


def _settings(spec: TargetSpec, service: Mapping[str, Any]) -> Iterator[str]:
    """Of the service itself, as far as we ask for anything and ECS says what it has."""
    asked = {key: value for key, value in document.change(spec).items() if service.get(key) is not None}
    for path, old, new in differences({key: service[key] for key in asked}, asked):
        if new is not None:
            yield change(path, old, new, shows=True)


def _in_definition(path: str, old: Any, new: Any) -> Iterator[str]:
    if old is None and isinstance(new, Mapping) and "image" in new:
        yield f"{path} is new: {new['image']}"
    elif new is None and isinstance(old, Mapping) and "image" in old:
        yield f"{path} goes"
    elif _LABELS in path:
        yield from _label(path, old, new)
    else:
        yield change(path, old, new, shows=path.rpartition(".")[2] in _SHOWN)


def _label(path: str, old: Any, new: Any) -> Iterator[str]:
    """Of ours only what nothing else tells: another configuration may be just another version of a secret."""
    container, _, label = path.partition(f"{_LABELS}.")
    if label == marks.CONFIG:
        yield f"{container} has another configuration"
    elif not label.startswith("fairlead."):
        yield change(path, old, new, shows=False)
