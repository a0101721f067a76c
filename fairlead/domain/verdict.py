"""What a gate answers, and how the answers of several gates become one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Decision(StrEnum):
    """A gate's answer. Only `allow` ever allows (design decision 5)."""

    ALLOW = "allow"
    DENY = "deny"
    PENDING = "pending"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's answer over one set of facts; at most 16 kB when written as JSON.

    `facts` is the digest (`sha256:<hex>`) of the facts that it rests on, `policy` that of the rule's settings;
    the same two give the same answer. `reason_codes` are stable (codes.py), `details` carries their inputs.
    """

    gate: str
    decision: Decision
    reason_codes: tuple[str, ...]
    message: str
    facts: str
    policy: str
    evaluated_at: datetime
    next_evaluation_at: datetime | None = None
    satisfied_at: datetime | None = None
    details: dict[str, object] = field(default_factory=dict)


_SEVERITY = (Decision.DENY, Decision.ERROR, Decision.PENDING, Decision.ALLOW)


def combine(verdicts: Sequence[Verdict]) -> Decision:
    """The worst answer wins: deny, then error, then pending. No gates at all allow."""
    decisions = {verdict.decision for verdict in verdicts}
    return next((d for d in _SEVERITY if d in decisions), Decision.ALLOW)


def next_evaluation(verdicts: Sequence[Verdict]) -> datetime | None:
    """The earliest time at which time alone may change an answer that does not allow; None if it cannot."""
    times = [v.next_evaluation_at for v in verdicts if v.next_evaluation_at and v.decision != Decision.ALLOW]
    return min(times, default=None)


def look_again_at(now: datetime, *, due: datetime | None, votes_expire: datetime | None, latest: datetime) -> datetime:
    """When to evaluate next, `latest` at the latest.

    What is `due` may have become so while the last answer was written down: then it is time now. That votes have expired is no reason
    to look for ever: another gate may be what is waited for.
    """
    times = [latest, *([due] if due else []), *([votes_expire] if votes_expire and votes_expire > now else [])]
    return max(min(times), now)
