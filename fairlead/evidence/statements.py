"""One builder for each kind of statement (interface.md 6). Everything that enters is an argument, so a retry builds the same bytes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from fairlead.contracts.canonical import Digest, canonical, digest_of
from fairlead.contracts.names import rollback_of
from fairlead.contracts.release import Plan, ReleaseManifest
from fairlead.contracts.target import TargetObservation
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision, Verdict
from fairlead.domain.votes import CastVote, Quorum, tally
from fairlead.evidence import predicates as p
from fairlead.evidence.statement import Statement, Subject
from fairlead.evidence.voting import ReceivedVote, open_vote

__all__ = [
    "About",
    "Statement",
    "decision",
    "deployment",
    "drift",
    "freeze",
    "key",
    "observation",
    "outcome",
    "release",
    "rollback",
    "subjects_of",
    "verdict",
    "verification",
    "votes",
]


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


def release(manifest: ReleaseManifest, *, time: datetime, created_by: str) -> Statement:
    """A release came to be. It rests on nothing."""
    predicate = p.ReleasePredicate(
        project=manifest.project,
        time=time,
        inputs=(),
        version=manifest.version,
        release=digest_of(manifest),
        manifest=_verbatim(manifest),
        created_by=created_by,
    )
    return _statement([manifest], predicate)


def verdict(about: About, *, release_statement: Digest, verdict: Verdict, plan: Digest | None = None) -> Statement:
    """A gate's verdict, as a SLSA verification summary."""
    allowed = verdict.decision is Decision.ALLOW
    predicate = p.VerdictPredicate(
        verifier=p.Verifier(id=p.verifier_id(about.project)),
        time_verified=verdict.evaluated_at,
        resource_uri=p.release_uri(about.project, about.manifest.version),
        policy=p.Resource(uri=p.gate_uri(verdict.gate), digest={"sha256": p.hex_of(verdict.policy)}),
        input_attestations=(
            p.Resource(uri=p.STATEMENT_URI, digest={"sha256": p.hex_of(release_statement)}),
            p.Resource(uri=p.FACTS_URI, digest={"sha256": p.hex_of(verdict.facts)}),
        ),
        verification_result="PASSED" if allowed else "FAILED",
        verified_levels=(p.level_of(verdict.gate) if allowed else "FAILED",),
        extension=p.VerdictExtension(
            project=about.project,
            promotion=about.promotion,
            environment=about.environment,
            time=about.time,
            gate=verdict.gate,
            decision=verdict.decision.value,
            reason_codes=verdict.reason_codes,
            message=verdict.message,
            facts=verdict.facts,
            plan=plan,
            details=verdict.details,
        ),
    )
    return _statement([about.manifest], predicate)


def votes(
    about: About,
    *,
    release_statement: Digest,
    plan: Digest | None,
    requester: str,
    approval: ApprovalTerms | None,
    cast: Sequence[ReceivedVote],
) -> Statement:
    """All votes that were not refused, in the order received; which of them count is found here (domain.votes.tally)."""
    ballots = [cast_vote(vote) for vote in cast]
    quorum = Quorum(approval.count, approval.groups, approval.requester) if approval else Quorum(0)
    counted = tally(ballots, quorum, plan=plan or "", requester=requester)
    predicate = p.VotesPredicate(
        **about.common(release_statement, *_present(plan)),
        plan=plan,
        votes=tuple(
            p.CountedVote(
                envelope=dict(vote.envelope),
                received=vote.received,
                groups=vote.groups,
                counted=ballot.digest in counted.counted,
                code=counted.uncounted.get(ballot.digest),
            )
            for vote, ballot in zip(cast, ballots, strict=True)
        ),
    )
    return _statement([about.manifest], predicate)


def cast_vote(vote: ReceivedVote) -> CastVote:
    """What domain.votes.tally counts. Raises BadInput as `open_vote`."""
    opened = open_vote(vote.envelope)
    return CastVote(
        digest=opened.digest,
        voter=opened.payload.voter,
        choice=opened.payload.choice.value,
        groups=vote.groups,
        plan=opened.payload.plan,
        received=vote.received,
    )


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
    plan_digest = digest_of(plan) if plan else None
    predicate = p.DecisionPredicate(
        **about.common(release_statement, *_present(plan_digest), *verdicts, *_present(votes)),
        result=result,
        requester=requester,
        release=about.release,
        plan=plan_digest,
        plan_document=_verbatim(plan) if plan else None,
        approval=p.Approval.from_terms(approval),
        verdicts=tuple(verdicts),
        votes=votes,
        code=code,
        detail=detail,
        intent=intent,
        through_hold=through_hold,
        reason=reason,
    )
    if result == "allow" and (plan is None or (approval and predicate.approval is None)):
        raise BadInput(Code.BAD_REQUEST, "nothing is allowed without a plan, or with votes that never opened")
    return _statement([about.manifest], predicate)


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
    known = {digest_of(manifest): manifest for manifest in (about.manifest, *manifests)}
    if unknown := {target.release_digest for target in targets} - set(known):
        raise BadInput(Code.RELEASE_NOT_FOUND, f"no manifest was given for {', '.join(sorted(unknown))}")
    predicate = p.DeploymentPredicate(
        **about.common(authority, *_present(plan)),
        deployment=deployment,
        number=number,
        is_rollback=is_rollback,
        result=result,
        plan=plan,
        targets=tuple(targets),
        code=code,
        detail=detail or None,
    )
    gone_to = [known[target.release_digest] for target in targets] if is_rollback else [about.manifest]
    return _statement(gone_to, predicate)


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
    predicate = p.ObservationPredicate(
        **about.common(deployment_statement),
        deployment=deployment,
        is_rollback=is_rollback,
        target=target.name,
        release=target.release,
        release_digest=target.release_digest,
        retire=target.retire,
        ok=ok,
        reachable=observed.reachable,
        components=_seen(observed),
        code=code,
        detail=observed.detail,
    )
    return _statement([manifest], predicate)


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
    predicate = p.VerificationPredicate(
        **about.common(deployment_statement, *observations),
        deployment=deployment,
        is_rollback=is_rollback,
        result=result,
        code=code,
        detail=detail or None,
    )
    return _statement([about.manifest], predicate)


def rollback(
    about: About,
    *,
    decision: Digest,
    deployment_statement: Digest,
    verification_statement: Digest,
    deployment: str,
    code: str,
    targets: Sequence[p.RollbackTarget],
    rollback: str | None = None,
    detail: str | None = None,
) -> Statement:
    """Where each touched target of a failed deployment goes back to; sealed before the first change."""
    predicate = p.RollbackPredicate(
        **about.common(decision, deployment_statement, verification_statement),
        deployment=deployment,
        rollback=rollback or rollback_of(deployment),
        code=code,
        detail=detail or None,
        targets=tuple(targets),
    )
    return _statement([about.manifest], predicate)


def outcome(
    about: About,
    *,
    state: PromotionState,
    statements: Sequence[Digest],
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """How a promotion ended. `statements`: all of its bundle in ledger order (sealing.statements_of finds them)."""
    predicate = p.OutcomePredicate(
        **about.common(*statements), state=state, statements=tuple(statements), code=code, detail=detail or None
    )
    return _statement([about.manifest], predicate)


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
    predicate = p.FreezePredicate(
        project=project,
        time=time,
        inputs=(),
        environment=environment,
        change=change,
        restraint=restraint,
        actor=actor,
        reason=reason,
        until=until,
    )
    return _self_subject(f"environment:{project}/{environment}", predicate)


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
    predicate = p.KeyPredicate(
        project=project,
        time=time,
        inputs=(),
        keyid=keyid,
        public_key=public_key,
        roles=tuple(roles),
        change=change,
        actor=actor,
    )
    return _self_subject(f"key:{keyid}", predicate)


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
    predicate = p.DriftPredicate(
        project=manifest.project,
        time=time,
        inputs=(deployment_statement,),
        environment=environment,
        target=observed.target,
        release=manifest.version,
        release_digest=digest_of(manifest),
        components=_seen(observed),
        code=code,
        detail=detail,
    )
    return _statement([manifest], predicate)


def _seen(observed: TargetObservation) -> tuple[p.SeenComponent, ...]:
    return tuple(p.SeenComponent.model_validate(component.model_dump()) for component in observed.components)


def _present(digest: Digest | None) -> tuple[Digest, ...]:
    return () if digest is None else (digest,)


def _verbatim(model: BaseModel) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(canonical(model))
    return document


def _statement(manifests: Iterable[ReleaseManifest], predicate: p.AnyPredicate) -> Statement:
    subjects = subjects_of((manifest, digest_of(manifest)) for manifest in manifests)
    return _sealable(subjects, predicate)


def _self_subject(name: str, predicate: p.AnyPredicate) -> Statement:
    digest = digest_of(predicate.document())
    return _sealable([Subject(name=name, digest={"sha256": p.hex_of(digest)})], predicate)


def _sealable(subjects: Iterable[Subject], predicate: p.AnyPredicate) -> Statement:
    document: Mapping[str, Any] = predicate.document()
    return Statement(subject=tuple(subjects), predicate_type=p.predicate_type(predicate.KIND), predicate=dict(document))
