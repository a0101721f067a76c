"""What a promotion's decision and outcome say: the verdicts and votes they rest on, the answer, and the end."""

from typing import Literal

from activities import lookup
from activities.sealer import Sealer
from fairlead.commands import sealing
from fairlead.contracts.canonical import Digest
from fairlead.contracts.release import Plan
from fairlead.contracts.seals import SealDecision, Sealed, SealOutcome
from fairlead.domain.verdict import Verdict
from fairlead.evidence import statements
from fairlead.evidence.voting import ReceivedVote
from fairlead.store import votes

ALLOW = "allow"


def seal_decision(sealer: Sealer, request: SealDecision) -> Sealed:
    """Seal the verdicts, the votes where there are any, and the decision."""
    id = sealer.promotion.id
    plan = _plan(sealer, request)
    if plan is None:
        request = request.model_copy(update={"plan": None})
    verdicts = _verdicts(sealer, request)
    cast = _votes(sealer, request)
    result: Literal["allow", "deny"] = "allow" if request.result == ALLOW else "deny"
    statement = statements.decision(
        sealer.about,
        release_statement=sealer.release_statement,
        result=result,
        requester=sealer.promotion.requester,
        plan=plan,
        approval=request.approval,
        verdicts=verdicts,
        votes=cast,
        code=request.code,
        intent=sealer.promotion.intent,
        through_hold=sealer.promotion.through_hold,
        reason=sealer.promotion.reason or None,
    )
    decision = sealer.seal(f"{id}/decision", "decision", statement)
    return Sealed(statements=(*verdicts, *([cast] if cast else []), decision))


def seal_outcome(sealer: Sealer, request: SealOutcome) -> Sealed:
    """Seal how it ended, naming every statement of the bundle."""
    promotion = sealer.promotion
    statement = statements.outcome(
        sealer.about,
        state=request.state,
        statements=sealing.statements_of(sealer.s, promotion.project, promotion.id),
        code=request.code,
        detail=request.detail or None,
    )
    return Sealed(statements=(sealer.seal(f"{promotion.id}/outcome", "outcome", statement),))


def _plan(sealer: Sealer, request: SealDecision) -> Plan | None:
    """What was decided on; the plan of a promotion for which none could be made asks for nothing, and is none."""
    plan = lookup.plan(sealer.s, request.plan) if request.plan else None
    return plan if plan and plan.targets else None


def _verdicts(sealer: Sealer, request: SealDecision) -> list[Digest]:
    def seal_one(verdict: Verdict) -> Digest:
        statement = statements.verdict(
            sealer.about, release_statement=sealer.release_statement, verdict=verdict, plan=request.plan
        )
        return sealer.seal(f"{sealer.promotion.id}/verdict/{verdict.gate}", "vsa", statement)

    return [seal_one(verdict) for verdict in request.verdicts]


def _votes(sealer: Sealer, request: SealDecision) -> Digest | None:
    accepted = votes.accepted(sealer.s, sealer.promotion.id)
    if not accepted:
        return None
    statement = statements.votes(
        sealer.about,
        release_statement=sealer.release_statement,
        plan=request.plan,
        requester=sealer.promotion.requester,
        approval=request.approval,
        cast=[ReceivedVote(envelope=v.envelope, received=v.received, groups=v.groups) for v in accepted],
    )
    return sealer.seal(f"{sealer.promotion.id}/votes", "votes", statement)
