"""Deployments and their tasks."""

from datetime import datetime

from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Deployment(Row, table=True):
    """Carrying out a promotion, or the rollback of a failed deployment, under one fence number."""

    __tablename__ = "deployments"

    id: str = Field(primary_key=True)
    promotion: str
    project: str
    environment: str
    release: str
    release_digest: str
    plan: str
    number: int
    state: str
    is_rollback: bool
    rollback_of: str | None = None
    decision: str | None = None
    sequence: int = 0
    created_at: datetime = Field(sa_type=Instant)
    verified_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    code: str | None = None
    detail: str = ""


class Task(Row, table=True):
    """The work on one target. The table has the seed's name."""

    __tablename__ = "deployment_jobs"

    deployment: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    type: str
    wave: int
    state: str
    attempt: int = 0
    release: str
    release_digest: str
    plan: str
    touched: bool = False
    retire: bool = False
    code: str | None = None
    detail: str = ""
