"""What decisions rest on: documents under their digest, reports, and what was seen on targets."""

from datetime import datetime

from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Document(Row):
    """A JSON value's canonical bytes, or a file's own; a constraint holds them to their digest."""

    digest: str = Field(primary_key=True)
    project: str = Field(primary_key=True)
    content: bytes


class PlanDocument(Document, table=True):
    """A plan."""

    __tablename__ = "plans"


class FactsDocument(Document, table=True):
    """What gates were judged by."""

    __tablename__ = "facts"


class ArtifactDocument(Document, table=True):
    """A rendered configuration, a report, a generated file."""

    __tablename__ = "artifacts"


class Report(Row, table=True):
    """That a report about a digest was imported."""

    __tablename__ = "reports"

    id: int | None = Field(default=None, primary_key=True)
    project: str
    digest: str
    kind: str
    document: str
    imported_at: datetime = Field(sa_type=Instant)
    imported_by: str


class Observation(Row, table=True):
    """What a target was seen running."""

    __tablename__ = "observations"

    id: int | None = Field(default=None, primary_key=True)
    digest: str
    project: str
    environment: str
    target: str
    deployment: str | None = None
    time: datetime = Field(sa_type=Instant)
    content: bytes
