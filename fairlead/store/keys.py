"""Bearer keys, by the SHA-256 of their secret."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.records import KeyRecord


def add(
    s: Session,
    *,
    id: str,
    project: str | None,
    subject: str,
    scope: str,
    secret_hash: str,
    time: datetime,
    expires_at: datetime | None = None,
) -> KeyRecord:
    """Keep a new key."""
    raise NotImplementedError


def by_hash(s: Session, secret_hash: str) -> KeyRecord | None:
    """The key with this secret, revoked and expired ones too."""
    raise NotImplementedError


def list_keys(s: Session, project: str | None) -> list[KeyRecord]:
    """A project's keys, oldest first."""
    raise NotImplementedError


def revoke(s: Session, id: str, time: datetime) -> KeyRecord:
    """End a key, once. Raises NotFound."""
    raise NotImplementedError
