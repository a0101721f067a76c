"""What each kind of statement says (interface.md 6), as frozen models. docs/evidence.md has the table of what `inputs` must list."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState, TaskState

VSA_TYPE: Final = "https://slsa.dev/verification_summary/v1"
VSA_EXTENSION: Final = "urn:fairlead:vsa-ext:v1"
STATEMENT_URI: Final = "urn:fairlead:statement"
FACTS_URI: Final = "urn:fairlead:facts"


def predicate_type(kind: str) -> str:
    """The predicate type of a kind; `vsa` is SLSA's own."""
    return VSA_TYPE if kind == VerdictPredicate.KIND else f"urn:fairlead:{kind}:v1"


def hex_of(digest: Digest) -> str:
    """The digest without its algorithm, as in-toto's digest sets want it."""
    return digest.removeprefix("sha256:")


def verifier_id(project: str) -> str:
    """Who judges gates: whoever holds the project's decision key."""
    return f"urn:fairlead:decision:{project}"


def release_uri(project: str, version: str) -> str:
    """The release as a resource."""
    return f"urn:fairlead:release:{project}/{version}"


def gate_uri(gate: str) -> str:
    """The gate as a policy."""
    return f"urn:fairlead:gate:{gate}"


def level_of(gate: str) -> str:
    """The level that passing a gate verifies; SLSA keeps names that begin with SLSA_ for itself."""
    return f"FAIRLEAD_{gate.upper()}"


class Predicate(Frozen):
    """What all predicates of ours name. `inputs`: digests of the statements and facts it rests on, in the order of the table."""

    KIND: ClassVar[str]
    WRITTEN_OUT: ClassVar[frozenset[str]] = frozenset()
    """Fields that stand in the document even when they are null."""

    project: str
    time: AwareDatetime
    inputs: tuple[Digest, ...]

    def document(self) -> dict[str, Any]:
        """The JSON that is sealed; what does not apply is left out."""
        document: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**dict.fromkeys(self.WRITTEN_OUT), **document}


class PromotionPredicate(Predicate):
    """A predicate of a promotion."""

    promotion: str
    environment: str


class ReleasePredicate(Predicate):
    """A release came to be. `manifest` is carried verbatim; its digest, `release`, is the release's identity."""

    KIND = "release"
    version: str
    release: Digest
    manifest: dict[str, Any]
    created_by: str


class VerdictExtension(Frozen):
    """Our part of a SLSA verification summary: a gate's verdict as it was given."""

    project: str
    promotion: str
    environment: str
    time: AwareDatetime
    gate: str
    decision: Literal["allow", "deny", "pending", "error"]
    reason_codes: tuple[str, ...]
    message: str
    facts: Digest
    plan: Digest | None = None
    details: dict[str, Any] = {}


class Resource(Frozen):
    """An in-toto ResourceDescriptor, as far as we use it."""

    uri: str
    digest: dict[str, str]


class Verifier(Frozen):
    id: str


class VerdictPredicate(Frozen):
    """A gate's verdict as SLSA VSA v1. Deny, pending and error are all FAILED."""

    KIND: ClassVar[str] = "vsa"

    verifier: Verifier
    time_verified: AwareDatetime = Field(alias="timeVerified")
    resource_uri: str = Field(alias="resourceUri")
    policy: Resource
    input_attestations: tuple[Resource, ...] = Field(alias="inputAttestations")
    verification_result: Literal["PASSED", "FAILED"] = Field(alias="verificationResult")
    verified_levels: tuple[str, ...] = Field(alias="verifiedLevels")
    extension: VerdictExtension = Field(alias="urn:fairlead:vsa-ext:v1")

    def document(self) -> dict[str, Any]:
        """The JSON that is sealed."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @property
    def project(self) -> str:
        return self.extension.project

    @property
    def promotion(self) -> str:
        return self.extension.promotion

    @property
    def environment(self) -> str:
        return self.extension.environment

    @property
    def time(self) -> datetime:
        return self.extension.time

    @property
    def inputs(self) -> tuple[Digest, ...]:
        return tuple(f"sha256:{resource.digest.get('sha256', '')}" for resource in self.input_attestations)


class CountedVote(Frozen):
    """A vote as it came, and what became of it. `groups`: the voter's at receipt; `code`: why it does not count."""

    envelope: dict[str, Any]
    received: AwareDatetime
    groups: tuple[str, ...]
    counted: bool
    code: str | None = None


class VotesPredicate(PromotionPredicate):
    """All votes that were not refused, in the order received."""

    KIND = "votes"
    WRITTEN_OUT = frozenset({"plan"})
    plan: Digest | None
    votes: tuple[CountedVote, ...]


class Approval(Frozen):
    """The approval rule that votes were counted by. `requester`: cannot_vote, or can_vote."""

    count: int = Field(ge=0)
    groups: dict[str, int]
    requester: str
    opened: AwareDatetime
    expires: AwareDatetime

    @classmethod
    def from_terms(cls, terms: ApprovalTerms | None) -> "Approval | None":
        """The terms written out; None while votes have not opened. Raises BadInput (bad_request) for half of the window."""
        if terms is None or (terms.opened is None and terms.expires is None):
            return None
        if terms.opened is None or terms.expires is None:
            raise BadInput(Code.BAD_REQUEST, "votes need both the time they opened and the time they expire")
        return cls(
            count=terms.count,
            groups=terms.groups,
            requester=terms.requester,
            opened=terms.opened,
            expires=terms.expires,
        )


class DecisionPredicate(PromotionPredicate):
    """Whether the promotion was allowed, and on what. `planDocument` is the plan verbatim, so that its digest can be checked."""

    KIND = "decision"
    WRITTEN_OUT = frozenset({"plan", "approval", "votes"})
    result: Literal["allow", "deny"]
    requester: str
    release: Digest
    plan: Digest | None
    plan_document: dict[str, Any] | None = Field(default=None, alias="planDocument")
    approval: Approval | None
    verdicts: tuple[Digest, ...]
    votes: Digest | None
    code: str | None = None
    detail: str | None = None
    intent: str | None = None
    through_hold: str | None = None
    reason: str | None = None


class PlacedComponent(Frozen):
    """A component as it was sent to a target. `config`: digest of the rendered configuration."""

    name: str
    digest: Digest
    config: Digest


class DeployedTarget(Frozen):
    """What was done on one target. With `retire`, `release` is the one that was taken down and `components` is empty."""

    name: str
    release: str
    release_digest: Digest
    touched: bool
    attempt: int
    state: TaskState
    code: str | None = None
    retire: bool = False
    components: tuple[PlacedComponent, ...] = ()


class DeploymentPredicate(PromotionPredicate):
    """What a deployment did, target by target. A rollback has no plan of its own."""

    KIND = "deployment"
    deployment: str
    number: int
    is_rollback: bool
    result: Literal["succeeded", "failed", "cancelled"]
    plan: Digest | None = None
    targets: tuple[DeployedTarget, ...]
    code: str | None = None
    detail: str | None = None


class SeenComponent(Frozen):
    """A component as its target showed it."""

    name: str
    health: str
    digest: str | None = None
    config: str | None = None
    fence: str | None = None
    instance: str | None = None
    created: datetime | None = None
    since: datetime | None = None
    restarts: int = 0
    detail: str | None = None


class ObservationPredicate(PromotionPredicate):
    """What one target really ran after a deployment. `ok`: all as planned and healthy."""

    KIND = "observation"
    deployment: str
    is_rollback: bool
    target: str
    release: str
    release_digest: Digest
    retire: bool = False
    ok: bool
    reachable: bool
    components: tuple[SeenComponent, ...]
    code: str | None = None
    detail: str | None = None


class VerificationPredicate(PromotionPredicate):
    """The judgement over a deployment and what was seen of it."""

    KIND = "verification"
    deployment: str
    is_rollback: bool
    result: Literal["passed", "failed"]
    code: str | None = None
    detail: str | None = None


class RollbackTarget(Frozen):
    """Where one touched target goes back to; with `retire` it never had a verified state and is taken down."""

    name: str
    release: str
    release_digest: Digest
    retire: bool = False
    components: tuple[PlacedComponent, ...] = ()


class RollbackPredicate(PromotionPredicate):
    """Why a deployment is rolled back and where each touched target goes; sealed before the first change."""

    KIND = "rollback"
    deployment: str
    rollback: str
    code: str
    detail: str | None = None
    targets: tuple[RollbackTarget, ...]


class DriftPredicate(Predicate):
    """An observation that differs from the last successful deployment."""

    KIND = "drift"
    environment: str
    target: str
    release: str
    release_digest: Digest
    components: tuple[SeenComponent, ...]
    code: str
    detail: str | None = None


class FreezePredicate(Predicate):
    """A freeze or hold began or ended. `restraint` is its id."""

    KIND = "freeze"
    environment: str
    change: Literal["freeze", "thaw", "hold", "resume"]
    restraint: str
    actor: str
    reason: str
    until: AwareDatetime | None = None


class KeyPredicate(Predicate):
    """A key was added to, or retired from, the keys that this project trusts."""

    KIND = "key"
    keyid: str
    public_key: str
    roles: tuple[str, ...]
    change: Literal["added", "retired"]
    actor: str


class OutcomePredicate(PromotionPredicate):
    """How a promotion ended. `statements`: all others of the bundle in ledger order; `inputs` says the same."""

    KIND = "outcome"
    state: PromotionState
    statements: tuple[Digest, ...]
    code: str | None = None
    detail: str | None = None


AnyPredicate = Predicate | VerdictPredicate

PREDICATES: Final[Mapping[str, type[AnyPredicate]]] = {
    predicate_type(model.KIND): model
    for model in (
        ReleasePredicate,
        VerdictPredicate,
        VotesPredicate,
        DecisionPredicate,
        DeploymentPredicate,
        ObservationPredicate,
        VerificationPredicate,
        RollbackPredicate,
        DriftPredicate,
        FreezePredicate,
        KeyPredicate,
        OutcomePredicate,
    )
}
"""The model of each predicate type."""
