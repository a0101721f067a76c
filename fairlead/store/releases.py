"""Releases: identity never changes, only the state and the statement's digest do."""

from datetime import datetime

from sqlmodel import Session, col, select

from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import ReleaseRecord
from fairlead.contracts.release import ReleaseManifest
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import RELEASE, ReleaseState
from fairlead.store.rows import as_record, insert_once
from fairlead.store.tables.release import Release


def insert(s: Session, *, manifest: ReleaseManifest, digest: Digest, created_by: str, time: datetime) -> ReleaseRecord:
    """Keep a release; the same again is the one that is there, another content is Conflict (release_exists)."""
    row = Release(
        project=manifest.project,
        version=manifest.version,
        digest=digest,
        manifest=manifest.model_dump(mode="json", by_alias=True, exclude_none=True),
        state=RELEASE.first,
        created_at=time,
        created_by=created_by,
    )
    insert_once(s, row)
    kept = get(s, manifest.project, manifest.version)
    if kept is None or kept.digest != digest:
        raise Conflict(Code.RELEASE_EXISTS, f"{manifest.version} of {manifest.project} is there with another content")
    return kept


def get(s: Session, project: str, version: str) -> ReleaseRecord | None:
    """A release by version."""
    row = s.exec(select(Release).where(Release.project == project, Release.version == version)).one_or_none()
    return as_record(ReleaseRecord, row) if row else None


def by_digest(s: Session, project: str, digest: Digest) -> ReleaseRecord | None:
    """A release by its manifest's digest."""
    row = s.exec(select(Release).where(Release.project == project, Release.digest == digest)).one_or_none()
    return as_record(ReleaseRecord, row) if row else None


def list_releases(s: Session, project: str, *, before: int | None = None, limit: int = 50) -> list[ReleaseRecord]:
    """A page of releases, newest first; `before` is the last ordinal seen."""
    query = select(Release).where(Release.project == project).order_by(col(Release.ordinal).desc()).limit(limit)
    if before is not None:
        query = query.where(col(Release.ordinal) < before)
    return [as_record(ReleaseRecord, row) for row in s.exec(query)]


def set_state(s: Session, project: str, version: str, state: ReleaseState) -> ReleaseRecord:
    """Deprecate a release or take that back."""
    row = _locked(s, project, version)
    row.state = RELEASE.step(ReleaseState(row.state), state)
    s.flush()
    return as_record(ReleaseRecord, row)


def set_statement(s: Session, project: str, version: str, digest: Digest) -> ReleaseRecord:
    """Note the digest of the sealed release statement."""
    row = _locked(s, project, version)
    row.statement = digest
    s.flush()
    return as_record(ReleaseRecord, row)


def _locked(s: Session, project: str, version: str) -> Release:
    query = select(Release).where(Release.project == project, Release.version == version).with_for_update()
    row = s.exec(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(Code.RELEASE_NOT_FOUND, f"{project} has no release {version}")
    return row
