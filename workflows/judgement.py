"""What the gates said last of a promotion: about which plan, and since when votes for it are open. Decides nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from fairlead.contracts.activities import GateActivities
from fairlead.contracts.canonical import Digest
from fairlead.contracts.steps import VERDICTS, Blocker, EvaluateInput, Evaluation
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.gates import APPROVAL, FREEZE
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision, Verdict, combine, look_again_at, next_evaluation
from workflows.event_log import EventLog
from workflows.options import RECORD

_SOONEST = timedelta(seconds=1)
_FIRST_BACKOFF = timedelta(seconds=5)
_NET = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Voting:
    """Votes are open for a plan, since and until."""

    opened: datetime
    expires: datetime


class Judgement:
    """Evaluates, and records each answer that differs from the one before."""

    def __init__(self, promotion: str, log: EventLog) -> None:
        self._promotion = promotion
        self._log = log
        self._recorded: object = None
        self._errors = 0
        self.state = PromotionState.EVALUATING
        self.plan: Digest | None = None
        self.verdicts: tuple[Verdict, ...] = ()
        self.voting: Voting | None = None
        self._approval: ApprovalTerms | None = None

    async def renew(self, *, admitted: bool = False) -> None:
        """Evaluate. Another plan than before is another question: votes start anew."""
        evaluation = await self._evaluate(admitted=admitted)
        if self.plan is not None and evaluation.plan != self.plan:
            self.voting = None
            await self._log.append("plan_changed", data={"before": self.plan, "plan": evaluation.plan})
        self.plan, self.verdicts, self._approval = evaluation.plan, evaluation.verdicts, evaluation.approval
        self._errors = self._errors + 1 if self.decision is Decision.ERROR else 0
        self.state = _state([v for v in self.verdicts if not (admitted and v.gate == FREEZE)])
        if workflow.patched("votes-open-first"):  # whoever reads that votes are awaited may cast one
            await self._open_votes()
            await self._record(always=admitted)
        else:
            await self._record(always=admitted)
            await self._open_votes()

    @property
    def decision(self) -> Decision:
        """All verdicts as one."""
        return combine(self.verdicts)

    @property
    def denied(self) -> bool:
        """Whether a gate said no for good."""
        return self.decision is Decision.DENY

    @property
    def holds_up(self) -> bool:
        """Whether anything but a freeze, which the lane has judged itself, is pending or in error."""
        return any(v.decision is not Decision.ALLOW for v in self.verdicts if v.gate != FREEZE)

    @property
    def out_of_time(self) -> bool:
        """Whether the time for votes is over without enough of them."""
        return any(Code.APPROVAL_EXPIRED in v.reason_codes for v in self.verdicts)

    @property
    def blocking(self) -> tuple[Verdict, ...]:
        """The verdicts that do not allow."""
        return tuple(v for v in self.verdicts if v.decision is not Decision.ALLOW)

    @property
    def allowing(self) -> tuple[Verdict, ...]:
        """The verdicts that allow."""
        return tuple(v for v in self.verdicts if v.decision is Decision.ALLOW)

    @property
    def terms(self) -> ApprovalTerms | None:
        """The approval rule with its two instants; None where votes were never open."""
        if self._approval is None or self.voting is None:
            return None
        return self._approval.model_copy(update={"opened": self.voting.opened, "expires": self.voting.expires})

    def voting_at(self, received: datetime) -> Voting | None:
        """The votes that were open when something came; it may have waited since until others were judged."""
        return self.voting if self.voting and received >= self.voting.opened else None

    def look_again_in(self, until: datetime) -> timedelta:
        """For how long to wait for a message; until `until` at the longest."""
        now = workflow.now()
        net = min(_FIRST_BACKOFF * 2 ** min(self._errors - 1, 6), _NET) if self._errors else _NET
        expires = self.voting.expires if self.voting else None
        at = look_again_at(now, due=next_evaluation(self.verdicts), votes_expire=expires, latest=min(until, now + net))
        return max(at - now, _SOONEST)

    async def _evaluate(self, *, admitted: bool) -> Evaluation:
        request = EvaluateInput(
            promotion=self._promotion,
            now=workflow.now(),
            plan=self.plan,
            opened=self.voting.opened if self.voting else None,
            expires=self.voting.expires if self.voting else None,
            admitted=admitted,
        )
        what = "Evaluate the gates again, at the head of the lane" if admitted else "Evaluate the gates"
        return await workflow.execute_activity_method(GateActivities.evaluate, request, summary=what, **RECORD)

    async def _record(self, *, always: bool) -> None:
        """An answer like the one before is no news, unless it is the one that the decision rests on."""
        answer = [(v.gate, v.decision, v.reason_codes, v.message, v.next_evaluation_at) for v in self.verdicts]
        if self._recorded == (self.plan, answer, self.state) and not always:
            return
        state = None if self.state is PromotionState.EVALUATING else self.state
        await self._log.append("evaluated", state=state, data=self._data())
        self._recorded = (self.plan, answer, self.state)

    def _data(self) -> dict[str, Any]:
        again = next_evaluation(self.verdicts)
        return {
            "plan": self.plan,
            "verdicts": VERDICTS.dump_python(self.verdicts, mode="json"),
            "next_evaluation_at": again.isoformat() if again else None,
        }

    async def _open_votes(self) -> None:
        """Unless they are open, or nobody is asked."""
        rule = self._approval
        if self.denied or self.voting is not None or rule is None:
            return
        opened = workflow.now()
        voting = Voting(opened=opened, expires=opened + timedelta(seconds=rule.expires_after))
        data = {"opened": voting.opened.isoformat(), "expires": voting.expires.isoformat(), "plan": self.plan}
        await self._log.append("votes_opened", data=data)
        self.voting = voting


def blockers(verdicts: tuple[Verdict, ...]) -> tuple[Blocker, ...]:
    """Verdicts that do not allow, as reasons."""
    return tuple(
        Blocker(
            code=next(iter(v.reason_codes), str(v.decision)),
            detail=v.message,
            rule=v.gate,
            until=v.next_evaluation_at,
            details=dict(v.details),
        )
        for v in verdicts
    )


def _state(verdicts: Sequence[Verdict]) -> PromotionState:
    """What a promotion is said to wait for: votes before anything else."""
    waiting = [v.gate for v in verdicts if v.decision in {Decision.PENDING, Decision.ERROR}]
    if combine(verdicts) is Decision.DENY or not waiting:
        return PromotionState.EVALUATING
    return PromotionState.AWAITING_APPROVAL if APPROVAL in waiting else PromotionState.AWAITING_GATE
