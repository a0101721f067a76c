"""Votes and cancels of one promotion: judged and recorded one at a time, while they are taken at all."""

import asyncio
from datetime import datetime
from typing import Any, Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from fairlead.contracts.activities import GateActivities, LaneActivities
from fairlead.contracts.messages import CancelRequest
from fairlead.contracts.steps import JudgeCancel, JudgeVote, PromotionRef
from fairlead.contracts.votes import Choice, VoteAnswer
from fairlead.domain.codes import Code
from workflows.envelopes import Message
from workflows.event_log import EventLog
from workflows.failures import Failure, read_failure, refusal
from workflows.judgement import Judgement
from workflows.options import RECORD

VIA_UPDATE: Final = "update"
VIA_SIGNAL: Final = "signal"
VIA_TEMPORAL: Final = "temporal"
CLOSED: Final = Failure(Code.PROMOTION_CLOSED, "the promotion is over")


class Ballots:
    """Whoever decides holds `judging`, so that no vote is taken between what was judged and what is sealed."""

    def __init__(self, promotion: str, log: EventLog, judgement: Judgement) -> None:
        self._promotion = promotion
        self._log = log
        self._judgement = judgement
        self.judging = asyncio.Lock()
        self.decided = False
        self.closed = False
        self.rejected = False
        self._cancel_recorded = False

    async def vote(self, message: Message, via: str) -> VoteAnswer:
        """Judge a vote. Raises an ApplicationError when the promotion is over or its history has been halted."""
        received = workflow.now()  # whoever has to wait until others are judged does not grow stale meanwhile
        async with self.judging:
            self._require_open()
            answer = await self._log.recorded_by(lambda sequence: self._judge_vote(message, via, received, sequence))
            self.rejected = self.rejected or (answer.accepted and answer.choice is Choice.REJECT)
        return answer

    async def cancel(self, request: CancelRequest | None, message: Message | None, via: str) -> VoteAnswer:
        """Judge a cancel; one that is accepted makes Temporal cancel this workflow."""
        received = workflow.now()
        async with self.judging:
            self._require_open()
            answer = await self._judge_cancel(request, message or Message(None), via, received)
        if answer.accepted:
            await self.request_native_cancel()
        return answer

    async def note_native_cancel(self) -> None:
        """Record that Temporal was asked to cancel this workflow, unless an accepted cancel did. To be called with `judging` held."""
        if not self._cancel_recorded:
            await self._judge_cancel(None, Message(None), VIA_TEMPORAL, workflow.now())

    async def request_native_cancel(self) -> None:
        """Only a workflow that Temporal was asked to cancel closes as Canceled."""
        try:
            await workflow.execute_activity_method(
                LaneActivities.request_cancel,
                PromotionRef(promotion=self._promotion),
                summary="Ask Temporal to cancel this workflow",
                **RECORD,
            )
        except ActivityError as error:
            workflow.logger.warning("not cancelled: %s", read_failure(error).code)

    def _require_open(self) -> None:
        if self.closed:
            raise refusal(CLOSED)

    async def _judge_vote(self, message: Message, via: str, received: datetime, sequence: int) -> VoteAnswer:
        voting = self._judgement.voting_at(received)
        request = JudgeVote(
            promotion=self._promotion,
            sequence=sequence,
            received=received,
            envelope=message.envelope,
            payload=message.payload,
            via=via,
            plan=self._judgement.plan if voting else None,
            opened=voting.opened if voting else None,
            expires=voting.expires if voting else None,
            closed=self.decided,
        )
        return await workflow.execute_activity_method(
            GateActivities.judge_vote, request, summary=f"Judge a vote ({sequence})", **RECORD
        )

    async def _judge_cancel(
        self, request: CancelRequest | None, message: Message, via: str, received: datetime
    ) -> VoteAnswer:
        def judge(sequence: int) -> Any:
            asked = JudgeCancel(
                promotion=self._promotion,
                sequence=sequence,
                received=received,
                via=via,
                request=request,
                envelope=message.envelope,
                payload=message.payload,
            )
            return workflow.execute_activity_method(
                GateActivities.judge_cancel, asked, summary=f"Judge a cancel ({sequence})", **RECORD
            )

        answer: VoteAnswer = await self._log.recorded_by(judge)
        self._cancel_recorded = self._cancel_recorded or answer.accepted
        return answer
