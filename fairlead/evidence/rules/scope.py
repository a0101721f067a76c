"""What the statements are about: one project, one promotion into one environment, and the releases they name."""

from collections.abc import Iterator

from fairlead.contracts.canonical import Digest, digest_of
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case, Entry
from fairlead.evidence.report import Rule
from fairlead.evidence.statement import Subject
from fairlead.evidence.statements import subjects_of


def _project(case: Case) -> Iterator[str]:
    ours = case.trust.project
    for entry in case.entries:
        if entry.predicate.project != ours:
            yield f"{entry} is of project {entry.predicate.project!r}, not {ours!r}"
    for manifest in case.manifests.values():
        if manifest.project != ours:
            yield f"release {manifest.version} is of project {manifest.project!r}, not {ours!r}"
    if case.plan and case.plan.project != ours:
        yield f"the plan is of project {case.plan.project!r}, not {ours!r}"


def _promotion(case: Case) -> Iterator[str]:
    environments = set()
    for entry in case.entries:
        if isinstance(entry.predicate, p.PromotionPredicate | p.VerdictPredicate):
            environments.add(entry.predicate.environment)
            if entry.predicate.promotion != case.promotion:
                yield f"{entry} is of promotion {entry.predicate.promotion!r}, not {case.promotion!r}"
    if len(environments) > 1:
        yield f"statements name several environments: {', '.join(sorted(environments))}"


def _releases(case: Case) -> Iterator[str]:
    entries = case.of(p.ReleasePredicate)
    for entry in entries:
        said, manifest = entry.predicate, case.manifests[entry.predicate.release]
        if digest_of(said.manifest) != said.release:
            yield f"{entry}: the manifest's digest is not {said.release}"
        elif manifest.version != said.version:
            yield f"{entry}: the manifest is of version {manifest.version}"
    held = [entry.predicate.release for entry in entries]
    for digest in held:
        if held.count(digest) > 1 or digest not in _needed(case):
            yield f"the release {digest} is stated twice, or nothing here is about it"
    yield from (f"there is no statement of the release {digest}" for digest in _needed(case) - set(held))


def _needed(case: Case) -> set[Digest]:
    """The releases that the bundle must hold: the one that is promoted, and those that targets went back to."""
    digests = {digest for _, _, digest in _named(case)}
    return digests | {case.release} if case.release else digests


def _named(case: Case) -> Iterator[tuple[str, str, Digest]]:
    """Where a release is named as a target's: by whom, its version, its digest."""
    for entry in case.entries:
        said = entry.predicate
        if isinstance(said, p.DeploymentPredicate | p.RollbackPredicate):
            yield from ((str(entry), target.release, target.release_digest) for target in said.targets)
        if isinstance(said, p.ObservationPredicate):
            yield str(entry), said.release, said.release_digest


def _versions(case: Case) -> Iterator[str]:
    for where, version, digest in _named(case):
        manifest = case.manifests.get(digest)
        if manifest and manifest.version != version:
            yield f"{where}: {digest} is version {manifest.version}, not {version}"


def _release_rule(case: Case) -> Iterator[str]:
    yield from _releases(case)
    yield from _versions(case)


def _subjects(case: Case) -> Iterator[str]:
    for entry in case.entries:
        if isinstance(entry.predicate, p.FreezePredicate | p.KeyPredicate | p.DriftPredicate):
            continue  # not of a bundle; rule `chain` says so
        if entry.statement.subject != _expected(case, entry):
            yield f"{entry}: its subjects are not those of the release it is about"


def _expected(case: Case, entry: Entry[p.AnyPredicate]) -> tuple[Subject, ...]:
    digests = [digest for digest in _about(case, entry.predicate) if digest in case.manifests]
    return subjects_of((case.manifests[digest], digest) for digest in digests)


def _about(case: Case, said: p.AnyPredicate) -> list[Digest]:
    if isinstance(said, p.ReleasePredicate):
        return [said.release]
    if isinstance(said, p.DeploymentPredicate) and said.is_rollback:
        return [target.release_digest for target in said.targets]
    if isinstance(said, p.ObservationPredicate) and (said.is_rollback or said.retire):
        return [said.release_digest]
    return [case.release] if case.release else []


RULES = (
    Rule("project", "everything is of the project that the trust file is for", _project),
    Rule("promotion", "everything but releases is of this promotion, into one environment", _promotion),
    Rule("release", "every release that is named is stated once, and its manifest has the digest named", _release_rule),
    Rule("subject", "every statement is about the components and the release that it must be about", _subjects),
)
