"""Releases: identity never changes, only the state and the statement's digest do."""

from datetime import datetime

from sqlmodel import Session

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ReleaseRecord
from fairlead.contracts.release import ReleaseManifest
from fairlead.domain.states import ReleaseState


def insert(s: Session, *, manifest: ReleaseManifest, digest: Digest, created_by: str, time: datetime) -> ReleaseRecord:
    """Keep a release; the same again is the one that is there, another content is Conflict (release_exists)."""
    raise NotImplementedError


def get(s: Session, project: str, version: str) -> ReleaseRecord | None:
    """A release by version."""
    raise NotImplementedError


def by_digest(s: Session, project: str, digest: Digest) -> ReleaseRecord | None:
    """A release by its manifest's digest."""
    raise NotImplementedError


def list_releases(s: Session, project: str, *, before: int | None = None, limit: int = 50) -> list[ReleaseRecord]:
    """A page of releases, newest first; `before` is the last ordinal seen."""
    raise NotImplementedError


def set_state(s: Session, project: str, version: str, state: ReleaseState) -> ReleaseRecord:
    """Deprecate a release or take that back."""
    raise NotImplementedError


def set_statement(s: Session, project: str, version: str, digest: Digest) -> ReleaseRecord:
    """Note the digest of the sealed release statement."""
    raise NotImplementedError
