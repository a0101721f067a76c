"""in-toto Statements: one builder for each kind of interface.md 6. Everything that enters is an argument, so a retry builds the same bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from pydantic import Field

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest, canonical, digest_bytes, digest_of
from fairlead.contracts.release import Plan, ReleaseManifest
from fairlead.contracts.target import TargetObservation
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision, Verdict
from fairlead.evidence import predicates as p
from fairlead.evidence.voting import CastVote, tally

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
STATEMENT_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


def predicate_type(kind: str) -> str:
    """The predicate type of a kind; `vsa` is SLSA's own."""
    return p.VSA_TYPE if kind == p.VerdictPredicate.KIND else f"urn:fairlead:{kind}:v1"


class Subject(Frozen):
    """What a statement is about. Readers match on the digest."""

    name: str
    digest: dict[str, str]


class Statement(Frozen):
    """An in-toto Statement v1."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: str = Field(alias="predicateType")
    predicate: dict[str, Any]

    def payload(self) -> bytes:
        """The RFC 8785 bytes that are signed."""
        subjects = [{"name": s.name, "digest": s.digest} for s in self.subject]
        return canonical(
            {
                "_type": self.type_,
                "subject": subjects,
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )

    @property
    def digest(self) -> Digest:
        """SHA-256 of the payload: what other statements name this one by."""
        return digest_bytes(self.payload())


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


class _Document(Protocol):
    KIND: str

    def document(self) -> dict[str, Any]: ...


def hex_of(digest: Digest) -> str:
    """The digest without its algorithm, as in-toto's digest sets want it."""
    return digest.removeprefix("sha256:")


def subjects_of(manifests: Iterable[ReleaseManifest]) -> tuple[Subject, ...]:
    """For each release its components by name, then the release itself; nothing twice."""
    found: dict[tuple[str, str], None] = {}
    for manifest in manifests:
        for _, component in sorted(manifest.components.items()):
            found[component.repository, component.digest] = None
        found[release_name(manifest), digest_of(manifest)] = None
    return tuple(Subject(name=name, digest={"sha256": hex_of(digest)}) for name, digest in found)


def release_name(manifest: ReleaseManifest) -> str:
    """`release:<project>/<version>`, the subject name of a release."""
    return f"release:{manifest.project}/{manifest.version}"


def release(manifest: ReleaseManifest, *, time: datetime, created_by: str) -> Statement:
    """A release came to be. It rests on nothing."""
    predicate = p.ReleasePredicate(
        project=manifest.project,
        time=time,
        inputs=(),
        version=manifest.version,
        release=digest_of(manifest),
        manifest=_document(manifest),
        created_by=created_by,
    )
    return _statement([manifest], p.ReleasePredicate.KIND, predicate.document())


def verdict(about: About, *, release_statement: Digest, verdict: Verdict, plan: Digest | None = None) -> Statement:
    """A gate's verdict, as a SLSA verification summary."""
    raise NotImplementedError


def votes(
    about: About,
    *,
    release_statement: Digest,
    plan: Digest | None,
    requester: str,
    approval: ApprovalTerms | None,
    cast: Sequence[CastVote],
) -> Statement:
    """All votes that were not refused, in the order received; which of them count is found here (voting.tally)."""
    raise NotImplementedError


def decision(
    about: About,
    *,
    release_statement: Digest,
    result: Literal["allow", "deny"],
    requester: str,
    plan: Plan | None,
    approval: ApprovalTerms | None,
    verdicts: Sequence[Digest],
    votes: Digest | None,
    code: str | None = None,
    detail: str | None = None,
    intent: str | None = None,
    through_hold: str | None = None,
    reason: str | None = None,
) -> Statement:
    """Whether the promotion was allowed. `verdicts` and `votes`: statement digests, in ledger order."""
    raise NotImplementedError


def deployment(
    about: About,
    *,
    authority: Digest,
    deployment: str,
    number: int,
    is_rollback: bool,
    result: Literal["succeeded", "failed", "cancelled"],
    targets: Sequence[p.DeployedTarget],
    plan: Digest | None = None,
    manifests: Sequence[ReleaseManifest] = (),
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """What a deployment did. `authority`: the decision statement or, for a rollback, the rollback statement.

    `plan` for a deployment that is no rollback. `manifests`: of the releases that targets went back to, beside the promoted one.
    """
    raise NotImplementedError


def observation(
    about: About,
    *,
    deployment_statement: Digest,
    deployment: str,
    is_rollback: bool,
    target: p.DeployedTarget,
    manifest: ReleaseManifest,
    observed: TargetObservation,
    ok: bool,
    code: str | None = None,
) -> Statement:
    """What one target showed. `target`: its entry in the deployment statement; `manifest`: of the release named there."""
    raise NotImplementedError


def verification(
    about: About,
    *,
    deployment_statement: Digest,
    observations: Sequence[Digest],
    deployment: str,
    is_rollback: bool,
    result: Literal["passed", "failed"],
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """The judgement over a deployment. `observations`: the observation statements, in ledger order."""
    raise NotImplementedError


def rollback(
    about: About,
    *,
    decision: Digest,
    deployment_statement: Digest,
    verification_statement: Digest,
    deployment: str,
    rollback: str,
    code: str,
    targets: Sequence[p.RollbackTarget],
    detail: str | None = None,
) -> Statement:
    """Where each touched target of a failed deployment goes back to; sealed before the first change."""
    raise NotImplementedError


def outcome(
    about: About,
    *,
    state: PromotionState,
    statements: Sequence[Digest],
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """How a promotion ended. `statements`: all of its bundle in ledger order (sealing.statements_of finds them)."""
    raise NotImplementedError


def freeze(
    *,
    project: str,
    environment: str,
    change: Literal["freeze", "thaw", "hold", "resume"],
    restraint: str,
    actor: str,
    reason: str,
    time: datetime,
    until: datetime | None = None,
) -> Statement:
    """A freeze or hold began or ended."""
    raise NotImplementedError


def key(
    *,
    project: str,
    keyid: str,
    public_key: str,
    roles: Sequence[str],
    change: Literal["added", "retired"],
    actor: str,
    time: datetime,
) -> Statement:
    """A key was added to those that this project trusts, or retired."""
    raise NotImplementedError


def drift(
    *,
    manifest: ReleaseManifest,
    environment: str,
    deployment_statement: Digest,
    observed: TargetObservation,
    code: str,
    time: datetime,
    detail: str | None = None,
) -> Statement:
    """A target shows something else than the last successful deployment left there."""
    raise NotImplementedError


def _document(value: Any) -> dict[str, Any]:
    raise NotImplementedError


def _statement(manifests: Iterable[ReleaseManifest], kind: str, predicate: dict[str, Any]) -> Statement:
    return Statement(subject=subjects_of(manifests), predicateType=predicate_type(kind), predicate=predicate)
