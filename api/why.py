"""Why something does not move: every blocking rule with its input, since when, until when. Pure functions over records."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from api.standing import Standing
from fairlead.adapters.retries import Retry
from fairlead.contracts.messages import INTENT_ROLLBACK
from fairlead.contracts.records import EventRecord, PromotionRecord, RestraintRecord
from fairlead.contracts.steps import Blocker
from fairlead.domain import gates, lane
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision

_STARTS_WITHIN = timedelta(seconds=10)
_JUDGED = {PromotionState.EVALUATING, PromotionState.AWAITING_APPROVAL, PromotionState.AWAITING_GATE}
REFUSED_TYPES = frozenset({"vote_refused", "cancel_refused"})


def blocked_by(standing: Standing, now: datetime) -> tuple[Blocker, ...]:
    """What keeps a promotion from going on, or what ended it; nothing while it is being carried out or has succeeded."""
    promotion = standing.promotion
    if promotion.state == PromotionState.REQUESTED:
        return _by_start(promotion, now)
    if promotion.state in _JUDGED:
        return _by_verdicts(standing, now)
    if promotion.state == PromotionState.QUEUED:
        return _by_restraints(promotion, standing.restraints, now) + _by_queue(standing)
    if promotion.state.is_terminal and promotion.state != PromotionState.SUCCEEDED:
        return _by_denials(standing) or (_ended(promotion),)
    return ()


def environment_blocked_by(restraints: Iterable[RestraintRecord], now: datetime) -> tuple[Blocker, ...]:
    """What keeps an ordinary promotion out of an environment."""
    return _blockers(lane.Waiting("", "", 0), restraints, now)


def by_retries(retries: Iterable[Retry]) -> tuple[Blocker, ...]:
    """What fails outside and is tried again meanwhile."""
    return tuple(
        Blocker(
            code=retry.code,
            detail=retry.detail,
            rule="retry",
            until=retry.next_at,
            details={"step": retry.step, "attempt": retry.attempt},
        )
        for retry in retries
    )


def next_change_at(blockers: Iterable[Blocker]) -> datetime | None:
    """The earliest time at which time alone may change one of these."""
    return min((blocker.until for blocker in blockers if blocker.until), default=None)


def refused(standing: Standing) -> tuple[EventRecord, ...]:
    """Votes and cancels that were refused, by the workflow or before it, in the order of their times."""
    found = [event for event in (*standing.events, *standing.edge) if event.type in REFUSED_TYPES]
    return tuple(sorted(found, key=lambda event: event.time))


def position(standing: Standing) -> int | None:
    """How many wait before it, from 0; None when it does not wait in its lane."""
    ids = [place.promotion for place in standing.waiting]
    return ids.index(standing.promotion.id) if standing.promotion.id in ids else None


def _by_start(promotion: PromotionRecord, now: datetime) -> tuple[Blocker, ...]:
    """Nothing while it is just being started."""
    if now < promotion.requested_at + _STARTS_WITHIN:
        return ()
    blocker = Blocker(
        code=Code.TEMPORAL_UNAVAILABLE,
        detail="its workflow has not begun; what was requested is started again every 30 seconds",
        rule="start",
        since=promotion.requested_at,
    )
    return (blocker,)


def _ended(promotion: PromotionRecord) -> Blocker:
    detail = promotion.detail or f"it ended {promotion.state}"
    return Blocker(code=promotion.code or promotion.state, detail=detail, rule="outcome", since=promotion.ended_at)


def _by_denials(standing: Standing) -> tuple[Blocker, ...]:
    if standing.promotion.state != PromotionState.REJECTED:
        return ()
    denials = [verdict for verdict in standing.promotion.verdicts if verdict["decision"] == Decision.DENY]
    return tuple(_by_verdict(standing, verdict) for verdict in denials)


def _by_verdicts(standing: Standing, now: datetime) -> tuple[Blocker, ...]:
    found: list[Blocker] = []
    for verdict in standing.promotion.verdicts:
        if verdict["decision"] == Decision.ALLOW:
            continue
        # A freeze says more of itself than the verdict about it; one that is just over has only the verdict left.
        freezes = [r for r in standing.restraints if r.kind == lane.FREEZE] if verdict["gate"] == gates.FREEZE else []
        found += _by_restraints(standing.promotion, freezes, now) or (_by_verdict(standing, verdict),)
    return tuple(found)


def _by_verdict(standing: Standing, verdict: Mapping[str, Any]) -> Blocker:
    codes = verdict["reason_codes"]
    return Blocker(
        code=codes[0] if codes else verdict["decision"],
        detail=verdict["message"],
        rule=verdict["gate"],
        since=_since(standing.events, verdict),
        until=verdict.get("next_evaluation_at"),
        details={**verdict.get("details", {}), "decision": verdict["decision"], "facts": verdict["facts"]},
    )


def _since(events: Iterable[EventRecord], verdict: Mapping[str, Any]) -> datetime | None:
    """When the gate began to say this: the first of the unbroken row of evaluations that ends with the latest."""
    since: datetime | None = None
    for event in events:
        if event.type != "evaluated":
            continue
        same = any(_says_the_same(other, verdict) for other in event.data.get("verdicts", ()))
        since = (since or event.time) if same else None
    return since or verdict.get("evaluated_at")


def _says_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(field) == other.get(field) for field in ("gate", "decision", "reason_codes"))


def _by_restraints(
    promotion: PromotionRecord, restraints: Iterable[RestraintRecord], now: datetime
) -> tuple[Blocker, ...]:
    waiting = lane.Waiting(
        promotion=promotion.id,
        release=promotion.release,
        ordinal=0,
        is_rollback=promotion.intent == INTENT_ROLLBACK,
        through_hold=promotion.through_hold is not None,
    )
    return _blockers(waiting, restraints, now)


def _blockers(waiting: lane.Waiting, records: Iterable[RestraintRecord], now: datetime) -> tuple[Blocker, ...]:
    restraints = [lane.Restraint(r.id, r.kind, r.reason, r.actor, r.since, r.until) for r in records]
    return tuple(Blocker.model_validate(b, from_attributes=True) for b in lane.blockers(waiting, restraints, now))


def _by_queue(standing: Standing) -> tuple[Blocker, ...]:
    before = [place.promotion for place in standing.waiting[: position(standing) or 0]]
    holder = standing.holder.promotion if standing.holder else None
    if holder == standing.promotion.id or (holder is None and not before):
        return ()
    ahead = [holder, *before] if holder else before
    details = {"holder": holder, "position": len(before), "ahead": ahead}
    since = standing.place.queued_at if standing.place else None
    what = f"{holder} has the place" if holder else f"{len(before)} before it"
    return (
        Blocker(code=Code.QUEUED_BEHIND, detail=f"in the queue: {what}", rule="lane", since=since, details=details),
    )
