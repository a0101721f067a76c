"""Requesting a promotion, a rollback or a retry: the row first, the workflow is the caller's to start (design decision 1)."""

from datetime import datetime

from fairlead.contracts.messages import INTENT_PROMOTE, PromotionInput
from fairlead.contracts.records import PromotionRecord
from fairlead.store.database import Database


def request_promotion(
    db: Database,
    project: str,
    environment: str,
    release: str,
    *,
    requester: str,
    now: datetime,
    reason: str = "",
    intent: str = INTENT_PROMOTE,
    through_hold: str | None = None,
) -> PromotionRecord:
    """Write the row of a promotion, in state `requested`.

    Raises NotFound (project, release, environment), Conflict (release_deprecated, release_older, nothing_to_roll_back_to)
    and NotAllowed (an integration may not go through a hold).
    """
    raise NotImplementedError


def request_rollback(
    db: Database,
    project: str,
    environment: str,
    *,
    requester: str,
    now: datetime,
    to: str | None = None,
    reason: str = "",
) -> PromotionRecord:
    """A promotion with rollback intent: to `to`, else to the release verified there before the present one.

    Raises Conflict (nothing_to_roll_back_to).
    """
    raise NotImplementedError


def retry(db: Database, promotion: str, *, requester: str, now: datetime) -> PromotionRecord:
    """The same request anew, with `retry_of`; votes do not carry over. Raises Conflict (promotion_not_closed)."""
    raise NotImplementedError


def workflow_input(record: PromotionRecord) -> PromotionInput:
    """What the promotion's workflow is started with."""
    raise NotImplementedError
