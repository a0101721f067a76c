"""What is said before anything is done: releases, gate verdicts, votes, the decision."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.predicate import Predicate, PromotionPredicate


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
