"""What was answered to a request that carried an Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.store.rows import insert_once
from fairlead.store.tables.access import Answer


def find(s: Session, owner: str, key: str) -> tuple[Digest, int, Any] | None:
    """Body digest, status and body of the first answer."""
    row = s.get(Answer, (owner, key))
    return (row.body_digest, row.status, row.body) if row else None


def keep(s: Session, owner: str, key: str, body_digest: Digest, status: int, body: Any, time: datetime) -> None:
    """Keep an answer; the first one stays."""
    insert_once(s, Answer(owner=owner, key=key, body_digest=body_digest, status=status, body=body, time=time))
