"""Projects and the rows of what their catalogue declares."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.contracts.records import ProjectRecord


def get(s: Session, name: str) -> ProjectRecord | None:
    """A project with its catalogue, if it is there."""
    raise NotImplementedError


def save(s: Session, *, name: str, catalogue: dict[str, Any], actor: str, time: datetime) -> ProjectRecord:
    """Make or change a project; a catalogue with another digest is a new revision."""
    raise NotImplementedError


def names(s: Session) -> list[str]:
    """Every project's name."""
    raise NotImplementedError
