"""What is known of drift in an environment, and whether it may be put right by itself now. Finding it is for activities.drift."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from fairlead.commands.inventory import not_serving
from fairlead.contracts.base import Frozen
from fairlead.contracts.messages import INTENT_RECONVERGE, SYSTEM
from fairlead.contracts.records import LookRecord, PromotionRecord
from fairlead.domain.catalogue import DriftPolicy, Environment
from fairlead.domain.drift import Attempt, next_attempt
from fairlead.domain.states import PromotionState
from fairlead.store import deployments, lanes, looks, promotions, restraints


class Remedy(Frozen):
    """How drift is being put right. `now`: it may be asked for; else `promotion` is at it, or it waits: for `at`, or for what is `restrained`.

    `stopped`: `in_vain` attempts in a row did not help, so none follows until somebody else deploys.
    """

    now: bool = False
    promotion: str | None = None
    at: datetime | None = None
    restrained: tuple[str, ...] = ()
    stopped: bool = False
    in_vain: int = 0


def drifted(s: Session, project: str, place: Environment, now: datetime) -> tuple[LookRecord, ...]:
    """The targets that differ, seen twice in a row, from what was last verified there; none while a deployment is under way.

    Those that do not serve are left in peace.
    """
    if deployments.running(s, project, place.name):
        return ()
    found, idle = looks.of(s, project, place.name), {status.target for status in not_serving(s, project, place, now)}
    return tuple(
        look
        for name in place.targets
        if name not in idle
        and (look := found.get(name))
        and look.drift
        and look.deployment == _verified(s, project, place.name, name)
    )


def remedy(s: Session, project: str, place: Environment, found: Sequence[LookRecord], now: datetime) -> Remedy | None:
    """Whether and when what was `found` is put right; None where the policy does not say so, or there is nothing."""
    since = min((look.since for look in found if look.since), default=None)
    if place.drift.policy is not DriftPolicy.RECONVERGE or since is None:
        return None
    own = _own(s, project, place.name)
    answer = next_attempt(place.drift, [_attempt(promotion) for promotion in own], since, now)
    kinds = tuple(dict.fromkeys(r.kind for r in restraints.open_at(s, project, place.name, now)))
    is_busy = lanes.holder(s, project, place.name) is not None
    under_way = own[-1].id if own and own[-1].ended_at is None else None
    return Remedy(
        now=answer.now and not kinds and not is_busy,
        promotion=under_way,
        at=answer.at,
        restrained=kinds,
        stopped=answer.stopped,
        in_vain=answer.in_vain,
    )


def last_asked(s: Session, project: str, environment: str) -> datetime | None:
    """When drift was last to be put right."""
    own = _own(s, project, environment)
    return own[-1].requested_at if own else None


def _own(s: Session, project: str, environment: str) -> list[PromotionRecord]:
    """Re-convergences since anybody else brought something here that was verified: whoever does has looked into it."""
    others = deployments.verified_by_others(s, project, environment, INTENT_RECONVERGE)
    asked = promotions.of_intent(s, project, environment, INTENT_RECONVERGE)
    return [p for p in asked if p.requester == SYSTEM and (others is None or p.requested_at > others)]


def _attempt(promotion: PromotionRecord) -> Attempt:
    succeeded = promotion.state is PromotionState.SUCCEEDED
    return Attempt(asked=promotion.requested_at, ended=promotion.ended_at, succeeded=succeeded)


def _verified(s: Session, project: str, environment: str, target: str) -> str | None:
    task = deployments.last_verified_task(s, project, environment, target)
    return task.deployment if task else None
