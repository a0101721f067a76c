"""fairlead.yaml into a Catalogue and back, and applying one to a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.domain.catalogue import Catalogue
from fairlead.store.database import Database

DEFAULT_FILE = "fairlead.yaml"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a diff. `action`: create | change | remove; `kind`: component, environment, target or person.

    `fields`: for a change, `{path: {"old": .., "new": ..}}`.
    """

    action: str
    kind: str
    name: str
    fields: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying did, or with `dry_run` would do."""

    project: str
    revision: int
    digest: str
    changes: tuple[Change, ...]
    dry_run: bool


def parse(text: bytes | str, *, file: str = DEFAULT_FILE) -> Catalogue:
    """Read YAML or JSON. Raises BadInput; its flaws name pointer, line and column."""
    raise NotImplementedError


def document(catalogue: Catalogue) -> dict[str, Any]:
    """The normalised document of a catalogue: what the store keeps, and what `load` reads back."""
    raise NotImplementedError


def load(document: dict[str, Any]) -> Catalogue:
    """Read a document (an already parsed tree). Raises BadInput with JSON pointers."""
    raise NotImplementedError


def diff(old: Catalogue | None, new: Catalogue) -> tuple[Change, ...]:
    """What changes, in the order people, components, targets, environments, then by name."""
    raise NotImplementedError


def apply_catalogue(
    db: Database, project: str, catalogue: Catalogue, *, actor: str, admin: bool, now: datetime, dry_run: bool = False
) -> Applied:
    """Make a project what its catalogue says; idempotent.

    Raises BadInput (project_mismatch), NotAllowed (not_allowed: `people` changes without admin) and Conflict (still_running).
    """
    raise NotImplementedError
