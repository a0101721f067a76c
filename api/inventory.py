"""What the API tells of targets: what the catalogue says, in which state each is, and what was last verified there."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from fairlead.commands import inventory
from fairlead.commands.inventory import TargetStatus
from fairlead.contracts.base import Frozen
from fairlead.domain.catalogue import Catalogue, Target
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.selecting import has
from fairlead.store import deployments


class TargetView(Frozen):
    """A target. `release`: what was last verified there, nothing once it was retired."""

    name: str
    type: str
    endpoint: str
    labels: Mapping[str, str]
    environment: str | None
    status: TargetStatus
    release: str | None = None
    deployment: str | None = None


def targets(s: Session, catalogue: Catalogue, now: datetime, labels: Mapping[str, str]) -> tuple[TargetView, ...]:
    """The targets that have all of these labels, by name."""
    wanted = sorted(name for name, target in catalogue.targets.items() if has(target, labels))
    found = inventory.statuses(s, catalogue.project, wanted, now)
    return tuple(_view(s, catalogue, catalogue.targets[name], found[name]) for name in wanted)


def target(s: Session, catalogue: Catalogue, name: str, now: datetime) -> TargetView:
    """One target. Raises NotFound (target_not_found)."""
    found = inventory.require_target(catalogue, name)
    return _view(s, catalogue, found, inventory.status(s, catalogue.project, name, now))


def labels_of(words: list[str]) -> dict[str, str]:
    """Labels as `name=value`. Raises BadInput (bad_value)."""
    split = [word.partition("=") for word in words]
    for word, (name, equals, _) in zip(words, split, strict=True):
        if not (name and equals):
            raise BadInput(Code.BAD_VALUE, f"{word!r:.60} is not a label; it says NAME=VALUE")
    return {name: value for name, _, value in split}


def _view(s: Session, catalogue: Catalogue, target: Target, status: TargetStatus) -> TargetView:
    place = inventory.environment_of(catalogue, target.name)
    task = deployments.last_verified_task(s, catalogue.project, place.name, target.name) if place else None
    return TargetView(
        name=target.name,
        type=target.type.value,
        endpoint=target.endpoint,
        labels=target.labels,
        environment=place.name if place else None,
        status=status,
        release=task.release if task else None,
        deployment=task.deployment if task else None,
    )
