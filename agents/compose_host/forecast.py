"""What would become of each service of a target, as lines for people: by the lock that is kept there, and the containers that are.

A value is shown only where its field is known to hold nothing secret: environments, commands and labels may.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agents.compose_host.locking import Lock
from agents.compose_host.project import called
from agents.docker_host import labels
from agents.docker_host.box import Box
from fairlead.domain.compose.reading import LockedService
from fairlead.domain.forecast import change, differences

_SHOWN: Final = {"image", "ports", "network_mode", "restart", "stop_grace_period", "user"}
_BROKEN: Final = {"paused", "dead", "removing"}


def lines(lock: Lock, kept: Lock | None, boxes: Sequence[Box]) -> Iterator[str]:
    """`kept`: the lock last seen healthy, whose services are what we know of how it was asked for."""
    there = {called(box): box for box in sorted(boxes, key=lambda box: box.running)}
    for service in lock.services:
        box = there.get(service.called)
        if box is None:
            yield f"{service.called} is new: {service.image}"
        elif _stays(service, box):
            yield f"{service.called} stays as it is"
        else:
            yield f"{service.called} is replaced"
            yield from _changes(service, lock, kept)
    for name in sorted(there.keys() - {service.called for service in lock.services}):
        yield f"{name} goes"


def _stays(service: LockedService, box: Box) -> bool:
    """As the rollout of a new claim judges it: whatever a component's container is, a new release has its own."""
    same = box.labels.get(labels.CONFIG) == service.config and box.reference == service.image
    return not service.component and same and box.status not in _BROKEN


def _changes(service: LockedService, lock: Lock, kept: Lock | None) -> Iterator[str]:
    old = _document(kept, service.called)
    if old is None:
        yield f"{service.called}.image: {service.image}"
        return
    for path, before, now in differences(old, _document(lock, service.called)):
        key = path.partition(".")[0]
        if key != "labels":
            yield change(f"{service.called}.{path}", before, now, shows=key in _SHOWN)


def _document(lock: Lock | None, name: str) -> Any:
    """What a lock says of a service; None where it has none of that name."""
    found = next((service for service in lock.services if service.called == name), None) if lock else None
    return lock.document["services"][found.name] if lock and found else None
