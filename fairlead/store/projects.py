"""Projects and the rows of what their catalogue declares."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import ProjectRecord
from fairlead.store.rows import as_record, lock_name
from fairlead.store.tables.catalogue import Component, Declared, Environment, Person, Project, Target

_BLOCKS: dict[str, type[Declared]] = {
    "people": Person,
    "components": Component,
    "environments": Environment,
    "targets": Target,
}


def get(s: Session, name: str) -> ProjectRecord | None:
    """A project with its catalogue, if it is there."""
    row = s.get(Project, name)
    return as_record(ProjectRecord, row) if row else None


def lock(s: Session, name: str) -> None:
    """Let nobody else change the catalogue until this transaction ends: what is read from here on is what will be changed."""
    lock_name(s, f"catalogue/{name}")


def save(s: Session, *, name: str, catalogue: dict[str, Any], actor: str, time: datetime) -> ProjectRecord:
    """Make or change a project; a catalogue with another digest is a new revision, the same one changes nothing."""
    lock(s, name)
    digest = digest_of(catalogue)
    row = s.get(Project, name, populate_existing=True)
    if row is not None and row.digest == digest:
        return as_record(ProjectRecord, row)
    revision = 1 if row is None else row.revision + 1
    row = s.merge(
        Project(name=name, revision=revision, catalogue=catalogue, digest=digest, updated_at=time, updated_by=actor)
    )
    s.flush()
    _declare(s, name, catalogue)
    return as_record(ProjectRecord, row)


def names(s: Session) -> list[str]:
    """Every project's name."""
    return list(s.exec(select(Project.name).order_by(Project.name)))


def environments(s: Session) -> list[tuple[str, str, dict[str, Any]]]:
    """Every environment of every project: project, name, and its block of the catalogue in normal form."""
    rows = s.exec(select(Environment))
    return [(row.project, row.name, row.document) for row in rows]


def targets(s: Session) -> list[tuple[str, str, dict[str, Any]]]:
    """Every target of every project, in the same way."""
    rows = s.exec(select(Target).order_by(Target.project, Target.name))
    return [(row.project, row.name, row.document) for row in rows]


def _declare(s: Session, project: str, catalogue: dict[str, Any]) -> None:
    for block, table in _BLOCKS.items():
        s.exec(delete(table).where(col(table.project) == project))
        for name, document in catalogue.get(block, {}).items():
            s.add(table(project=project, name=name, document=document))
    s.flush()
