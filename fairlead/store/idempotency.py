"""What was answered to a request that carried an Idempotency-Key."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest


def find(s: Session, owner: str, key: str) -> tuple[Digest, int, Any] | None:
    """Body digest, status and body of the first answer."""
    raise NotImplementedError


def keep(s: Session, owner: str, key: str, body_digest: Digest, status: int, body: Any, time: datetime) -> None:
    """Keep an answer; the first one stays."""
    raise NotImplementedError
