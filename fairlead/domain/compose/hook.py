"""One more container of a stack: a service that runs one command, made of another one of the lock."""

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.domain.compose.interpolation import escape
from fairlead.domain.compose.shapes import named

_ALONE = "container_name depends_on expose healthcheck hostname labels links mac_address networks ports restart"
_NOT_TWICE = frozenset(_ALONE.split())
"""What is the service's alone: nobody is to find the hook in its place."""
_OF_ANOTHER = "service:"
"""What is shared with another service, which may not be there yet."""


def document(
    lock: Mapping[str, Any], service: str, name: str, command: Sequence[str], labels: Mapping[str, str], image: str = ""
) -> dict[str, Any]:
    """The lock with nothing in it but the hook, by this name. `image`: its own, which says itself what it is entered by."""
    said: Mapping[str, Any] = lock["services"][service]
    kept = {k: v for k, v in said.items() if k not in _NOT_TWICE and not str(v).startswith(_OF_ANOTHER)}
    if image:
        kept = {**{k: v for k, v in kept.items() if k != "entrypoint"}, "image": escape(image)}
    networks = list(named(said.get("networks")))
    hook = {
        **kept,
        **({"networks": networks} if networks else {}),
        "command": [escape(word) for word in command],
        "container_name": name,
        "labels": {key: escape(value) for key, value in labels.items()},
        "restart": "no",
    }
    return {**lock, "services": {name: hook}}
