"""Releases: tags become digests, templates are frozen, the manifest is sealed; and which releases may still be promoted."""

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands import sealing
from fairlead.commands.catalogue import of_project
from fairlead.commands.layers import read_config, require_components
from fairlead.contracts.canonical import canonical, digest_of, is_digest
from fairlead.contracts.names import project_subject
from fairlead.contracts.records import ReleaseRecord
from fairlead.contracts.release import PinnedComponent, ReleaseManifest
from fairlead.domain.blocks import pointer
from fairlead.domain.catalogue import Catalogue, Component
from fairlead.domain.catalogue_document import layer_document, template
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, Flaw, NotFound
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.states import RELEASE, ReleaseState
from fairlead.evidence import statements
from fairlead.ports import Images, Signer
from fairlead.store import documents, history, releases
from fairlead.store.database import Database

ASKED_AT_ONCE = 50
"""Images of a release: its registries answer in their own time."""
MAX_SOURCE_BYTES = 16_384

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


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
    config: Mapping[str, Any] | None = None,
    actor: str,
    now: datetime,
) -> CreatedRelease:
    """Create a release, or find the same one there.

    Raises BadInput (bad_value, missing_field, component_not_found, bad_reference), NotFound (project_not_found, tag_not_found,
    digest_not_found) and Conflict (release_exists, naming the fields that differ).
    """
    _check_version(version)
    _check_source(source)
    with db.session() as s:
        catalogue = of_project(s, project)
    declared = _declared(catalogue, components)
    layer = read_config(config, "/config")
    require_components(layer, declared)
    manifest = ReleaseManifest(
        project=project,
        version=version,
        components=_pin(images, declared, components),
        templates={name: digest_of(template(component)) for name, component in declared.items()},
        source=source,
        config=layer_document(layer) or None,
    )
    with db.session() as s:
        existing = releases.get(s, project, version)
        if existing:
            return CreatedRelease(_require_same(existing, manifest), created=False)
        _keep_templates(s, catalogue, declared.values())
        return CreatedRelease(_insert(s, signer, manifest, actor, now), created=True)


def deprecate(db: Database, project: str, version: str, *, actor: str, now: datetime) -> ReleaseRecord:
    """Let nobody promote this release any more. Raises NotFound (release_not_found)."""
    return _set_state(db, project, version, ReleaseState.DEPRECATED, actor, now)


def activate(db: Database, project: str, version: str, *, actor: str, now: datetime) -> ReleaseRecord:
    """Take a deprecation back. Raises NotFound (release_not_found)."""
    return _set_state(db, project, version, ReleaseState.ACTIVE, actor, now)


def require_release(s: Session, project: str, version: str) -> ReleaseRecord:
    """A release by version. Raises NotFound (release_not_found), guessing what was meant."""
    record = releases.get(s, project, version)
    if record is None:
        known = [release.version for release in releases.list_releases(s, project)]
        raise NotFound(
            Code.RELEASE_NOT_FOUND, f"{project} has no release {version!r:.60}{did_you_mean(version, known)}"
        )
    return record


def _check_version(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise BadInput(Code.BAD_VALUE, "a version has 1 to 64 letters, digits, dots, hyphens, underscores and pluses")


def _check_source(source: dict[str, Any] | None) -> None:
    try:
        size = len(canonical(source))
    except (ValueError, RecursionError) as error:
        raise BadInput(Code.BAD_VALUE, "source is not JSON that has a canonical form") from error
    if size > MAX_SOURCE_BYTES:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, f"source is larger than {MAX_SOURCE_BYTES} bytes")


def _declared(catalogue: Catalogue, wanted: Mapping[str, Wanted]) -> dict[str, Component]:
    """The components of the catalogue that the release names. What they depend on must be in it too."""
    if not wanted:
        raise BadInput(Code.MISSING_FIELD, "a release needs at least one component")
    flaws = [flaw for name, image in wanted.items() for flaw in _flaws(catalogue, name, image, wanted)]
    if flaws:
        raise BadInput(flaws[0].code, flaws[0].detail, flaws=flaws)
    return {name: catalogue.components[name] for name in sorted(wanted)}


def _flaws(catalogue: Catalogue, name: str, image: Wanted, wanted: Mapping[str, Wanted]) -> Iterator[Flaw]:
    at = pointer("", "components", name)
    if name not in catalogue.components:
        detail = f"there is no component {name!r:.60}{did_you_mean(name, catalogue.components)}"
        yield Flaw(Code.COMPONENT_NOT_FOUND, detail, at)
        return
    for other in catalogue.components[name].depends_on:
        if other not in wanted:
            yield Flaw(Code.MISSING_FIELD, f"{name} depends on {other}, which the release does not name", at)
    if (image.tag is None) == (image.digest is None):
        yield Flaw(Code.BAD_REFERENCE, f"{name} needs a tag or a digest, one of them", at)
    elif image.tag is not None and not _TAG.fullmatch(image.tag):
        yield Flaw(Code.BAD_REFERENCE, f"{image.tag!r:.60} is not a tag", at + "/tag")
    elif image.digest is not None and not is_digest(image.digest):
        yield Flaw(Code.BAD_REFERENCE, f"{image.digest!r:.80} is not sha256: and 64 hex digits", at + "/digest")


def _pin(images: Images, declared: Mapping[str, Component], wanted: Mapping[str, Wanted]) -> dict[str, PinnedComponent]:
    """Ask for all images at once; the first that cannot be had is the answer."""
    with ThreadPoolExecutor(max_workers=ASKED_AT_ONCE) as pool:
        pinned = pool.map(lambda name: _pin_one(images, declared[name].repository, wanted[name]), declared)
        return dict(zip(declared, pinned, strict=True))


def _pin_one(images: Images, repository: str, image: Wanted) -> PinnedComponent:
    digest = image.digest or images.resolve(repository, image.tag or "")
    platforms = dict(images.platforms(repository, digest))
    return PinnedComponent(repository=repository, digest=digest, platforms=platforms or None)


def _keep_templates(s: Session, catalogue: Catalogue, components: Iterable[Component]) -> None:
    """The catalogue may change; a release brings what it was made with."""
    for component in components:
        documents.put_artifact(s, catalogue.project, template(component))
        for path in component.files:
            documents.put_file(s, catalogue.project, catalogue.files[path])


def _insert(s: Session, signer: Signer, manifest: ReleaseManifest, actor: str, now: datetime) -> ReleaseRecord:
    project, version = manifest.project, manifest.version
    releases.insert(s, manifest=manifest, digest=digest_of(manifest), created_by=actor, time=now)
    sealed = sealing.seal(
        s,
        signer,
        project=project,
        key=f"release/{version}",
        kind="release",
        promotion=None,
        statement=statements.release(manifest, time=now, created_by=actor),
        time=now,
    )
    _note(s, "release_created", manifest, actor, now)
    return releases.set_statement(s, project, version, sealed)


def _note(s: Session, type: str, manifest: ReleaseManifest, actor: str, now: datetime) -> None:
    data = {"release": manifest.version, "digest": digest_of(manifest)}
    subject = project_subject(manifest.project)
    history.append_next(s, subject=subject, type=type, time=now, actor=actor, data=data)


def _require_same(existing: ReleaseRecord, manifest: ReleaseManifest) -> ReleaseRecord:
    if existing.digest == digest_of(manifest):
        return existing
    old, new = (m.model_dump(mode="json", by_alias=True, exclude_none=True) for m in (existing.manifest, manifest))
    fields = sorted(_differences(old, new))
    raise Conflict(
        Code.RELEASE_EXISTS,
        f"release {manifest.version} exists and differs in {', '.join(fields)}",
        hint="a release never changes: choose another version",
        flaws=[Flaw(Code.RELEASE_EXISTS, "differs from the release that exists", field) for field in fields],
        fields={"release": manifest.version, "differs": fields},
    )


def _differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Pointers of the fields that are not the same."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {*old, *new}:
            yield from _differences(old.get(name), new.get(name), pointer(at, name))
    elif old != new:
        yield at


def _set_state(
    db: Database, project: str, version: str, state: ReleaseState, actor: str, now: datetime
) -> ReleaseRecord:
    with db.session() as s:
        record = require_release(s, project, version)
        if record.state is state:
            return record
        RELEASE.step(record.state, state)
        _note(s, f"release_{state}", record.manifest, actor, now)
        return releases.set_state(s, project, version, state)
