"""`Promotion`: brings one release into one environment. Here are its messages and how it closes; the story is in promotion_story."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from fairlead.contracts import names
from fairlead.contracts.messages import CancelRequest, PromotionInput, PromotionResult
from fairlead.contracts.steps import Blocker
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from workflows.ballots import CLOSED, VIA_SIGNAL, VIA_UPDATE
from workflows.envelopes import NOTHING, Message, flaw_of, read_raw
from workflows.failures import Failure, read_failure, refusal
from workflows.judgement import blockers
from workflows.patience import Shield
from workflows.promotion_story import PromotionStory


@workflow.defn(name=names.PROMOTION)
class PromotionWorkflow:
    """One promotion, from request to a terminal state."""

    @workflow.init
    def __init__(self, input: PromotionInput) -> None:
        self._shield = Shield()
        self._story = PromotionStory(input, self._shield)

    @workflow.run
    async def run(self, input: PromotionInput) -> PromotionResult:
        """Tell the story; where history says something else than we do, stop at once and leave the rest to the reconciler."""
        story = asyncio.create_task(self._story.tell())
        await self._shield.wait(lambda: story.done() or self._story.log.conflict is not None)
        if self._story.log.conflict:
            story.cancel()
        await self._shield.wait(workflow.all_handlers_finished)
        return self._conclude(story)

    def _conclude(self, story: asyncio.Task[PromotionResult]) -> PromotionResult:
        """Close so that operators see red where it is red (design decision 12)."""
        if self._story.log.conflict:
            raise refusal(self._story.log.conflict)
        try:
            result = story.result()
        except ActivityError as error:
            raise refusal(read_failure(error)) from error
        if result.state is PromotionState.SUCCEEDED:
            return result
        if result.state is PromotionState.CANCELLED:
            raise asyncio.CancelledError(result.detail)
        raise refusal(Failure(result.state, result.detail), result)

    @workflow.update(name=names.SIGNAL_VOTE)
    async def vote(self, envelope: Any) -> VoteAnswer:
        """A signed vote envelope. Fails with an ApplicationError whose type is the code when the vote is refused."""
        return await self._answered(self._story.ballots.vote(Message(envelope), VIA_UPDATE))

    @vote.validator
    def validate_vote(self, envelope: Any) -> None:
        """Refuse what is no vote at all; the rest is judged, recorded and then answered."""
        self._refuse_flawed(envelope)

    @workflow.signal(name=names.SIGNAL_VOTE, description="A signed vote, as `approve --print` prints it")
    async def vote_signal(self, envelope: RawValue = NOTHING) -> None:
        """The same from bots and the Temporal Web UI; the answer is the event that it leaves."""
        await self._noted(self._story.ballots.vote(read_raw(envelope), VIA_SIGNAL))

    @workflow.update(name=names.SIGNAL_CANCEL)
    async def cancel(self, request: Any) -> VoteAnswer:
        """A CancelRequest of somebody the API authenticated, or a signed cancel envelope."""
        asked = _cancel_request(request)
        message = None if asked else Message(request)
        return await self._answered(self._story.ballots.cancel(asked, message, VIA_UPDATE))

    @cancel.validator
    def validate_cancel(self, request: Any) -> None:
        """Refuse what is neither."""
        self._refuse_flawed(request)

    @workflow.signal(name=names.SIGNAL_CANCEL, description="A signed cancel, as `cancel --print` prints it")
    async def cancel_signal(self, envelope: RawValue = NOTHING) -> None:
        """A signed cancel from bots and the Temporal Web UI."""
        await self._noted(self._story.ballots.cancel(None, read_raw(envelope), VIA_SIGNAL))

    @workflow.signal(name=names.SIGNAL_REEVALUATE, description="A hint: something that a gate looks at has changed")
    def reevaluate(self, hint: RawValue = NOTHING) -> None:
        """Look at the facts again."""
        self._story.facts.ring()

    @workflow.signal(name=names.SIGNAL_ADMITTED, description="A hint: the lane has moved")
    def admitted(self, hint: RawValue = NOTHING) -> None:
        """Look at the place in the lane again."""
        self._story.place.bell.ring()

    @workflow.signal(name=names.SIGNAL_PROGRESS, description="A hint: the deployment has moved")
    def progress(self, hint: RawValue = NOTHING) -> None:
        """Look at the deployment again."""
        self._story.progress.ring()

    @workflow.query
    def state(self) -> PromotionState:
        """Where the promotion stands."""
        return self._story.state

    @workflow.query
    def why(self) -> tuple[Blocker, ...]:
        """Which gates keep it from moving, as they answered last."""
        return blockers(self._story.judgement.blocking)

    def _refuse_flawed(self, value: Any) -> None:
        flaw = CLOSED if self._story.ballots.closed else flaw_of(value)
        if flaw:
            raise refusal(flaw)

    async def _answered(self, judged: Awaitable[VoteAnswer]) -> VoteAnswer:
        try:
            answer = await judged
        except ActivityError as error:
            raise refusal(read_failure(error)) from error
        if not answer.accepted:
            raise refusal(Failure(answer.code or Code.INTERNAL_ERROR, answer.detail), answer)
        self._story.facts.ring()
        return answer

    async def _noted(self, judged: Awaitable[VoteAnswer]) -> None:
        """A signal's sender waits for no answer, and an error here would stop the workflow."""
        try:
            answer = await judged
        except (ActivityError, ApplicationError) as error:
            workflow.logger.warning("a message was not judged: %s", error)
            return
        if answer.accepted:
            self._story.facts.ring()


def _cancel_request(value: Any) -> CancelRequest | None:
    """The request, None where it is something else: then it counts only when signed."""
    try:
        return CancelRequest.model_validate(value)
    except ValidationError:
        return None
