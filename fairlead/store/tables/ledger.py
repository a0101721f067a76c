"""The ledger: sealed envelopes and the leaves of the Merkle tree over them."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from fairlead.store.tables.row import Instant, Row


class Leaf(Row, table=True):
    """One leaf hash; all of a project's are enough to prove anything about its ledger."""

    __tablename__ = "ledger_leaves"

    project: str = Field(primary_key=True)
    index: int = Field(primary_key=True)
    hash: bytes


class Envelope(Row, table=True):
    """A sealed statement, at its leaf. `key` says what it is the one statement of. The table has the seed's name."""

    __tablename__ = "evidence_packets"

    project: str = Field(primary_key=True)
    index: int = Field(primary_key=True)
    key: str
    kind: str
    promotion: str | None = None
    statement: str
    envelope: dict[str, Any] = Field(sa_type=JSONB)
    time: datetime = Field(sa_type=Instant)
