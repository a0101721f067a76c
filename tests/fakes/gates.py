"""The gates and the votes over an in-memory World."""

from dataclasses import replace
from typing import Any

from temporalio import activity

from fairlead.contracts import activities, names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.steps import (
    Append,
    EvaluateInput,
    Evaluation,
    JudgeCancel,
    JudgeVote,
)
from fairlead.contracts.votes import ApprovalTerms, Choice, VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.verdict import Decision
from tests.fakes.world import World, verdict

VOTES_LAST = 3600.0


class FakeGates(activities.GateActivities):
    """Votes are `{"signed_by": NAME, "choice": CHOICE}`; whoever signs nothing is refused."""

    def __init__(self, world: World) -> None:
        self._world = world

    @activity.defn
    def evaluate(self, request: EvaluateInput) -> Evaluation:
        world = self._world
        world.may_fail("evaluate")
        with world.lock:
            opened, expires = (request.opened, request.expires) if request.plan == world.plan else (None, None)
            needed = world.approvals
            terms = ApprovalTerms(
                count=needed,
                requester="cannot_vote",
                expires_after=VOTES_LAST,
                opened=opened,
                expires=expires,
            )
            verdicts = [replace(v, evaluated_at=request.now) for v in world.verdicts if not _over(v, request.now)]
            if needed:
                verdicts.append(self._approval(request, needed, opened, expires))
        return Evaluation(plan=world.plan, verdicts=tuple(verdicts), approval=terms if needed else None)

    def _approval(self, request: EvaluateInput, needed: int, opened: Any, expires: Any) -> Any:
        cast = (request.promotion, self._world.plan)
        mine = [
            choice
            for promotion, _, choice, plan, received in self._world.votes
            if (promotion, plan) == cast and opened and received >= opened
        ]
        if Choice.REJECT in mine:
            return verdict("approval", Decision.DENY, request.now, Code.VOTE_REJECTED)
        if len(mine) >= needed:
            return verdict("approval", Decision.ALLOW, request.now)
        codes = [Code.VOTES_MISSING]
        if expires and request.now >= expires:
            codes.append(Code.APPROVAL_EXPIRED)
        missing = needed - len(mine)
        return verdict("approval", Decision.PENDING, request.now, *codes, message=f"needs {missing} more")

    @activity.defn
    def judge_vote(self, request: JudgeVote) -> VoteAnswer:
        answer = _judged(request.envelope, request.payload)
        if answer.accepted and (request.opened is None or request.closed):
            code = Code.VOTES_CLOSED if request.closed else Code.VOTES_NOT_OPEN
            answer = answer.model_copy(update={"accepted": False, "code": code})
        self._record(request, answer, "vote")
        return answer

    @activity.defn
    def judge_cancel(self, request: JudgeCancel) -> VoteAnswer:
        if request.envelope is not None:
            answer = _judged(request.envelope, request.payload)
        else:
            actor = request.request.actor if request.request else "unknown"
            answer = VoteAnswer(accepted=True, digest=digest_of("cancel"), actor=actor, choice=Choice.CANCEL)
        self._record(request, answer, "cancel")
        return answer

    def _record(self, request: JudgeVote | JudgeCancel, answer: VoteAnswer, what: str) -> None:
        data = {"payload": answer.digest, "via": request.via}
        event = Append(
            subject=names.promotion_subject(request.promotion),
            sequence=request.sequence,
            type=f"{what}_accepted" if answer.accepted else f"{what}_refused",
            time=request.received,
            actor=answer.actor,
            code=answer.code,
            data=data,
        )
        self._world.append(event)
        vote = (request.promotion, answer.actor, str(answer.choice), getattr(request, "plan", None), request.received)
        with self._world.lock:
            if what == "vote" and answer.accepted and vote not in self._world.votes:
                self._world.votes.append(vote)


def _over(v: Any, now: Any) -> bool:
    """A scripted verdict that time alone changes stops applying then."""
    return v.next_evaluation_at is not None and now >= v.next_evaluation_at


def _judged(envelope: Any, payload: str | None) -> VoteAnswer:
    digest = payload or digest_of(envelope)
    if not isinstance(envelope, dict) or "signed_by" not in envelope:
        return VoteAnswer(accepted=False, digest=digest, actor="unknown", code=Code.VOTE_UNSIGNED, detail="unsigned")
    return VoteAnswer(accepted=True, digest=digest, actor=envelope["signed_by"], choice=Choice(envelope["choice"]))
