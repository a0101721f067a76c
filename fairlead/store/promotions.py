"""Promotions as they were requested and as their events have projected them."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from fairlead.contracts.canonical import Digest
from fairlead.contracts.names import promotion_subject
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import Append
from fairlead.domain.states import PROMOTION, PromotionState
from fairlead.store import history
from fairlead.store.rows import as_record
from fairlead.store.tables.promotion import Promotion


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
    config: dict[str, Any] | None = None,
    retire: dict[str, Any] | None = None,
) -> PromotionRecord:
    """Keep a request, and its event 0 `requested`, in which its configuration layer lies, or what it is to retire."""
    row = Promotion(
        id=id,
        project=project,
        environment=environment,
        release=release,
        release_digest=release_digest,
        requester=requester,
        reason=reason,
        intent=intent,
        through_hold=through_hold,
        retry_of=retry_of,
        requested_at=requested_at,
        expires_at=expires_at,
        state=PROMOTION.first,
        sequence=0,
    )
    s.add(row)
    s.flush()
    history.append(s, _requested(row, config or {}, retire))
    return as_record(PromotionRecord, row)


def get(s: Session, id: str) -> PromotionRecord | None:
    """A promotion by its whole id."""
    row = s.get(Promotion, id)
    return as_record(PromotionRecord, row) if row else None


def config(s: Session, id: str) -> dict[str, Any]:
    """The configuration layer that came with its request."""
    requested = history.event(s, promotion_subject(id), 0)
    return dict(requested.data.get("config", {})) if requested else {}


def retirement(s: Session, id: str) -> dict[str, Any]:
    """What it was asked to retire."""
    requested = history.event(s, promotion_subject(id), 0)
    return dict(requested.data.get("retire", {})) if requested else {}


def find(s: Session, project: str, prefix: str) -> list[PromotionRecord]:
    """Promotions whose id starts so, two at most: none, the one, or ambiguous."""
    starts = col(Promotion.id).startswith(prefix, autoescape=True)
    return _all(s, select(Promotion).where(Promotion.project == project, starts).order_by(Promotion.id).limit(2))


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
    wanted = {Promotion.state: state, Promotion.environment: environment, Promotion.release: release}
    query = select(Promotion).where(Promotion.project == project)
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    if since is not None:
        query = query.where(Promotion.requested_at >= since)
    if until is not None:
        query = query.where(Promotion.requested_at < until)
    if before is not None:
        query = query.where(col(Promotion.ordinal) < before)
    return _all(s, query.order_by(col(Promotion.ordinal).desc()).limit(limit))


def open_into(s: Session, project: str, environment: str) -> list[PromotionRecord]:
    """Promotions into an environment that have not ended, oldest first."""
    return _all(s, _open().where(Promotion.project == project, Promotion.environment == environment))


def open_in(s: Session, project: str) -> list[PromotionRecord]:
    """Promotions of a project that have not ended, oldest first."""
    return _all(s, _open().where(Promotion.project == project))


def of_intent(s: Session, project: str, environment: str, intent: str, limit: int = 50) -> list[PromotionRecord]:
    """The last promotions of an intent into an environment, oldest first."""
    here = select(Promotion).where(Promotion.project == project, Promotion.environment == environment)
    newest = here.where(Promotion.intent == intent).order_by(col(Promotion.ordinal).desc()).limit(limit)
    return _all(s, newest)[::-1]


def unended(s: Session) -> list[PromotionRecord]:
    """Promotions of every project that have not ended, oldest first."""
    return _all(s, _open())


def _requested(row: Promotion, config: dict[str, Any], retire: dict[str, Any] | None) -> Append:
    data = {
        "environment": row.environment,
        "release": row.release,
        "release_digest": row.release_digest,
        "intent": row.intent,
        "reason": row.reason,
        "through_hold": row.through_hold,
        "retry_of": row.retry_of,
        "config": config or None,
        "retire": retire,
    }
    return Append(
        subject=promotion_subject(row.id),
        sequence=0,
        type="requested",
        time=row.requested_at,
        actor=row.requester,
        data={name: value for name, value in data.items() if value is not None},
        state=PROMOTION.first,
    )


def _open() -> SelectOfScalar[Promotion]:
    return select(Promotion).where(col(Promotion.ended_at).is_(None)).order_by(col(Promotion.ordinal))


def _all(s: Session, query: SelectOfScalar[Promotion]) -> list[PromotionRecord]:
    return [as_record(PromotionRecord, row) for row in s.exec(query)]
