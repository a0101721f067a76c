"""fairlead.yaml into a Catalogue and back, and applying one to a project."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands.documents import read_document, with_places
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.names import project_subject
from fairlead.domain import catalogue_document
from fairlead.domain.blocks import pointer
from fairlead.domain.catalogue import Catalogue, Environment, Layer, Target
from fairlead.domain.catalogue_document import layer_document
from fairlead.domain.catalogue_rules import read
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, Flaw, NotAllowed, NotFound
from fairlead.domain.files import digest_of_file
from fairlead.domain.nearest import did_you_mean
from fairlead.evidence.keys import key_id, load_public_key
from fairlead.store import deployments, documents, history, projects
from fairlead.store.database import Database

DEFAULT_FILE = "fairlead.yaml"

_KINDS = {
    "person": "people",
    "component": "components",
    "target": "targets",
    "environment": "environments",
    "file": "files",
    "config": "config",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a diff. `action`: create | change | remove; `kind`: person, component, target, environment, file or config.

    `fields`: `{path: {"old": .., "new": ..}}`, None where there is nothing.
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


def parse(text: bytes | str, *, files: Mapping[str, str] | None = None, file: str = DEFAULT_FILE) -> Catalogue:
    """Read YAML or JSON, with the files that came beside it (path to content). Raises BadInput; its flaws name pointer, line and column."""
    try:
        tree = read_document(text)
    except BadInput as error:
        raise _bad(error.flaws, file) from error
    catalogue, flaws = _read(_with_files(tree.root, files or {}))
    if flaws:
        raise _bad(with_places(flaws, tree), file)
    return catalogue


def load(document: Mapping[str, Any]) -> Catalogue:
    """Read a document (an already parsed tree). Raises BadInput with JSON pointers."""
    catalogue, flaws = _read(document)
    if flaws:
        raise _bad(flaws, "")
    return catalogue


def document(catalogue: Catalogue) -> dict[str, Any]:
    """The normalised document of a catalogue: what the store keeps, and what `load` reads back."""
    return catalogue_document.document(catalogue)


def of_project(s: Session, project: str) -> Catalogue:
    """The catalogue of a project as it is now. Raises NotFound (project_not_found)."""
    record = projects.get(s, project)
    if record is None:
        meant = did_you_mean(project, projects.names(s))
        raise NotFound(Code.PROJECT_NOT_FOUND, f"there is no project {project!r:.60}{meant}")
    return load(record.catalogue)


def diff(old: Catalogue | None, new: Catalogue) -> tuple[Change, ...]:
    """What changes, in the order people, components, targets, environments, files, configuration, then by name."""
    before = _parts(old) if old else {}
    after = _parts(new)
    return tuple(
        change for kind, part in _KINDS.items() for change in _changes(kind, before.get(part, {}), after.get(part, {}))
    )


def _parts(catalogue: Catalogue) -> dict[str, Any]:
    """The document, with digests in the place of files, and names beside what selects them."""
    files = {path: {"digest": digest_of_file(content)} for path, content in catalogue.files.items()}
    config = {"project": layer_document(catalogue.config)} if catalogue.config != Layer() else {}
    for place, labelled in enumerate(catalogue.label_config, 1):
        config[f"labels-{place}"] = {"labels": dict(labelled.labels), **layer_document(labelled.config)}
    said = document(catalogue)
    for name, environment in catalogue.environments.items():
        if environment.select:
            said["environments"][name]["targets"]["chosen"] = list(environment.targets)
    return {**said, "files": files, "config": config}


def apply_catalogue(
    db: Database,
    project: str,
    catalogue: Catalogue,
    *,
    actor: str,
    admin: bool,
    now: datetime,
    dry_run: bool = False,
    shown: int | None = None,
) -> Applied:
    """Make a project what its catalogue says; idempotent. `shown`: the revision that its changes were shown against, to which alone they apply.

    Raises BadInput (project_mismatch), NotAllowed (not_allowed: `people` changes without admin) and Conflict (still_running, catalogue_changed).
    """
    if catalogue.project != project:
        raise BadInput(Code.PROJECT_MISMATCH, f"the catalogue is of {catalogue.project}, not of {project}")
    with db.session() as s:
        if not dry_run:
            projects.lock(s, project)  # who may do it, and what still runs, is judged by what is there when it is done
        record = projects.get(s, project)
        old = load(record.catalogue) if record else None
        changes = diff(old, catalogue)
        _require_admin(changes, admin)
        if changes:  # the same request may come once more, when its answer was lost
            _require_shown(shown, record.revision if record else 0)
        if old:
            _require_retired(s, old, catalogue)
        if dry_run or (record and not changes):
            revision = record.revision if record else 0
            return Applied(project, revision, digest_of(document(catalogue)), changes, dry_run)
        saved = projects.save(s, name=project, catalogue=document(catalogue), actor=actor, time=now)
        data = {"revision": saved.revision, "digest": saved.digest, "changes": [_told(change) for change in changes]}
        history.append_next(
            s, subject=project_subject(project), type="catalogue_applied", time=now, actor=actor, data=data
        )
        return Applied(project, saved.revision, saved.digest, changes, dry_run)


def _require_shown(shown: int | None, revision: int) -> None:
    if shown is not None and shown != revision:
        detail = f"the changes were shown against revision {shown}, and it is at {revision} now"
        raise Conflict(Code.CATALOGUE_CHANGED, detail, hint="fairlead diff", fields={"revision": revision})


def _with_files(root: Any, files: Mapping[str, str]) -> Any:
    """What came beside a catalogue counts before what it says itself."""
    if not files or not isinstance(root, dict):
        return root
    said = root.get("files")
    return {**root, "files": {**(said if isinstance(said, dict) else {}), **files}}


def _read(tree: object) -> tuple[Catalogue, list[Flaw]]:
    reading = read(tree)
    return reading.catalogue, [*reading.flaws, *_key_flaws(reading.catalogue)]


def _key_flaws(catalogue: Catalogue) -> Iterator[Flaw]:
    """Keys that are none, and keys that two people share: one of them could vote twice."""
    owners: dict[str, str] = {}
    for name, person in catalogue.people.items():
        for index, pem in enumerate(person.keys):
            at = pointer("", "people", name, "keys", index)
            try:
                keyid = key_id(load_public_key(pem))
            except FairleadError as error:
                yield Flaw(Code.BAD_VALUE, error.detail, at)
                continue
            if owners.setdefault(keyid, name) != name:
                yield Flaw(Code.BAD_VALUE, f"{owners[keyid]} has the same key", at)


def _bad(flaws: Sequence[Flaw], file: str) -> BadInput:
    first = flaws[0]
    where = ":".join(str(part) for part in (file, first.line, first.column) if part) or first.pointer or "/"
    more = f" (and {len(flaws) - 1} more)" if len(flaws) > 1 else ""
    return BadInput(first.code, f"{where}: {first.detail}{more}", flaws=flaws)


def _changes(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        before, after = dict(_flat(old.get(name, {}))), dict(_flat(new.get(name, {})))
        action = "change" if name in old and name in new else "create" if name in new else "remove"
        # A null is there and says something, so it is not the same as nothing.
        paths = [p for p in {**before, **after} if (p in before, before.get(p)) != (p in after, after.get(p))]
        if paths or action != "change":
            fields = {path: {"old": before.get(path), "new": after.get(path)} for path in paths}
            yield Change(action, kind, name, fields)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{above}{name}.")
        else:
            yield above + name, inner


def _told(change: Change) -> dict[str, Any]:
    """A change as history keeps it: which fields, not what is in them."""
    return {**asdict(change), "fields": sorted(change.fields)}


def _require_admin(changes: Sequence[Change], admin: bool) -> None:
    touched = [change.name for change in changes if change.kind == "person"]
    if touched and not admin:
        raise NotAllowed(Code.NOT_ALLOWED, f"people are changed by an admin: {', '.join(touched)}")


def _require_retired(s: Session, old: Catalogue, new: Catalogue) -> None:
    flaws = [flaw for environment in old.environments.values() for flaw in _left_behind(s, environment, old, new)]
    if flaws:
        detail = f"{flaws[0].detail}; what runs is retired before it is left out"
        raise Conflict(Code.STILL_RUNNING, detail, flaws=flaws)


def _left_behind(s: Session, environment: Environment, old: Catalogue, new: Catalogue) -> Iterator[Flaw]:
    """What still runs in an environment and would be in no catalogue any more."""
    kept = new.environments[environment.name].targets if environment.name in new.environments else ()
    is_busy = bool(deployments.running(s, old.project, environment.name))
    for name in environment.targets:
        runs = is_busy or deployments.last_verified_task(s, old.project, environment.name, name) is not None
        if runs and (name not in kept or _moves(old.targets[name], new.targets.get(name))):
            at = pointer("", "environments", environment.name, "targets")
            yield Flaw(Code.STILL_RUNNING, f"{name} still runs what {environment.name} brought there", at)
    gone = set(old.components) - set(new.components)
    for name in sorted(gone & _running_components(s, old.project, environment)):
        yield Flaw(Code.STILL_RUNNING, f"{name} still runs in {environment.name}", pointer("", "components", name))


def _moves(old: Target, new: Target | None) -> bool:
    return new is None or old.type is not new.type


def _running_components(s: Session, project: str, environment: Environment) -> set[str]:
    """What deployments under way bring, and what was last verified on each target."""
    tasks = [deployments.last_verified_task(s, project, environment.name, name) for name in environment.targets]
    brought = [(record.plan, None) for record in deployments.running(s, project, environment.name)]
    kept = [(task.plan, task.target) for task in tasks if task]
    return {
        component["name"]
        for plan, target in (*brought, *kept)
        for entry in (documents.plan(s, plan) or {"targets": ()})["targets"]
        if target in (None, entry["name"])
        for component in entry["components"]
    }
