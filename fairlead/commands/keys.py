"""Bearer keys: `flk_` and 32 random bytes in base32. Only their SHA-256 is kept, and they are found by it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.records import KeyRecord
from fairlead.store.database import Database

ADMIN = "admin"
MEMBER = "member"


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is shown once and never kept."""

    record: KeyRecord
    secret: str


def create_key(
    db: Database,
    *,
    project: str | None,
    subject: str,
    scope: str,
    now: datetime,
    actor: str | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """A key for a person of the catalogue or for `integration:<name>`; `project` None is for all projects.

    Raises BadInput (bad_value), NotFound (project_not_found, subject_not_found).
    """
    raise NotImplementedError


def bootstrap_key(db: Database, *, now: datetime, secret: str | None = None) -> NewKey:
    """The first key of `fairlead dev`: scope admin, all projects, subject `integration:dev`. With a known `secret` idempotent."""
    raise NotImplementedError


def authenticate(s: Session, secret: str, now: datetime) -> KeyRecord:
    """Whose key this is. Raises Unauthenticated (unauthenticated) for unknown, expired and revoked ones alike."""
    raise NotImplementedError
