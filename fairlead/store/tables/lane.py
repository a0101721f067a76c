"""What a lane keeps: its counter, its queue, and what holds it back."""

from datetime import datetime

from sqlalchemy import Identity
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Fence(Row, table=True):
    """The last fence number given out in an environment; its row is the lane's lock."""

    __tablename__ = "fences"

    project: str = Field(primary_key=True)
    environment: str = Field(primary_key=True)
    number: int = 0


class Place(Row, table=True):
    """A promotion in its queue. At most one per lane is admitted."""

    __tablename__ = "queue"

    promotion: str = Field(primary_key=True)
    project: str
    environment: str
    position: int | None = Field(default=None, sa_column_args=[Identity()])
    status: str
    number: int | None = None
    code: str | None = None
    queued_at: datetime = Field(sa_type=Instant)


class Restraint(Row):
    """What keeps an environment as it is."""

    id: str = Field(primary_key=True)
    project: str
    environment: str
    reason: str
    actor: str
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = None
    deployment: str | None = None


class Freeze(Restraint, table=True):
    """Nobody may change it, rollback intent apart."""

    __tablename__ = "freezes"


class Hold(Restraint, table=True):
    """Automation must not touch it."""

    __tablename__ = "holds"
