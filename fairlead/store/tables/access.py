"""Bearer keys, and what was answered to requests that may come again."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Key(Row, table=True):
    """A bearer key, by the SHA-256 of its secret."""

    __tablename__ = "keys"

    id: str = Field(primary_key=True)
    project: str | None = None
    subject: str
    scope: str
    secret_hash: str
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)


class Answer(Row, table=True):
    """The first answer to an Idempotency-Key of one key owner."""

    __tablename__ = "idempotency"

    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_digest: str
    status: int
    body: Any = Field(default=None, nullable=True, sa_type=JSONB)
    time: datetime = Field(sa_type=Instant)
