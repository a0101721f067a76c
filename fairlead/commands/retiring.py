"""Retiring targets, components and environments: a promotion that takes down what runs, by gates, votes, lane and evidence like any other.

A retirement of targets leaves nothing of ours there, or hands over what runs; one of a component leaves the others as they were verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from fairlead.commands import inventory
from fairlead.commands.catalogue import of_project
from fairlead.commands.ids import new_id
from fairlead.commands.plans import entry_of, plan_strategy, read_plan, rendered
from fairlead.commands.promotions import require_environment, require_may_pass_hold
from fairlead.contracts import names
from fairlead.contracts.messages import INTENT_RETIRE
from fairlead.contracts.records import PromotionRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.release import Plan, PlannedComponent, PlannedTarget
from fairlead.domain.catalogue import Catalogue, Environment
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotFound
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds.docker_section import beside
from fairlead.domain.target_states import TargetState
from fairlead.domain.waves import waves
from fairlead.store import deployments, promotions, releases
from fairlead.store.database import Database

STOP = "stop"
"""What is half taken down is not brought back: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """What is to be retired: these targets of an environment, or with `component` just that on all of its targets.

    `hand_over`: what runs is left running, and is not ours any more.
    """

    environment: str
    targets: tuple[str, ...] = ()
    component: str | None = None
    hand_over: bool = False

    def document(self) -> dict[str, Any]:
        """As the request keeps it."""
        what = {"component": self.component} if self.component else {"targets": list(self.targets)}
        return {**what, "hand_over": True} if self.hand_over else what

    def handing_over(self) -> "Retirement":
        """The same, without taking anything down. Raises BadInput (hand_over_whole)."""
        if self.component:
            raise BadInput(
                Code.HAND_OVER_WHOLE,
                f"{self.component} alone cannot be handed over: what is ours on a target and what is not would share its claims",
                hint="hand over the target or the environment, or take the component down",
            )
        return replace(self, hand_over=True)


@dataclass(frozen=True, slots=True)
class Standing:
    """What runs on one target: the task that brought it, and its part of the plan."""

    task: TaskRecord
    planned: PlannedTarget


def of_target(catalogue: Catalogue, target: str) -> Retirement | None:
    """The retirement of one target; None where it belongs to no environment, so nothing can run there. Raises NotFound."""
    inventory.require_target(catalogue, target)
    place = inventory.environment_of(catalogue, target)
    return Retirement(place.name, (target,)) if place else None


def of_environment(catalogue: Catalogue, environment: str) -> Retirement:
    """The retirement of all that an environment has. Raises NotFound (environment_not_found)."""
    return Retirement(environment, require_environment(catalogue, environment).targets)


def of_component(s: Session, catalogue: Catalogue, environment: str, component: str) -> Retirement:
    """The retirement of a component in an environment. Raises NotFound (environment_not_found, component_not_found)."""
    place = require_environment(catalogue, environment)
    known = {c.name for standing in _standing(s, catalogue, place) for c in standing.planned.components}
    if component not in known | set(catalogue.components):
        detail = f"{environment} has no component {component!r:.60}{did_you_mean(component, known)}"
        raise NotFound(Code.COMPONENT_NOT_FOUND, detail)
    return Retirement(environment, component=component)


def request(
    db: Database,
    project: str,
    wanted: Retirement,
    *,
    requester: str,
    reason: str,
    now: datetime,
    through_hold: str | None = None,
    id: str | None = None,
) -> PromotionRecord | None:
    """Write the row of the promotion that retires this; None where nothing runs, and it is retired at once.

    Raises NotFound, Conflict (target_in_maintenance, target_retiring, component_needed, releases_differ), NotAllowed, BadInput.
    """
    inventory.require_reason(reason)
    require_may_pass_hold(through_hold, requester)
    with db.session() as s:
        catalogue = of_project(s, project)
        place = require_environment(catalogue, wanted.environment)
        _require_reach(s, project, place, wanted, now)
        release = _release(s, project, _concerned(s, catalogue, wanted))
        made = None
        if release:
            draft_plan(s, catalogue, wanted, release.digest)  # raises what would keep it from being done
            made = _insert(s, place, release, wanted, requester, reason, now, through_hold, id or new_id())
        for subject in _subjects(project, wanted):
            by = made.id if made else None
            over = wanted.hand_over and made is not None
            inventory.note_retirement(s, subject, actor=requester, reason=reason, now=now, promotion=by, hand_over=over)
        return made


def _insert(
    s: Session,
    place: Environment,
    release: ReleaseRecord,
    wanted: Retirement,
    requester: str,
    reason: str,
    now: datetime,
    through_hold: str | None,
    id: str,
) -> PromotionRecord:
    return promotions.insert(
        s,
        id=id,
        project=release.project,
        environment=place.name,
        release=release.version,
        release_digest=release.digest,
        requester=requester,
        reason=reason,
        intent=INTENT_RETIRE,
        through_hold=through_hold,
        retry_of=None,
        requested_at=now,
        expires_at=now + timedelta(seconds=place.promotion_expires),
        retire=wanted.document(),
    )


def retire_alone(db: Database, project: str, target: str, *, requester: str, reason: str, now: datetime) -> None:
    """Retire a target that belongs to no environment, so that nothing can run there. Raises NotFound, BadInput."""
    inventory.require_reason(reason)
    with db.session() as s:
        inventory.require_target(of_project(s, project), target)
        subject = names.target_subject(project, target)
        inventory.note_retirement(s, subject, actor=requester, reason=reason, now=now, promotion=None)


def plan_of(s: Session, catalogue: Catalogue, promotion: PromotionRecord) -> Plan:
    """What a retirement that was asked for will execute, by what runs now. Raises Conflict (nothing_to_retire, releases_differ)."""
    said = promotions.retirement(s, promotion.id)
    wanted = Retirement(
        promotion.environment, tuple(said.get("targets", ())), said.get("component"), said.get("hand_over", False)
    )
    return draft_plan(s, catalogue, wanted, promotion.release_digest)


def preview_plan(s: Session, catalogue: Catalogue, wanted: Retirement) -> Plan:
    """What a retirement would execute. Raises Conflict (nothing_to_retire) and as above."""
    release = _release(s, catalogue.project, _concerned(s, catalogue, wanted))
    if release is None:
        raise _nothing(wanted)
    return draft_plan(s, catalogue, wanted, release.digest)


def draft_plan(s: Session, catalogue: Catalogue, wanted: Retirement, release: str) -> Plan:
    """A plan that takes down or hands over what runs, the last target first. `release`: that of what stays, and after which it is called."""
    place = require_environment(catalogue, wanted.environment)
    found = _concerned(s, catalogue, wanted)
    if not found:
        raise _nothing(wanted)
    left = {each.task.target: _left(s, wanted, each) for each in found}
    if any(left[each.task.target] and each.task.release_digest != release for each in found):
        versions = ", ".join(f"{each.task.target} runs {each.task.release}" for each in found)
        raise Conflict(
            Code.RELEASES_DIFFER, f"what stays is not of one release: {versions}", hint="promote one release to all"
        )
    kinds = {each.task.target: each.task.type for each in found}
    targets = [
        PlannedTarget(
            name=name,
            type=kinds[name],
            wave=wave,
            components=left[name],
            retire=None if left[name] else True,
            hand_over=wanted.hand_over or None,
        )
        for wave, together in enumerate(waves(list(reversed(left)), place.strategy))
        for name in together
    ]
    return Plan(
        project=catalogue.project,
        environment=place.name,
        release=release,
        strategy=plan_strategy(place.strategy),
        on_failure=STOP if not any(left.values()) else place.on_failure,
        targets=tuple(targets),
    )


def _require_reach(s: Session, project: str, place: Environment, wanted: Retirement, now: datetime) -> None:
    """Nothing is changed where people work, and what is retired twice is retired once."""
    found = inventory.statuses(s, project, wanted.targets or place.targets, now)
    for each in found.values():
        if each.state is TargetState.MAINTENANCE:
            raise Conflict(
                Code.TARGET_IN_MAINTENANCE,
                f"{each.target} is in maintenance: {each.reason}",
                hint=f"fairlead target activate {each.target}",
            )
        if each.state is TargetState.RETIRING and wanted.component is None:
            raise inventory.is_being_retired(each)


def _concerned(s: Session, catalogue: Catalogue, wanted: Retirement) -> list[Standing]:
    """Where something runs that is to be retired, in the order of the environment."""
    standing = _standing(s, catalogue, require_environment(catalogue, wanted.environment))
    if wanted.component is None:
        return [each for each in standing if each.task.target in wanted.targets]
    return [each for each in standing if any(c.name == wanted.component for c in each.planned.components)]


def _standing(s: Session, catalogue: Catalogue, place: Environment) -> list[Standing]:
    tasks = (deployments.last_verified_task(s, catalogue.project, place.name, name) for name in place.targets)
    return [Standing(task, entry_of(read_plan(s, task.plan), task.target)) for task in tasks if task]


def _left(s: Session, wanted: Retirement, standing: Standing) -> tuple[PlannedComponent, ...]:
    """What stays on a target. Raises Conflict (component_needed)."""
    if wanted.component is None:
        return ()
    left = tuple(c for c in standing.planned.components if c.name != wanted.component)
    for component in left:
        config = rendered(s, component.config)
        if wanted.component in {*config.depends_on, beside(config.run or {})}:
            raise Conflict(
                Code.COMPONENT_NEEDED,
                f"{component.name} on {standing.task.target} needs {wanted.component}",
                hint=f"promote a release in which {component.name} does not, or retire {component.name} first",
            )
    return left


def _release(s: Session, project: str, standing: Sequence[Standing]) -> ReleaseRecord | None:
    """The newest release among what runs."""
    digests = {each.task.release_digest for each in standing}
    found = (releases.by_digest(s, project, digest) for digest in digests)
    return max((release for release in found if release), key=lambda release: release.ordinal, default=None)


def _subjects(project: str, wanted: Retirement) -> list[str]:
    if wanted.component:
        return [names.component_subject(project, wanted.environment, wanted.component)]
    return [names.target_subject(project, target) for target in wanted.targets]


def nothing_in(place: str, what: str) -> Conflict:
    """There is nothing to take down."""
    return Conflict(Code.NOTHING_TO_RETIRE, f"{place} runs nothing of {what}")


def _nothing(wanted: Retirement) -> Conflict:
    return nothing_in(wanted.environment, wanted.component or ", ".join(wanted.targets))
