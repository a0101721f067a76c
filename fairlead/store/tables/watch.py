"""What looks between deployments have come to."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Look(Row, table=True):
    """The last look at a target, and what has been seen there twice in a row. What changes is in the environment's events."""

    __tablename__ = "looks"

    project: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    deployment: str
    time: datetime = Field(sa_type=Instant)
    observation: str
    unreachable_since: datetime | None = Field(default=None, sa_type=Instant)
    seen: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    drift: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    since: datetime | None = Field(default=None, sa_type=Instant)
    statement: str | None = None
