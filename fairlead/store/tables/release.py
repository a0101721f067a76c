"""Releases."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Release(Row, table=True):
    """A version and what it is. Only `state` and `statement` may change; a trigger refuses the rest."""

    __tablename__ = "releases"

    ordinal: int | None = Field(default=None, primary_key=True)
    project: str
    version: str
    digest: str
    manifest: dict[str, Any] = Field(sa_type=JSONB)
    state: str
    created_at: datetime = Field(sa_type=Instant)
    created_by: str
    statement: str | None = None
