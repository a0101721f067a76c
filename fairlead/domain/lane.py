"""Whose turn it is in a lane: what freezes and holds keep in place, who may pass, and the monotonic rule (design decision 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.domain.codes import Code

FREEZE = "freeze"
HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A promotion in the queue. `ordinal`: its release's place in the order of creation; `through_hold`: a person said so.

    `takes_down`: it retires something, and brings no release.
    """

    promotion: str
    release: str
    ordinal: int
    is_rollback: bool = False
    through_hold: bool = False
    takes_down: bool = False


@dataclass(frozen=True, slots=True)
class Restraint:
    """An open freeze or hold."""

    id: str
    kind: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason why something does not move; the fields of contracts.steps.Blocker."""

    code: str
    detail: str
    rule: str
    since: datetime | None = None
    until: datetime | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """`promotion`: who goes on now. `refused`: who was passed over for good, being older. `blocked_by`: what keeps the head in place.

    `next_at`: when time alone may change that.
    """

    promotion: str | None = None
    refused: tuple[str, ...] = ()
    blocked_by: tuple[Blocker, ...] = ()
    next_at: datetime | None = None


def blockers(waiting: Waiting, restraints: Sequence[Restraint], now: datetime) -> tuple[Blocker, ...]:
    """What keeps this one from going on: freezes unless it is a rollback, holds unless it is a rollback or goes through."""
    return tuple(_blocker(r) for r in restraints if is_open(r, now) and _stops(r, waiting))


def is_open(restraint: Restraint, now: datetime) -> bool:
    """Whether a freeze or hold is in force: from `since` on, up to but without `until`."""
    return restraint.since <= now and (restraint.until is None or now < restraint.until)


def is_older(waiting: Waiting, verified: int | None) -> bool:
    """Whether it would bring an older release than the one last verified there (its ordinal), without meaning to."""
    means_to = waiting.is_rollback or waiting.takes_down
    return not means_to and verified is not None and waiting.ordinal < verified


def next_turn(queue: Sequence[Waiting], restraints: Sequence[Restraint], verified: int | None, now: datetime) -> Turn:
    """The first in the queue that may pass; who may goes before who may not. `queue` is in order of entry.

    Whether a release is older is asked only of who could go on: what is verified may change while a freeze lasts.
    """
    refused: list[str] = []
    head: tuple[Blocker, ...] = ()
    for waiting in queue:
        kept_by = blockers(waiting, restraints, now)
        if kept_by:
            head = head or kept_by
        elif is_older(waiting, verified):
            refused.append(waiting.promotion)
        else:
            return Turn(waiting.promotion, tuple(refused))
    return Turn(None, tuple(refused), head, _next_at(queue, restraints, now))


def _stops(restraint: Restraint, waiting: Waiting) -> bool:
    if waiting.is_rollback:
        return False
    return restraint.kind == FREEZE or not waiting.through_hold


def _next_at(queue: Sequence[Waiting], restraints: Sequence[Restraint], now: datetime) -> datetime | None:
    """When the first of those waiting is free, as far as only time must pass."""
    ends = [[b.until for b in kept_by] for w in queue if (kept_by := blockers(w, restraints, now))]
    return min((max(untils) for untils in map(_all_known, ends) if untils), default=None)


def _all_known(untils: Sequence[datetime | None]) -> list[datetime]:
    known = [until for until in untils if until is not None]
    return known if len(known) == len(untils) else []


def _blocker(restraint: Restraint) -> Blocker:
    what, code = ("frozen", Code.FROZEN) if restraint.kind == FREEZE else ("held", Code.HELD)
    return Blocker(
        code=code,
        detail=f"{what} by {restraint.actor}{': ' + restraint.reason if restraint.reason else ''}",
        rule=restraint.kind,
        since=restraint.since,
        until=restraint.until,
        details={"id": restraint.id, "actor": restraint.actor, "reason": restraint.reason},
    )
