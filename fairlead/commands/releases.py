"""Releases: tags become digests, templates are frozen, the manifest is sealed; and which releases may still be promoted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.contracts.records import ReleaseRecord
from fairlead.ports import Images, Signer
from fairlead.store.database import Database


@dataclass(frozen=True, slots=True)
class Wanted:
    """The image of one component: by tag or by digest, exactly one."""

    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedRelease:
    """`created` is False when the same release was there before."""

    release: ReleaseRecord
    created: bool


def create_release(
    db: Database,
    images: Images,
    signer: Signer,
    project: str,
    version: str,
    components: Mapping[str, Wanted],
    *,
    source: dict[str, Any] | None = None,
    actor: str,
    now: datetime,
) -> CreatedRelease:
    """Create a release, or find the same one there.

    Raises BadInput (component_not_found, bad_reference, missing_field), NotFound (project_not_found, tag_not_found,
    digest_not_found) and Conflict (release_exists, naming the fields that differ).
    """
    raise NotImplementedError


def deprecate(db: Database, project: str, version: str, *, actor: str, now: datetime) -> ReleaseRecord:
    """Let nobody promote this release any more. Raises NotFound (release_not_found)."""
    raise NotImplementedError


def activate(db: Database, project: str, version: str, *, actor: str, now: datetime) -> ReleaseRecord:
    """Take a deprecation back. Raises NotFound (release_not_found)."""
    raise NotImplementedError
