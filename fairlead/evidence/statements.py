"""One builder for each kind of statement (interface.md 6). Everything that enters is an argument, so a retry builds the same bytes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.release import Plan, ReleaseManifest
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision, Verdict
from fairlead.domain.votes import Quorum, tally
from fairlead.evidence import predicates as p
from fairlead.evidence.about import About, about_itself, about_releases, given, subjects_of, verbatim
from fairlead.evidence.execution_statements import deployment, drift, observation, rollback, verification
from fairlead.evidence.statement import Statement
from fairlead.evidence.voting import ReceivedVote, cast_vote, open_vote

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


def release(manifest: ReleaseManifest, *, time: datetime, created_by: str) -> Statement:
    """A release came to be. It rests on nothing."""
    predicate = p.ReleasePredicate(
        project=manifest.project,
        time=time,
        inputs=(),
        version=manifest.version,
        release=digest_of(manifest),
        manifest=verbatim(manifest),
        created_by=created_by,
    )
    return about_releases([manifest], predicate)


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
    return about_releases([about.manifest], predicate)


def votes(
    about: About,
    *,
    release_statement: Digest,
    plan: Digest | None,
    requester: str,
    approval: ApprovalTerms | None,
    cast: Sequence[ReceivedVote],
) -> Statement:
    """All votes that were not refused, in the order received; domain.votes.tally finds which count. Raises BadInput as `open_vote`."""
    ballots = [cast_vote(open_vote(vote.envelope), vote.received, vote.groups) for vote in cast]
    quorum = Quorum(approval.count, approval.groups, approval.requester) if approval else Quorum(0)
    opened = approval.opened if approval else None
    counted = tally(ballots, quorum, plan=plan or "", requester=requester, opened=opened)
    predicate = p.VotesPredicate(
        **about.common(release_statement, *given(plan)),
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
    return about_releases([about.manifest], predicate)


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
        **about.common(release_statement, *given(plan_digest), *verdicts, *given(votes)),
        result=result,
        requester=requester,
        release=about.release,
        plan=plan_digest,
        plan_document=verbatim(plan) if plan else None,
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
    return about_releases([about.manifest], predicate)


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
    return about_releases([about.manifest], predicate)


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
    return about_itself(f"environment:{project}/{environment}", predicate)


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
    return about_itself(f"key:{keyid}", predicate)
