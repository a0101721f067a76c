"""Bearer keys: `flk_` and 32 random bytes in base32. Only their SHA-256 is kept, and they are found by it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.commands.ids import new_id, new_secret
from fairlead.contracts.names import project_subject
from fairlead.contracts.records import KeyRecord
from fairlead.domain.blocks import NAME_RULE, is_name
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Unauthenticated
from fairlead.domain.nearest import did_you_mean
from fairlead.store import history, keys
from fairlead.store.database import Database

ADMIN = "admin"
MEMBER = "member"
INTEGRATION = "integration:"


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` is shown once and never kept."""

    record: KeyRecord
    secret: str


def is_integration(subject: str) -> bool:
    """Whether this is a program rather than a person."""
    return subject.startswith(INTEGRATION)


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

    Raises BadInput (bad_value, bad_name), NotFound (project_not_found, subject_not_found).
    """
    if scope not in (ADMIN, MEMBER):
        raise BadInput(Code.BAD_VALUE, f"scope is {ADMIN} or {MEMBER}")
    if expires_at is not None and expires_at <= now:
        raise BadInput(Code.BAD_VALUE, "it would have expired already")
    with db.session() as s:
        _require_subject(s, project, subject)
        made = _add(s, project, subject, scope, new_secret(), now, expires_at)
        if project:
            data = {"key": made.record.id, "subject": subject, "scope": scope}
            history.append_next(
                s, subject=project_subject(project), type="key_created", time=now, actor=actor, data=data
            )
        return made


def revoke_key(db: Database, *, project: str, id: str, now: datetime, actor: str) -> KeyRecord:
    """End a project's key for good; one that has ended stays as it is. Raises NotFound (not_found)."""
    with db.session() as s:
        known = next((key for key in keys.list_keys(s, project) if key.id == id), None)
        if known is None:
            raise NotFound(Code.NOT_FOUND, f"{project} has no key {id!r:.60}", hint="fairlead keys list")
        if known.revoked_at is None:
            data = {"key": id, "subject": known.subject}
            history.append_next(
                s, subject=project_subject(project), type="key_revoked", time=now, actor=actor, data=data
            )
        return keys.revoke(s, id, now)


def bootstrap_key(db: Database, *, now: datetime, secret: str | None = None) -> NewKey:
    """The first key of `fairlead dev`: scope admin, all projects, subject `integration:dev`. With a known `secret` idempotent."""
    with db.session() as s:
        known = keys.by_hash(s, secret_hash(secret)) if secret else None
        if known and secret:
            return NewKey(known, secret)
        return _add(s, None, INTEGRATION + "dev", ADMIN, secret or new_secret(), now)


def authenticate(s: Session, secret: str, now: datetime) -> KeyRecord:
    """Whose key this is. Raises Unauthenticated (unauthenticated) for unknown, expired and revoked ones alike."""
    record = keys.by_hash(s, secret_hash(secret))
    if record is None or record.revoked_at or (record.expires_at and record.expires_at <= now):
        raise Unauthenticated(Code.UNAUTHENTICATED, "this key is not known here")
    return record


def secret_hash(secret: str) -> str:
    """What is kept of a secret: it has 256 random bits, so it needs neither salt nor stretching."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _require_subject(s: Session, project: str | None, subject: str) -> None:
    people = of_project(s, project).people if project else {}
    if is_integration(subject):
        if not is_name(subject.removeprefix(INTEGRATION)):
            raise BadInput(Code.BAD_NAME, f"an integration's name has {NAME_RULE}")
    elif subject not in people:
        detail = f"{subject!r:.60} is not in people{did_you_mean(subject, people)}"
        raise NotFound(Code.SUBJECT_NOT_FOUND, detail, hint="name a person, or integration:NAME")


def _add(
    s: Session,
    project: str | None,
    subject: str,
    scope: str,
    secret: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> NewKey:
    record = keys.add(
        s,
        id=new_id(),
        project=project,
        subject=subject,
        scope=scope,
        secret_hash=secret_hash(secret),
        time=now,
        expires_at=expires_at,
    )
    return NewKey(record, secret)
