"""Whose turn it is in a lane: what freezes and holds keep in place, who may pass, and the monotonic rule (design decision 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

FREEZE = "freeze"
HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A promotion in the queue. `ordinal`: its release's place in the order of creation; `through_hold`: a person said so."""

    promotion: str
    release: str
    ordinal: int
    is_rollback: bool = False
    through_hold: bool = False


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
    raise NotImplementedError


def is_older(waiting: Waiting, verified: int | None) -> bool:
    """Whether it would bring an older release than the one last verified there (its ordinal), without meaning to."""
    raise NotImplementedError


def next_turn(queue: Sequence[Waiting], restraints: Sequence[Restraint], verified: int | None, now: datetime) -> Turn:
    """The first in the queue that may pass; who may goes before who may not. `queue` is in order of entry."""
    raise NotImplementedError
