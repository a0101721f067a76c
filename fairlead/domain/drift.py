"""Drift: when a difference between what was verified and what is seen counts, and when putting it right by itself has to stop.

How drift is found: domain knows looks, not targets. What is compared with what is said by contracts.compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from fairlead.domain.catalogue import DriftRule

HOUR = timedelta(hours=1)
CALM = timedelta(hours=2)
"""Drift that is back sooner shows that putting it right did not help."""
CALM_LOOKS = 3
"""The same in looks, where looks are rare."""


class Kind(StrEnum):
    """How a target differs from what was verified there. That it cannot be reached says nothing about it: no drift."""

    MISSING = "missing"
    EXTRA = "extra"
    WRONG_DIGEST = "wrong_digest"
    WRONG_CONFIG = "wrong_config"
    UNHEALTHY = "unhealthy"
    UNVERIFIABLE = "unverifiable"
    UNREACHABLE = "unreachable"


class Finding(Protocol):
    """One difference, of one component."""

    @property
    def kind(self) -> Kind:
        """How it differs."""

    @property
    def component(self) -> str | None:
        """What differs; None: the target as a whole."""


F = TypeVar("F", bound=Finding)


@dataclass(frozen=True, slots=True)
class Looks(Generic[F]):
    """What looks at one target have come to. `seen`: differences at the last look that reached it; `drift`: those that count.

    `since`: the first look of the unbroken row in which something differed.
    """

    seen: tuple[F, ...] = ()
    drift: tuple[F, ...] = ()
    since: datetime | None = None


def look_again(before: Looks[F], found: Sequence[F], now: datetime) -> Looks[F]:
    """Take in one look. A difference counts when its component differed at the look before, too; a look that saw nothing changes nothing."""
    if is_blind(found):
        return before
    differed = {finding.component for finding in before.seen}
    return Looks(
        seen=tuple(found),
        drift=tuple(finding for finding in found if finding.component in differed),
        since=(before.since or now) if found else None,
    )


def is_blind(found: Sequence[Finding]) -> bool:
    """Whether the target was not reached at all."""
    return any(finding.kind is Kind.UNREACHABLE for finding in found)


def is_news(before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Whether the drift of a target is not what it was: worth an event and a statement."""
    return {(f.kind, f.component) for f in before} != {(f.kind, f.component) for f in after}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that drift was to be put right. `ended` None: it is under way."""

    asked: datetime
    ended: datetime | None = None
    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """`now`: go on; else from `at` on, or never by itself (`stopped`). `in_vain`: how many in a row did not help."""

    now: bool = False
    at: datetime | None = None
    stopped: bool = False
    in_vain: int = 0


def next_attempt(rule: DriftRule, attempts: Sequence[Attempt], since: datetime, now: datetime) -> NextAttempt:
    """Whether to put right, once more, what has drifted since `since`. `attempts`: in order, those since somebody else deployed here."""
    if attempts and attempts[-1].ended is None:
        return NextAttempt()
    vain = in_vain(rule, attempts, since)
    if vain >= rule.give_up_after:
        return NextAttempt(stopped=True, in_vain=vain)
    lately = [attempt.asked for attempt in attempts if attempt.asked > now - HOUR]
    if len(lately) >= rule.per_hour:
        return NextAttempt(at=lately[-rule.per_hour] + HOUR, in_vain=vain)
    return NextAttempt(now=True, in_vain=vain)


def in_vain(rule: DriftRule, attempts: Sequence[Attempt], since: datetime) -> int:
    """How many of the last attempts did not help: they failed, or drift was soon back."""
    calm = max(CALM, timedelta(seconds=rule.every * CALM_LOOKS))
    count, back = 0, since
    for attempt in reversed(attempts):
        if attempt.succeeded and attempt.ended is not None and back - attempt.ended >= calm:
            break
        count, back = count + 1, attempt.asked
    return count
