"""What statements are about: the fields that those of one promotion share, and their subjects."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from fairlead.contracts.canonical import Digest, canonical, digest_of
from fairlead.contracts.release import ReleaseManifest
from fairlead.evidence import predicates as p
from fairlead.evidence.statement import Statement, Subject


@dataclass(frozen=True, slots=True)
class About:
    """What the statements of one promotion have in common. `manifest`: of the release that is promoted; `time`: the workflow's."""

    promotion: str
    environment: str
    manifest: ReleaseManifest
    time: datetime

    @property
    def project(self) -> str:
        return self.manifest.project

    @property
    def release(self) -> Digest:
        return digest_of(self.manifest)

    def common(self, *inputs: Digest) -> dict[str, Any]:
        """The fields that every predicate of a promotion has."""
        return {
            "project": self.project,
            "promotion": self.promotion,
            "environment": self.environment,
            "time": self.time,
            "inputs": inputs,
        }


def subjects_of(releases: Iterable[tuple[ReleaseManifest, Digest]]) -> tuple[Subject, ...]:
    """For each release (with its digest) the components by name, then the release itself; nothing twice."""
    found: dict[tuple[str, str], None] = {}
    for manifest, digest in releases:
        for _, component in sorted(manifest.components.items()):
            found[component.repository, component.digest] = None
        found[f"release:{manifest.project}/{manifest.version}", digest] = None
    return tuple(Subject(name=name, digest={"sha256": p.hex_of(digest)}) for name, digest in found)


def given(digest: Digest | None) -> tuple[Digest, ...]:
    """The digest, where there is one."""
    return () if digest is None else (digest,)


def verbatim(model: BaseModel) -> dict[str, Any]:
    """The document that a model's digest is over."""
    document: dict[str, Any] = json.loads(canonical(model))
    return document


def about_releases(manifests: Iterable[ReleaseManifest], predicate: p.AnyPredicate) -> Statement:
    """A statement about these releases."""
    subjects = subjects_of((manifest, digest_of(manifest)) for manifest in manifests)
    return _written(subjects, predicate)


def about_itself(name: str, predicate: p.AnyPredicate) -> Statement:
    """A statement whose subject is what its own predicate says."""
    digest = digest_of(predicate.document())
    return _written([Subject(name=name, digest={"sha256": p.hex_of(digest)})], predicate)


def _written(subjects: Iterable[Subject], predicate: p.AnyPredicate) -> Statement:
    return Statement(
        subject=tuple(subjects), predicate_type=p.predicate_type(predicate.KIND), predicate=predicate.document()
    )
