"""Whether a task definition that AWS holds is the one that is asked for: without what AWS adds, fills in, and orders as it likes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.ecs_service import marks
from agents.ecs_service.marks import Json
from fairlead.domain.forecast import differences

_ASKED: Final = (
    "containerDefinitions", "cpu", "enableFaultInjection", "ephemeralStorage", "executionRoleArn", "family", "ipcMode", "memory",
    "networkMode", "pidMode", "placementConstraints", "proxyConfiguration", "requiresCompatibilities", "runtimePlatform", "taskRoleArn",
    "volumes",
)  # fmt: skip
_FILLED: Final = ("cpu", "enableFaultInjection", "memory", "requiresCompatibilities")
_NAMED: Final = ("containerDefinitions", "environment", "secrets", "volumes")
"""Lists that mean the same in any order."""
_WHO: Final = (marks.RELEASE, marks.FENCE, marks.DEPLOYMENT, marks.DECISION)
"""Labels that say for whom it was registered. Whether that may be kept is decided elsewhere."""
_CHECK: Final = {"interval": 30, "timeout": 5, "retries": 3}


def same(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether they are the same but for whom they were registered for.

    Secrets are compared by name: their versions are in the configuration, which the labels hold.
    """
    return _plain(wanted) == _plain(_told(wanted, found))


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(path, found, wanted) of all in which they are not the same."""
    return differences(_plain(_told(wanted, found)), _plain(wanted))


def asked(found: Mapping[str, Any]) -> Json:
    """What would have to be asked for to have this one."""
    return {key: found[key] for key in _ASKED if found.get(key) not in (None, "", [], {})}


def _told(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Json:
    """AWS says which sizes it took where none was asked for, and so do those that imitate it."""
    return {key: value for key, value in found.items() if key not in _FILLED or key in wanted}


def _plain(definition: Mapping[str, Any]) -> Json:
    said = {**asked(definition), "networkMode": definition.get("networkMode") or "bridge"}
    containers = [_container(one, said["networkMode"]) for one in said["containerDefinitions"]]
    plain: Json = _without_empty({**said, "containerDefinitions": containers})
    return plain


def _container(said: Mapping[str, Any], mode: str) -> Json:
    labels = {key: value for key, value in marks.labels(said).items() if key not in _WHO}
    return {
        **said,
        "essential": said.get("essential", True),
        "dockerLabels": labels,
        "portMappings": [_port(port, mode) for port in said.get("portMappings") or []],
        "secrets": [{"name": one["name"]} for one in said.get("secrets") or []],
        "healthCheck": {**_CHECK, **said["healthCheck"]} if said.get("healthCheck") else None,
    }


def _port(said: Mapping[str, Any], mode: str) -> Json:
    own = mode in {"awsvpc", "host"}
    return {**said, "protocol": said.get("protocol", "tcp"), "hostPort": 0 if own else said.get("hostPort", 0)}


def _without_empty(value: Any, key: str = "") -> Any:
    """Zero, false and nothing are what AWS fills in; what is named is put in order."""
    if isinstance(value, Mapping):
        plain = {name: _without_empty(inner, name) for name, inner in value.items()}
        return {name: inner for name, inner in plain.items() if inner not in (None, "", [], {}, 0, False)}
    if isinstance(value, list):
        items = [_without_empty(inner) for inner in value]
        return sorted(items, key=lambda one: str(one.get("name"))) if key in _NAMED else items
    return value
