"""Projects, and one row for each thing that a catalogue declares."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Project(Row, table=True):
    """A project and its catalogue as it is now; earlier ones are in its events."""

    __tablename__ = "projects"

    name: str = Field(primary_key=True)
    revision: int
    catalogue: dict[str, Any] = Field(sa_type=JSONB)
    digest: str
    updated_at: datetime = Field(sa_type=Instant)
    updated_by: str


class Declared(Row):
    """A named block of a catalogue, with the block as its document."""

    project: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_type=JSONB)


class Person(Declared, table=True):
    """A subject of `people`."""

    __tablename__ = "people"


class Component(Declared, table=True):
    """One deployable thing."""

    __tablename__ = "components"


class Environment(Declared, table=True):
    """A place in the promotion path."""

    __tablename__ = "environments"


class Target(Declared, table=True):
    """One thing that runs components."""

    __tablename__ = "targets"
