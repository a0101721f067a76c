"""How a promotion is sealed when it is decided, and when it is over."""

from dataclasses import dataclass

from temporalio import workflow

from fairlead.contracts.activities import SealActivities
from fairlead.contracts.canonical import Digest
from fairlead.contracts.seals import SealDecision, SealOutcome
from fairlead.domain.states import PromotionState
from workflows.judgement import Judgement
from workflows.options import RECORD


@dataclass(frozen=True, slots=True)
class Ending:
    """How a promotion ends, and why."""

    state: PromotionState
    code: str | None = None
    detail: str = ""


class Ended(Exception):
    """Raised where a promotion ends before it is deployed."""

    def __init__(self, state: PromotionState, code: str | None, detail: str) -> None:
        super().__init__(detail)
        self.ending = Ending(state, code, detail)


async def seal_decision(promotion: str, judgement: Judgement, *, allow: bool, code: str | None = None) -> Digest:
    """Seal verdicts, votes and decision; the digest of the decision statement."""
    # The lane has judged freezes itself when it admitted; one that came a moment later does not undo that.
    rests_on = judgement.allowing if allow else judgement.verdicts
    sealed = await workflow.execute_activity_method(
        SealActivities.seal_decision,
        SealDecision(
            promotion=promotion,
            time=workflow.now(),
            result="allow" if allow else "deny",
            plan=judgement.plan,
            verdicts=rests_on,
            approval=judgement.terms,
            code=code,
        ),
        summary="Seal the decision: allow" if allow else "Seal the decision: deny",
        **RECORD,
    )
    return sealed.statements[-1]


async def seal_outcome(promotion: str, ending: Ending) -> Digest:
    """Seal the last statement, which names all others; its digest."""
    sealed = await workflow.execute_activity_method(
        SealActivities.seal_outcome,
        SealOutcome(
            promotion=promotion, time=workflow.now(), state=ending.state, code=ending.code, detail=ending.detail
        ),
        summary=f"Seal the outcome: {ending.state}",
        **RECORD,
    )
    return sealed.statements[-1]
