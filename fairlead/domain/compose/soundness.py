"""What Compose itself would not take: a shape that is none, a name that points nowhere. We would read over some of it, and drop it unseen."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from fairlead.domain.blocks import pointer
from fairlead.domain.compose.shapes import Tree, dependencies, mapping, named, named_volumes
from fairlead.domain.nearest import did_you_mean

SHAPE: Final = "shape"
UNKNOWN_NAME: Final = "unknown_name"

_CONDITIONS: Final = ("service_completed_successfully", "service_healthy", "service_started")
_LISTS: Final = ("cap_add", "configs", "devices", "ports", "profiles", "secrets", "security_opt", "volumes")
_EITHER: Final = ("depends_on", "environment", "labels", "networks")
_MAPPINGS: Final = ("deploy", "healthcheck")
_RESOURCES: Final = ("configs", "networks", "secrets", "volumes")

Unsound = tuple[str, str, str]
"""The rule, where it stands, and what is wrong."""


def unsound(document: Tree) -> Iterator[Unsound]:
    """All of it."""
    services = mapping(document.get("services"))
    if not isinstance(document.get("services"), Mapping):
        yield SHAPE, "/services", "there are no services; write `services: {NAME: {image: ...}}`"
    for kind in _RESOURCES:
        yield from _shaped(document.get(kind), (Mapping,), "a mapping", pointer("", kind))
        for name, said in mapping(document.get(kind)).items():
            yield from _shaped(said, (Mapping,), "a mapping", pointer("", kind, name))
    for name, said in services.items():
        yield from _of_service(document, mapping(said), pointer("", "services", name))


def _of_service(document: Tree, service: Tree, at: str) -> Iterator[Unsound]:
    for keys, shapes, words in (
        (_LISTS, (list,), "a list"),
        (_EITHER, (list, Mapping), "a list or a mapping"),
        (_MAPPINGS, (Mapping,), "a mapping"),
    ):
        for key in keys:
            yield from _shaped(service.get(key), shapes, words, pointer(at, key))
    yield from _awaited(mapping(document.get("services")), service, at)
    known = {kind: mapping(document.get(kind)) for kind in _RESOURCES}
    yield from _known(named(service.get("networks")), {"default", *known["networks"]}, "network", f"{at}/networks")
    yield from _known(named(service.get("configs")), known["configs"], "config", f"{at}/configs")
    yield from _known(named_volumes(service), known["volumes"], "volume", f"{at}/volumes")


def _shaped(value: object, shapes: tuple[type, ...], words: str, at: str) -> Iterator[Unsound]:
    if value is not None and not isinstance(value, shapes):
        yield SHAPE, at, f"expected {words}"


def _awaited(services: Tree, service: Tree, at: str) -> Iterator[Unsound]:
    for name, said in dependencies(service.get("depends_on")).items():
        where, condition = pointer(at, "depends_on", name), said["condition"]
        if name not in services and said.get("required", True):
            yield UNKNOWN_NAME, where, f"there is no service {name!r:.60}{did_you_mean(name, services)}"
        if condition not in _CONDITIONS:
            guess = did_you_mean(str(condition), _CONDITIONS)
            yield UNKNOWN_NAME, where, f"{condition!r:.60} is no condition to wait for{guess}"


def _known(names: Collection[str], known: Collection[str], kind: str, at: str) -> Iterator[Unsound]:
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known) or f"; say it under `{kind}s:`"
            yield UNKNOWN_NAME, at, f"there is no {kind} {name!r:.60}{guess}"
