"""What is recorded about an environment: what was verified and seen on its targets, who queues, what is frozen or held."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from api import drifting, standing, why
from api.deps import Place
from fairlead.commands import drift
from fairlead.commands.drift import Remedy
from fairlead.commands.inventory import TargetStatus, not_serving, statuses
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ObservationRecord, PromotionRecord, QueueRecord, RestraintRecord
from fairlead.contracts.steps import Blocker
from fairlead.domain.catalogue import Catalogue
from fairlead.domain.health import Health, worst
from fairlead.domain.lane import FREEZE, HOLD
from fairlead.domain.states import DeploymentState, PromotionState
from fairlead.domain.waves import start_order
from fairlead.store import deployments, lanes, looks, promotions, releases, restraints


class TargetStanding(Frozen):
    """What was last verified on a target, and how it was when last seen."""

    name: str
    type: str
    release: str | None
    release_digest: Digest | None
    deployment: str | None
    verified_at: datetime | None
    health: Health | None
    observed_at: datetime | None
    status: TargetStatus
    drifted_since: datetime | None = None


class QueuePlace(Frozen):
    """A promotion in the lane. `position` counts those waiting before it; the holder has none."""

    promotion: str
    release: str
    state: PromotionState
    requester: str
    status: str
    number: int | None
    position: int | None
    queued_at: datetime


class RunningDeployment(Frozen):
    """A deployment that has not ended."""

    id: str
    release: str
    state: DeploymentState
    is_rollback: bool


class EnvironmentView(Frozen):
    """An environment as it is recorded now."""

    project: str
    name: str
    production: bool
    after: tuple[str, ...]
    targets: tuple[TargetStanding, ...]
    holder: QueuePlace | None
    queue: tuple[QueuePlace, ...]
    freezes: tuple[RestraintRecord, ...]
    holds: tuple[RestraintRecord, ...]
    deployments: tuple[RunningDeployment, ...]


class OpenPromotion(Frozen):
    """A promotion that has not ended, and what keeps it from going on."""

    promotion: str
    release: str
    state: PromotionState
    requester: str
    blocked_by: tuple[Blocker, ...]


class EnvironmentWhy(Frozen):
    """What keeps an ordinary promotion out, what keeps those that are open, who is there already.

    `drift`: what drifted, and how that is put right (`remedy`); `skipped`: targets that are left alone.
    """

    project: str
    environment: str
    blocked_by: tuple[Blocker, ...]
    next_change_at: datetime | None
    promotions: tuple[OpenPromotion, ...]
    holder: QueuePlace | None
    queue: tuple[QueuePlace, ...]
    drift: tuple[Blocker, ...] = ()
    remedy: Remedy | None = None
    skipped: tuple[TargetStatus, ...] = ()


class Cell(Frozen):
    """A component in an environment."""

    environment: str
    release: str
    digest: Digest
    deployment: str
    verified_at: datetime | None


class MatrixRow(Frozen):
    """A component and where which release of it was last verified."""

    component: str
    environments: tuple[Cell, ...]


class Matrix(Frozen):
    """Components x environments."""

    project: str
    environments: tuple[str, ...]
    components: tuple[MatrixRow, ...]


def in_order(catalogue: Catalogue) -> tuple[str, ...]:
    """The environments along the promotion graph; the store keeps no order of its own."""
    return start_order({name: environment.after for name, environment in catalogue.environments.items()})


def environment_view(s: Session, place: Place, now: datetime) -> EnvironmentView:
    """Everything about one environment."""
    open_now = restraints.open_at(s, place.project, place.name, now)
    seen = looks.last_seen(s, place.project, place.name)
    drifted = {look.target: look.since for look in drift.drifted(s, place.project, place.environment, now)}
    states = statuses(s, place.project, place.environment.targets, now)
    return EnvironmentView(
        project=place.project,
        name=place.name,
        production=place.environment.production,
        after=place.environment.after,
        targets=tuple(_target(s, place, states[n], seen.get(n), drifted.get(n)) for n in place.environment.targets),
        holder=_holder(s, place),
        queue=_queue(s, place),
        freezes=tuple(r for r in open_now if r.kind == FREEZE),
        holds=tuple(r for r in open_now if r.kind == HOLD),
        deployments=tuple(
            RunningDeployment(**record.model_dump()) for record in deployments.running(s, place.project, place.name)
        ),
    )


def environment_why(s: Session, place: Place, now: datetime) -> EnvironmentWhy:
    """What blocks an environment."""
    drifted = drifting.standing(s, place, now)
    blockers = why.environment_blocked_by(restraints.open_at(s, place.project, place.name, now), now)
    blockers += drifted.drift if drifted.blocks else ()
    return EnvironmentWhy(
        project=place.project,
        environment=place.name,
        blocked_by=blockers,
        next_change_at=why.next_change_at(blockers),
        promotions=tuple(_open(s, p, now) for p in promotions.open_into(s, place.project, place.name)),
        holder=_holder(s, place),
        queue=_queue(s, place),
        drift=drifted.drift,
        remedy=drifted.remedy,
        skipped=not_serving(s, place.project, place.environment, now),
    )


def matrix(s: Session, catalogue: Catalogue) -> Matrix:
    """What was last verified of each component in each environment."""
    cells: dict[str, list[Cell]] = {name: [] for name in catalogue.components}
    for environment in in_order(catalogue):
        last = deployments.last_verified(s, catalogue.project, environment)
        release = releases.by_digest(s, catalogue.project, last.release_digest) if last else None
        if last is None or release is None:
            continue
        for name, pinned in release.manifest.components.items():
            cell = Cell(
                environment=environment,
                release=release.version,
                digest=pinned.digest,
                deployment=last.id,
                verified_at=last.verified_at,
            )
            cells.setdefault(name, []).append(cell)
    rows = tuple(MatrixRow(component=name, environments=tuple(row)) for name, row in cells.items())
    return Matrix(project=catalogue.project, environments=in_order(catalogue), components=rows)


def _target(
    s: Session, place: Place, status: TargetStatus, seen: ObservationRecord | None, drifted_since: datetime | None
) -> TargetStanding:
    name = status.target
    task = deployments.last_verified_task(s, place.project, place.name, name)
    deployment = deployments.get(s, task.deployment) if task else None
    content = drifting.observation_of(seen)
    return TargetStanding(
        name=name,
        type=place.catalogue.targets[name].type,
        release=task.release if task else None,
        release_digest=task.release_digest if task else None,
        deployment=task.deployment if task else None,
        verified_at=deployment.verified_at if deployment else None,
        health=worst(c.health for c in content.components) if content else None,
        observed_at=seen.time if seen else None,
        drifted_since=drifted_since,
        status=status,
    )


def _open(s: Session, promotion: PromotionRecord, now: datetime) -> OpenPromotion:
    known: dict[str, Any] = promotion.model_dump(include={"release", "state", "requester"})
    blockers = why.blocked_by(standing.read(s, promotion.id, now), now)
    return OpenPromotion(promotion=promotion.id, blocked_by=blockers, **known)


def _holder(s: Session, place: Place) -> QueuePlace | None:
    record = lanes.holder(s, place.project, place.name)
    return _queued(s, record, None) if record else None


def _queue(s: Session, place: Place) -> tuple[QueuePlace, ...]:
    waiting = lanes.waiting(s, place.project, place.name)
    return tuple(_queued(s, record, before) for before, record in enumerate(waiting))


def _queued(s: Session, record: QueueRecord, position: int | None) -> QueuePlace:
    promotion = promotions.get(s, record.promotion)
    assert promotion is not None, record.promotion  # noqa: S101 (a queue row refers to its promotion)
    known: dict[str, Any] = record.model_dump(exclude={"position"})
    about = {"release": promotion.release, "state": promotion.state, "requester": promotion.requester}
    return QueuePlace(**known, **about, position=position)
