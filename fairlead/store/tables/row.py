"""What every table shares: the schema, and instants that are always aware and read back in UTC."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from fairlead.domain.instants import in_utc

SCHEMA = "release"


class Row(SQLModel, registry=registry(metadata=MetaData(schema=SCHEMA))):
    """A row; it never leaves the store (see rows.as_record)."""


class Instant(TypeDecorator[datetime]):
    """An aware time, in UTC on its way in and out, whatever zone the database speaks; what could not be read again is not written."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what names no instant, and what is none in UTC: nothing could read such a row again."""
        return None if value is None else in_utc(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Read in UTC, so that what is rendered does not depend on a server's setting."""
        return None if value is None else value.astimezone(UTC)
