"""Plans, facts and artifacts: JSON values kept under the digest of their canonical form."""

from typing import Any

from sqlmodel import Session

from fairlead.contracts.canonical import Digest


def put_plan(s: Session, project: str, value: Any) -> Digest:
    """Keep a plan (JSON value or model)."""
    raise NotImplementedError


def plan(s: Session, digest: Digest) -> Any | None:
    """A plan as its JSON value."""
    raise NotImplementedError


def put_facts(s: Session, project: str, value: Any) -> Digest:
    """Keep facts (JSON value or model)."""
    raise NotImplementedError


def facts(s: Session, digest: Digest) -> Any | None:
    """Facts as their JSON value."""
    raise NotImplementedError


def put_artifact(s: Session, project: str, value: Any) -> Digest:
    """Keep an artifact (JSON value or model)."""
    raise NotImplementedError


def artifact(s: Session, digest: Digest) -> Any | None:
    """An artifact as its JSON value."""
    raise NotImplementedError
