"""What targets were last seen running, beside what was verified there, and what is known of drift."""

from datetime import datetime

from sqlmodel import Session

from api.deps import Place
from fairlead.commands import drift, plans
from fairlead.commands.drift import Remedy
from fairlead.commands.inventory import TargetStatus, statuses
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.compare import Difference, compare
from fairlead.contracts.records import LookRecord, ObservationRecord, TaskRecord
from fairlead.contracts.steps import Blocker
from fairlead.contracts.target import ComponentObservation, TargetObservation, TargetSpec
from fairlead.domain import gates
from fairlead.domain.catalogue import DriftPolicy
from fairlead.domain.codes import Code
from fairlead.domain.drift import is_blind
from fairlead.domain.health import Health, worst
from fairlead.store import deployments, looks


class TargetDrift(Frozen):
    """A target as it was last seen, beside what was last verified there.

    `differences`: at the last look, none while a deployment is under way; `drift`: those that count, seen twice in a row, with the
    sealed `statement` about them. `status`: whether it serves at all.
    """

    target: str
    status: TargetStatus
    observed_at: datetime | None
    deployment: str | None
    health: Health | None
    reachable: bool | None
    unreachable_since: datetime | None
    components: tuple[ComponentObservation, ...]
    observation: Digest | None
    differences: tuple[Difference, ...]
    drift: tuple[Difference, ...]
    drifted_since: datetime | None
    statement: Digest | None


class DriftStanding(Frozen):
    """The drift of an environment: each drifted target as a reason, whether that keeps promotions out, and how it is put right."""

    drift: tuple[Blocker, ...]
    blocks: bool
    remedy: Remedy | None


def drift_of(s: Session, place: Place, now: datetime) -> tuple[TargetDrift, ...]:
    """Each target of an environment as it was last seen."""
    seen = looks.last_seen(s, place.project, place.name)
    found = {look.target: look for look in drift.drifted(s, place.project, place.environment, now)}
    known = looks.of(s, place.project, place.name)
    states = statuses(s, place.project, place.environment.targets, now)
    is_busy = bool(deployments.running(s, place.project, place.name))
    targets = [
        _target(s, place, states[name], seen.get(name), known.get(name), found.get(name))
        for name in place.environment.targets
    ]
    return tuple(t.model_copy(update={"differences": ()}) if is_busy else t for t in targets)


def standing(s: Session, place: Place, now: datetime) -> DriftStanding:
    """What is known of drift in an environment."""
    found = drift.drifted(s, place.project, place.environment, now)
    return DriftStanding(
        drift=tuple(_reason(look) for look in found),
        blocks=place.environment.drift.policy is DriftPolicy.BLOCK,
        remedy=drift.remedy(s, place.project, place.environment, found, now),
    )


def observation_of(record: ObservationRecord | None) -> TargetObservation | None:
    """What was seen."""
    return TargetObservation.model_validate(record.content) if record else None


def _reason(look: LookRecord) -> Blocker:
    return Blocker(
        code=Code.DRIFT,
        detail=f"{look.target}: {'; '.join(difference.detail for difference in look.drift)}",
        rule=gates.DRIFT,
        since=look.since,
        details={
            "target": look.target,
            "kinds": sorted({difference.kind.value for difference in look.drift}),
            "statement": look.statement,
        },
    )


def _target(
    s: Session,
    place: Place,
    status: TargetStatus,
    seen: ObservationRecord | None,
    look: LookRecord | None,
    drifted: LookRecord | None,
) -> TargetDrift:
    task = deployments.last_verified_task(s, place.project, place.name, status.target)
    content, expected = observation_of(seen), _expected(s, task)
    differences = compare(expected.components if expected else (), content) if content else ()
    return TargetDrift(
        target=status.target,
        status=status,
        observed_at=seen.time if seen else None,
        deployment=task.deployment if task else None,
        health=worst(c.health for c in content.components) if content else None,
        reachable=content.reachable if content else None,
        unreachable_since=look.unreachable_since if look else None,
        components=content.components if content else (),
        observation=seen.digest if seen else None,
        differences=() if is_blind(differences) else differences,
        drift=drifted.drift if drifted else (),
        drifted_since=drifted.since if drifted else None,
        statement=drifted.statement if drifted else None,
    )


def _expected(s: Session, task: TaskRecord | None) -> TargetSpec | None:
    deployment = deployments.get(s, task.deployment) if task else None
    return plans.target_spec(s, deployment, task) if deployment and task else None
