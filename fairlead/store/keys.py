"""Bearer keys, by the SHA-256 of their secret."""

from datetime import datetime

from sqlmodel import Session, col, select

from fairlead.contracts.records import KeyRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store.rows import as_record, lock_row
from fairlead.store.tables.access import Key


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
    row = Key(
        id=id,
        project=project,
        subject=subject,
        scope=scope,
        secret_hash=secret_hash,
        created_at=time,
        expires_at=expires_at,
    )
    s.add(row)
    s.flush()
    return as_record(KeyRecord, row)


def by_hash(s: Session, secret_hash: str) -> KeyRecord | None:
    """The key with this secret, revoked and expired ones too."""
    row = s.exec(select(Key).where(Key.secret_hash == secret_hash)).one_or_none()
    return as_record(KeyRecord, row) if row else None


def list_keys(s: Session, project: str | None) -> list[KeyRecord]:
    """A project's keys (None: those of no project), oldest first."""
    mine = col(Key.project).is_not_distinct_from(project)
    rows = s.exec(select(Key).where(mine).order_by(col(Key.created_at), col(Key.id)))
    return [as_record(KeyRecord, row) for row in rows]


def revoke(s: Session, id: str, time: datetime) -> KeyRecord:
    """End a key, once. Raises NotFound."""
    row = lock_row(s, Key, id)
    if row is None:
        raise NotFound(Code.NOT_FOUND, f"there is no key {id}")
    row.revoked_at = row.revoked_at or time
    s.flush()
    return as_record(KeyRecord, row)
