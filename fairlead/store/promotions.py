"""Promotions as they were requested and as their events have projected them."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.states import PromotionState


def insert(
    s: Session,
    *,
    id: str,
    project: str,
    environment: str,
    release: str,
    release_digest: Digest,
    requester: str,
    reason: str,
    intent: str,
    through_hold: str | None,
    retry_of: str | None,
    requested_at: datetime,
    expires_at: datetime,
) -> PromotionRecord:
    """Keep a request, and its event 0 `requested`."""
    raise NotImplementedError


def get(s: Session, id: str) -> PromotionRecord | None:
    """A promotion by its whole id."""
    raise NotImplementedError


def find(s: Session, project: str, prefix: str) -> list[PromotionRecord]:
    """Promotions whose id starts so, two at most: none, the one, or ambiguous."""
    raise NotImplementedError


def list_promotions(
    s: Session,
    project: str,
    *,
    state: PromotionState | None = None,
    environment: str | None = None,
    release: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[PromotionRecord]:
    """A page of promotions, newest first. `since` <= requested_at < `until`; `before` is the last ordinal seen."""
    raise NotImplementedError


def open_into(s: Session, project: str, environment: str) -> list[PromotionRecord]:
    """Promotions into an environment that have not ended, oldest first."""
    raise NotImplementedError


def open_in(s: Session, project: str) -> list[PromotionRecord]:
    """Promotions of a project that have not ended, oldest first."""
    raise NotImplementedError


def unended(s: Session) -> list[PromotionRecord]:
    """Promotions of every project that have not ended, oldest first."""
    raise NotImplementedError
