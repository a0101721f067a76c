"""A bundle that has been read, with the trust to judge it by: what the rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairlead.contracts.canonical import Digest
from fairlead.contracts.names import rollback_of
from fairlead.contracts.release import Plan, ReleaseManifest
from fairlead.evidence import predicates as p
from fairlead.evidence.bundle import ConsistencyProof
from fairlead.evidence.checkpoint import Checkpoint
from fairlead.evidence.envelope import OpenedEnvelope
from fairlead.evidence.statement import Statement
from fairlead.evidence.trust import Trust

P = TypeVar("P", bound=p.AnyPredicate, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[P]):
    """One envelope of the bundle, decoded. `position` counts from 0 in the bundle, `index` is the leaf's in the ledger."""

    position: int
    index: int
    proof: tuple[bytes, ...]
    envelope: Mapping[str, Any]
    opened: OpenedEnvelope
    statement: Statement
    predicate: P

    @property
    def digest(self) -> Digest:
        """The statement's digest."""
        return self.opened.digest

    @property
    def kind(self) -> str:
        return self.predicate.KIND

    def __str__(self) -> str:
        return f"the {self.kind} statement at index {self.index}"


D = TypeVar("D", bound=p.AnyPredicate)


@dataclass(frozen=True, slots=True)
class Case:
    """`manifests` are the bundled releases by digest, `plan` is the decision's. `since` and `consistency` where they were asked for."""

    trust: Trust
    promotion: str
    entries: tuple[Entry[p.AnyPredicate], ...]
    checkpoint: Checkpoint
    manifests: Mapping[Digest, ReleaseManifest]
    plan: Plan | None
    since: Checkpoint | None = None
    consistency: ConsistencyProof | None = None

    def of(self, model: type[D]) -> list[Entry[D]]:
        """The entries of one kind, in order."""
        return [entry for entry in self.entries if isinstance(entry.predicate, model)]  # type: ignore[misc]

    def one(self, model: type[D]) -> Entry[D] | None:
        """The first entry of a kind; that there is no second one is a rule of its own."""
        return next(iter(self.of(model)), None)

    @property
    def decision(self) -> Entry[p.DecisionPredicate] | None:
        return self.one(p.DecisionPredicate)

    @property
    def votes(self) -> Entry[p.VotesPredicate] | None:
        return self.one(p.VotesPredicate)

    @property
    def rollback(self) -> Entry[p.RollbackPredicate] | None:
        return self.one(p.RollbackPredicate)

    @property
    def outcome(self) -> Entry[p.OutcomePredicate] | None:
        return self.one(p.OutcomePredicate)

    @property
    def release(self) -> Digest | None:
        """The digest of the release that is promoted: by the decision's word, or the only one there is."""
        if self.decision:
            return self.decision.predicate.release
        return next(iter(self.manifests)) if len(self.manifests) == 1 else None

    @property
    def manifest(self) -> ReleaseManifest | None:
        """The manifest of the release that is promoted."""
        return self.manifests.get(self.release or "")

    def release_statement(self) -> Entry[p.ReleasePredicate] | None:
        """The statement of the release that is promoted."""
        found = [entry for entry in self.of(p.ReleasePredicate) if entry.predicate.release == self.release]
        return next(iter(found), None)

    def deployment(self, *, is_rollback: bool) -> Entry[p.DeploymentPredicate] | None:
        """The promotion's deployment, or its rollback."""
        found = [entry for entry in self.of(p.DeploymentPredicate) if entry.predicate.is_rollback is is_rollback]
        return next(iter(found), None)

    def observations(self, deployment: str) -> list[Entry[p.ObservationPredicate]]:
        """What was seen after a deployment."""
        return [entry for entry in self.of(p.ObservationPredicate) if entry.predicate.deployment == deployment]

    def verification(self, *, is_rollback: bool) -> Entry[p.VerificationPredicate] | None:
        """The judgement over the deployment, or over its rollback."""
        found = [entry for entry in self.of(p.VerificationPredicate) if entry.predicate.is_rollback is is_rollback]
        return next(iter(found), None)

    def deployment_id(self, *, is_rollback: bool) -> str:
        """The id that the promotion's deployment, or its rollback, must have."""
        return rollback_of(self.promotion) if is_rollback else self.promotion

    def passed(self, *, is_rollback: bool) -> bool:
        """Whether a deployment succeeded and its verification passed."""
        deployment = self.deployment(is_rollback=is_rollback)
        judged = self.verification(is_rollback=is_rollback)
        return bool(
            deployment and judged and deployment.predicate.result == "succeeded" and judged.predicate.result == "passed"
        )


def accepted_digests(manifest: ReleaseManifest | None, component: str) -> frozenset[Digest]:
    """The digests that are this component of a release: what the tag named, and each platform's."""
    pinned = manifest.components.get(component) if manifest else None
    return frozenset({pinned.digest, *(pinned.platforms or {}).values()}) if pinned else frozenset()
