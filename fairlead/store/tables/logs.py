"""The last lines that applications printed."""

from datetime import datetime

from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Log(Row, table=True):
    """The end of what a component printed on a target under one deployment, masked. Written over while it runs; old ones go."""

    __tablename__ = "logs"

    project: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    deployment: str = Field(primary_key=True)
    component: str = Field(primary_key=True)
    time: datetime = Field(sa_type=Instant)
    text: str
