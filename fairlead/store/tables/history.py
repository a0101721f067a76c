"""Events."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Event(Row, table=True):
    """One entry of history. `digest` is that of everything that was appended, to tell the same again from another."""

    __tablename__ = "events"

    id: int | None = Field(default=None, primary_key=True)
    subject: str
    sequence: int
    type: str
    time: datetime = Field(sa_type=Instant)
    actor: str | None = None
    code: str | None = None
    state: str | None = None
    data: dict[str, Any] = Field(sa_type=JSONB)
    digest: str
