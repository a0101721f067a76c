"""What each kind of statement says (interface.md 6), as frozen models. docs/evidence.md has the table of what `inputs` must list."""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import AwareDatetime

from fairlead.contracts.canonical import Digest
from fairlead.domain.states import PromotionState
from fairlead.evidence.deciding_predicates import (
    Approval,
    CountedVote,
    DecisionPredicate,
    ReleasePredicate,
    Resource,
    VerdictExtension,
    VerdictPredicate,
    Verifier,
    VotesPredicate,
)
from fairlead.evidence.execution_predicates import (
    DeployedTarget,
    DeploymentPredicate,
    DriftedComponent,
    DriftPredicate,
    ObservationPredicate,
    PlacedComponent,
    RollbackPredicate,
    RollbackTarget,
    SeenComponent,
    SentArtifact,
    VerificationPredicate,
)
from fairlead.evidence.predicate import (
    FACTS_URI,
    STATEMENT_URI,
    VSA_EXTENSION,
    VSA_TYPE,
    Predicate,
    PromotionPredicate,
    gate_uri,
    hex_of,
    level_of,
    release_uri,
    verifier_id,
)

__all__ = [
    "AnyPredicate",
    "Approval",
    "CountedVote",
    "DecisionPredicate",
    "DeployedTarget",
    "DeploymentPredicate",
    "DriftPredicate",
    "DriftedComponent",
    "FACTS_URI",
    "FreezePredicate",
    "KeyPredicate",
    "ObservationPredicate",
    "OutcomePredicate",
    "PREDICATES",
    "PlacedComponent",
    "Predicate",
    "PromotionPredicate",
    "ReleasePredicate",
    "Resource",
    "RollbackPredicate",
    "RollbackTarget",
    "STATEMENT_URI",
    "SeenComponent",
    "SentArtifact",
    "VSA_EXTENSION",
    "VSA_TYPE",
    "VerdictExtension",
    "VerdictPredicate",
    "VerificationPredicate",
    "Verifier",
    "VotesPredicate",
    "gate_uri",
    "hex_of",
    "level_of",
    "predicate_type",
    "release_uri",
    "verifier_id",
]


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


def predicate_type(kind: str) -> str:
    """The predicate type of a kind; `vsa` is SLSA's own."""
    return VSA_TYPE if kind == VerdictPredicate.KIND else f"urn:fairlead:{kind}:v1"


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
