"""Promotions and the votes on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Promotion(Row, table=True):
    """A request, and what its events have made of it so far."""

    __tablename__ = "promotions"

    id: str = Field(primary_key=True)
    ordinal: int | None = Field(default=None, sa_column_args=[Identity()])
    project: str
    environment: str
    release: str
    release_digest: str
    requester: str
    reason: str = ""
    intent: str
    through_hold: str | None = None
    retry_of: str | None = None
    requested_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)

    state: str
    sequence: int
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    plan: str | None = None
    votes_opened: datetime | None = Field(default=None, sa_type=Instant)
    votes_expire: datetime | None = Field(default=None, sa_type=Instant)
    verdicts: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    next_evaluation_at: datetime | None = Field(default=None, sa_type=Instant)
    outcome: str | None = None
    code: str | None = None
    detail: str = ""


class Vote(Row, table=True):
    """An accepted vote; the envelope is kept as it came. The table has the seed's name."""

    __tablename__ = "approvals"

    promotion: str = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    project: str
    digest: str
    voter: str
    choice: str
    comment: str
    groups: list[str] = Field(sa_type=JSONB)
    plan: str
    time: datetime = Field(sa_type=Instant)
    received: datetime = Field(sa_type=Instant)
    envelope: dict[str, Any] = Field(sa_type=JSONB)
