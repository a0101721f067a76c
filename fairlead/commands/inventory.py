"""Targets and their states: maintenance, retirement, return. Who, when and why is in the events of each target."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.contracts import names
from fairlead.contracts.base import Frozen
from fairlead.contracts.records import EventRecord
from fairlead.domain.catalogue import Catalogue, Environment, Target
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotFound
from fairlead.domain.instants import from_text
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.states import PromotionState
from fairlead.domain.target_states import TargetState, in_force
from fairlead.store import history, promotions
from fairlead.store.database import Database

MAINTENANCE, ACTIVATED, RETIREMENT = "maintenance", "activated", "retirement"
_TYPES = (MAINTENANCE, ACTIVATED, RETIREMENT)
MAX_REASON = 1000


class TargetStatus(Frozen):
    """The state of a target, who brought it there and why. `promotion`: the one that retires it.

    `handed_over`: what ran there was not taken down, or will not be.
    """

    target: str
    state: TargetState = TargetState.ACTIVE
    reason: str = ""
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    promotion: str | None = None
    handed_over: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What of an environment takes part in a deployment: its targets but those that do not serve, components but those retired there."""

    skipped: Mapping[str, TargetStatus] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


EVERYTHING = Scope(MappingProxyType({}))


def statuses(s: Session, project: str, targets: Iterable[str], now: datetime) -> dict[str, TargetStatus]:
    """The state of each target as it is now."""
    subjects = {names.target_subject(project, target): target for target in targets}
    told = history.latest(s, subjects.keys(), _TYPES)
    return {target: _status(s, target, told.get(subject), now) for subject, target in subjects.items()}


def not_serving(s: Session, project: str, environment: Environment, now: datetime) -> tuple[TargetStatus, ...]:
    """The targets of an environment that promotions leave alone."""
    found = statuses(s, project, environment.targets, now).values()
    return tuple(each for each in found if not each.state.serves)


def status(s: Session, project: str, target: str, now: datetime) -> TargetStatus:
    """The state of one target."""
    return statuses(s, project, [target], now)[target]


def scope_of(
    s: Session, catalogue: Catalogue, environment: Environment, components: Collection[str], now: datetime
) -> Scope:
    """What takes part in a deployment of these components that is planned now. Raises Conflict (no_target_serves, component_retired)."""
    skipped = {each.target: each for each in not_serving(s, catalogue.project, environment, now)}
    if len(skipped) == len(environment.targets):
        raise _none_serves(environment, skipped.values())
    without = retired_components(s, catalogue.project, environment.name, components)
    if without == frozenset(components):
        raise Conflict(
            Code.COMPONENT_RETIRED,
            f"{', '.join(sorted(without))} is retired in {environment.name}, and the release has nothing else",
            hint=f"fairlead component activate COMPONENT --environment {environment.name}",
        )
    return Scope(skipped, without)


def require_not_retired(s: Session, project: str, environment: Environment, now: datetime) -> None:
    """Raise Conflict (no_target_serves) where every target is retired: waiting would not help."""
    found = statuses(s, project, environment.targets, now).values()
    if found and all(each.state is TargetState.RETIRED for each in found):
        raise _none_serves(environment, found)


def retired_components(s: Session, project: str, environment: str, components: Collection[str]) -> frozenset[str]:
    """Those of these components that are retired in an environment."""
    subjects = {names.component_subject(project, environment, name): name for name in components}
    told = history.latest(s, subjects.keys(), _TYPES)
    return frozenset(subjects[subject] for subject, event in told.items() if _is_retired(s, event))


def start_maintenance(
    db: Database,
    project: str,
    target: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
    until: datetime | None = None,
) -> TargetStatus:
    """Let no promotion change a target, until then or until it is activated. What is under way there goes on.

    Raises NotFound (target_not_found), Conflict (target_retired, target_retiring), BadInput (a reason that is none).
    """
    require_reason(reason)
    with db.session() as s:
        require_target(of_project(s, project), target)
        before = status(s, project, target, now)
        _require_not_retired(before)
        said = {"reason": reason, "until": until.isoformat() if until else None}
        if (before.state, before.reason, before.until) != (TargetState.MAINTENANCE, reason, until):
            _note(s, names.target_subject(project, target), MAINTENANCE, actor, now, said)
        return status(s, project, target, now)


def activate(db: Database, project: str, target: str, *, actor: str, now: datetime, reason: str = "") -> TargetStatus:
    """Let promotions go to a target again; nothing where they do already. Raises NotFound, Conflict (target_retiring)."""
    with db.session() as s:
        require_target(of_project(s, project), target)
        before = status(s, project, target, now)
        if before.state is TargetState.RETIRING:
            raise is_being_retired(before)
        if before.state is not TargetState.ACTIVE:
            _note(s, names.target_subject(project, target), ACTIVATED, actor, now, {"reason": reason})
        return status(s, project, target, now)


def activate_component(
    db: Database, project: str, environment: str, component: str, *, actor: str, now: datetime, reason: str = ""
) -> bool:
    """Let promotions bring a component to an environment again; whether it was retired there."""
    with db.session() as s:
        was_retired = bool(retired_components(s, project, environment, [component]))
        if was_retired:
            subject = names.component_subject(project, environment, component)
            _note(s, subject, ACTIVATED, actor, now, {"reason": reason})
        return was_retired


def note_retirement(
    s: Session,
    subject: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
    promotion: str | None,
    hand_over: bool = False,
) -> None:
    """That a target or component is to be retired by a promotion; without one it is retired, as nothing of it runs."""
    said = {"reason": reason, "promotion": promotion, "hand_over": True if hand_over else None}
    _note(s, subject, RETIREMENT, actor, now, said)


def require_target(catalogue: Catalogue, name: str) -> Target:
    """A target of the catalogue. Raises NotFound (target_not_found), guessing what was meant."""
    target = catalogue.targets.get(name)
    if target is None:
        detail = f"{catalogue.project} has no target {name!r:.60}{did_you_mean(name, catalogue.targets)}"
        raise NotFound(Code.TARGET_NOT_FOUND, detail)
    return target


def environment_of(catalogue: Catalogue, target: str) -> Environment | None:
    """The environment that a target belongs to."""
    return next((place for place in catalogue.environments.values() if target in place.targets), None)


def require_reason(reason: str) -> None:
    """Raise BadInput (bad_value) where nobody says why."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise BadInput(Code.BAD_VALUE, f"it needs a reason, of at most {MAX_REASON} characters")


def _status(s: Session, target: str, event: EventRecord | None, now: datetime) -> TargetStatus:
    if event is None or event.type == ACTIVATED:
        return TargetStatus(target=target)
    until = from_text(said) if (said := event.data.get("until")) else None
    found = TargetStatus(
        target=target,
        state=TargetState.MAINTENANCE,
        reason=event.data["reason"],
        actor=event.actor,
        since=event.time,
        until=until,
        promotion=event.data.get("promotion"),
        handed_over=event.data.get("hand_over", False),
    )
    if event.type == MAINTENANCE:
        return found if in_force(until, now) else TargetStatus(target=target)
    state = _retirement(s, found.promotion)
    return found.model_copy(update={"state": state}) if state is not TargetState.ACTIVE else TargetStatus(target=target)


def _retirement(s: Session, promotion: str | None) -> TargetState:
    """What became of a retirement: it is as far as the promotion that carries it out."""
    record = promotions.get(s, promotion) if promotion else None
    if record is None or record.state is PromotionState.SUCCEEDED:
        return TargetState.RETIRED
    return TargetState.ACTIVE if record.state.is_terminal else TargetState.RETIRING


def _is_retired(s: Session, event: EventRecord) -> bool:
    return event.type == RETIREMENT and _retirement(s, event.data.get("promotion")) is TargetState.RETIRED


def _none_serves(environment: Environment, found: Iterable[TargetStatus]) -> Conflict:
    states = ", ".join(f"{each.target}: {each.state}" for each in found)
    hint = "fairlead target activate TARGET"
    return Conflict(Code.NO_TARGET_SERVES, f"no target of {environment.name} serves ({states})", hint=hint)


def _require_not_retired(found: TargetStatus) -> None:
    if found.state is TargetState.RETIRED:
        raise Conflict(
            Code.TARGET_RETIRED,
            f"{found.target} is retired: {found.reason}",
            hint=f"fairlead target activate {found.target}",
        )
    if found.state is TargetState.RETIRING:
        raise is_being_retired(found)


def is_being_retired(found: TargetStatus) -> Conflict:
    """Why a target cannot get another state."""
    detail = f"{found.target} is being retired by promotion {found.promotion}"
    return Conflict(Code.TARGET_RETIRING, detail, hint=f"fairlead cancel {found.promotion}")


def _note(
    s: Session, subject: str, type: str, actor: str, now: datetime, said: Mapping[str, str | bool | None]
) -> None:
    data = {name: value for name, value in said.items() if value is not None}
    history.append_next(s, subject=subject, type=type, time=now, actor=actor, data=data)
