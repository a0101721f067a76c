"""The story of a promotion: win consent, get the place in the lane, decide, deploy, close."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

from fairlead.contracts import names
from fairlead.contracts.activities import DeploymentActivities
from fairlead.contracts.canonical import Digest
from fairlead.contracts.messages import DeploymentInput, PromotionInput, PromotionResult
from fairlead.contracts.steps import OpenDeployment
from fairlead.domain.codes import Code
from fairlead.domain.states import PROMOTION, DeploymentState, PromotionState
from fairlead.domain.verdict import Decision
from workflows.ballots import Ballots
from workflows.closing import Ended, Ending, seal_decision, seal_outcome
from workflows.event_log import EventLog
from workflows.failures import read_failure
from workflows.judgement import Judgement
from workflows.options import RECORD
from workflows.patience import Bell, Shield, wait_until
from workflows.place import Place
from workflows.pursuit import Pursuit
from workflows.showing import introduce, show_state, told

_FOLLOWED: Final = {
    DeploymentState.VERIFYING: PromotionState.VERIFYING,
    DeploymentState.ROLLING_BACK: PromotionState.ROLLING_BACK,
}
_SHORTEST_NET: Final = timedelta(seconds=5)
_LONGEST_NET: Final = timedelta(minutes=5)


class PromotionStory:
    """Runs in a task of its own, which no native cancel request interrupts: it looks at `shield.cancelled` where it may stop."""

    def __init__(self, input: PromotionInput, shield: Shield) -> None:
        self._input = input
        self._shield = shield
        self.state = PromotionState.REQUESTED
        self.log = EventLog(names.promotion_subject(input.promotion))
        self.judgement = Judgement(input.promotion, self.log)
        self.ballots = Ballots(input.promotion, self.log, self.judgement)
        self.place = Place(input)
        self.facts = Bell()
        self.progress = Bell()

    async def tell(self) -> PromotionResult:
        """From request to a terminal state."""
        introduce(self._input.project, self._input.environment, self._input.release)
        try:
            ending = await self._pursue()
        except Ended as ended:
            ending = ended.ending
        except ActivityError as error:
            failure = read_failure(error)
            if self.log.conflict or failure.code == Code.HISTORY_CONFLICT:
                raise
            ending = Ending(PromotionState.FAILED, failure.code, failure.detail)
        return await self._close(ending)

    async def _pursue(self) -> Ending:
        while True:
            await self._move(PromotionState.EVALUATING)
            await self._win_consent()
            await self._move(PromotionState.QUEUED)
            await self.place.enter()
            if await self._admitted() and (decision := await self._decide()):
                return await self._deploy(decision)
            await self.place.stand_aside()

    async def _win_consent(self) -> None:
        """Evaluate until every gate allows."""
        while True:
            self._require_going()
            self.facts.quiet()
            await self.judgement.renew()
            self._show(self.judgement.state)
            self._require_not_denied()
            if self.judgement.decision is Decision.ALLOW:
                return
            await wait_until(
                lambda: self.facts.rung or self._shield.cancelled,
                timeout=self.judgement.look_again_in(self._input.expires_at),
                summary="Until the gates may answer otherwise",
            )

    async def _admitted(self) -> bool:
        """Wait for the place; False when a vote came that must be judged first."""
        net = _SHORTEST_NET
        if workflow.patched("wait-before-asking"):
            await self._lane_moves(net)
        while not self.ballots.rejected:
            self._require_going()
            self.place.bell.quiet()
            admission = await self.place.admission()
            if admission.status == "admitted":
                await self.log.append("admitted", data={"number": admission.number})
                return True
            if admission.status == "refused":
                raise Ended(PromotionState.REJECTED, admission.code, admission.detail)
            if admission.status != "waiting" and net > _SHORTEST_NET:
                await self.place.enter()
            await self._lane_moves(net)
            net = min(net * 2, _LONGEST_NET)
        return False

    async def _lane_moves(self, net: timedelta) -> None:
        await wait_until(
            lambda: self.place.bell.rung or self.ballots.rejected or self._shield.cancelled,
            timeout=max(min(net, self._input.expires_at - workflow.now()), timedelta(seconds=1)),
            summary="Until the lane moves",
        )

    async def _decide(self) -> Digest | None:
        """Judge again at the head of the lane and seal; None when it no longer holds. No vote is taken meanwhile."""
        async with self.ballots.judging:
            await self.judgement.renew(admitted=True)
            self._require_not_denied()
            if self.judgement.holds_up:
                return None
            self.ballots.decided = True
            return await seal_decision(self._input.promotion, self.judgement, allow=True)

    async def _deploy(self, decision: Digest) -> Ending:
        outline = await workflow.execute_activity_method(
            DeploymentActivities.open_deployment,
            OpenDeployment(promotion=self._input.promotion, decision=decision, time=workflow.now()),
            summary="Open the deployment",
            **RECORD,
        )
        self.place.keep()
        await self._move(PromotionState.DEPLOYING, deployment=outline.deployment, number=outline.number)
        pursuit = await Pursuit.start(
            DeploymentInput(
                deployment=outline.deployment,
                promotion=self._input.promotion,
                project=self._input.project,
                environment=self._input.environment,
                release=self._input.release,
            ),
            summary=f"Deploy {self._input.release} to {self._input.environment}",
        )
        return await self._follow(pursuit)

    async def _follow(self, pursuit: Pursuit) -> Ending:
        """Go along with the deployment to its end; a cancel is passed on to it, once."""
        while not pursuit.over:
            if self.progress.rung or not workflow.patched("look-when-told"):
                self.progress.quiet()
                await self._take_note_of(pursuit)
            if self._shield.cancelled and not pursuit.cancelling:
                await self._note_cancel()
                await pursuit.cancel()
            await wait_until(
                lambda: pursuit.over or self.progress.rung or (self._shield.cancelled and not pursuit.cancelling)
            )
        end = await pursuit.end()
        return Ending(PromotionState(end.state), end.code, end.detail)

    async def _take_note_of(self, pursuit: Pursuit) -> None:
        state = _FOLLOWED.get((await pursuit.standing()).state)
        if state is not None and state is not self.state and state in PROMOTION.edges[self.state]:
            await self._move(state)

    async def _close(self, ending: Ending) -> PromotionResult:
        await self.place.leave()
        if ending.state is PromotionState.CANCELLED and not self._shield.cancelled:
            await self.ballots.request_native_cancel()
            await wait_until(lambda: self._shield.cancelled)
        async with self.ballots.judging:
            if self._shield.cancelled:
                await self.ballots.note_native_cancel()
            if not self.ballots.decided:
                self.ballots.decided = True
                await seal_decision(self._input.promotion, self.judgement, allow=False, code=ending.code)
            outcome = await seal_outcome(self._input.promotion, ending)
            data = {"outcome": outcome, "code": ending.code, "detail": ending.detail}
            await self.log.append("ended", state=ending.state, code=ending.code, data=data)
            self.ballots.closed = True
        self._show(ending.state, ending.detail)
        return self._result(ending, outcome)

    async def _note_cancel(self) -> None:
        async with self.ballots.judging:
            await self.ballots.note_native_cancel()

    def _require_going(self) -> None:
        if self._shield.cancelled:
            raise Ended(PromotionState.CANCELLED, Code.CANCELLED, "cancelled before it was deployed")
        if workflow.now() >= self._input.expires_at:
            raise Ended(PromotionState.EXPIRED, Code.PROMOTION_EXPIRED, "the promotion has expired")

    def _require_not_denied(self) -> None:
        if self.judgement.denied:
            no = next(v for v in self.judgement.blocking if v.decision is Decision.DENY)
            raise Ended(PromotionState.REJECTED, next(iter(no.reason_codes), None), no.message)
        if self.ballots.rejected:  # also when the plan or the voter's mind has changed since
            raise Ended(PromotionState.REJECTED, Code.VOTE_REJECTED, "a voter said no")
        if self.judgement.out_of_time:
            raise Ended(PromotionState.EXPIRED, Code.APPROVAL_EXPIRED, "the time for votes is over")

    async def _move(self, state: PromotionState, **data: str | int) -> None:
        self._show(state)
        await self.log.append(str(state), state=state, data=dict(data))

    def _show(self, state: PromotionState, detail: str = "") -> None:
        headline = f"{self._input.release} to {self._input.environment}: **{state}**"
        show_state(state, f"{headline} {detail}".rstrip(), told(self.judgement.blocking))
        self.state = state

    def _result(self, ending: Ending, outcome: Digest) -> PromotionResult:
        return PromotionResult(
            promotion=self._input.promotion,
            state=ending.state,
            release=self._input.release,
            environment=self._input.environment,
            outcome=outcome,
            code=ending.code,
            detail=ending.detail,
        )
