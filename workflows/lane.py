"""`Lane`: the single writer of one environment. Its queue is in Postgres; what the workflow holds can be lost at any time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, FailureError

from fairlead.contracts import names
from fairlead.contracts.activities import LaneActivities
from fairlead.contracts.messages import LaneInput, LaneRequest, RestraintAnswer, RestraintRequest
from fairlead.contracts.steps import AdmitInput, AdmitResult, EnvironmentRef, LaneRef, RecordRestraint
from workflows.envelopes import NOTHING
from workflows.failures import read_failure, refusal
from workflows.options import HINT, RECORD, WATCH
from workflows.patience import Bell, Shield
from workflows.requests import require_lane_request, require_restraint_request
from workflows.showing import introduce, show_details

T = TypeVar("T")

MOST_SEEN: Final = 100
MOST_EVENTS: Final = 500
"""Then it goes on as a new run, so that its history stays short."""
_BEGIN: Final = frozenset({"freeze", "hold"})


@workflow.defn(name=names.LANE)
class LaneWorkflow:
    """Orders the promotions into one environment."""

    # Messages of a new run's first task are served before `run` begins: all state is built here.
    @workflow.init
    def __init__(self, input: LaneInput) -> None:
        self._input = input
        self._seen = input.seen
        self._requests = asyncio.Lock()
        self._bell = Bell()
        self._holder: str | None = None
        self._watch: workflow.ActivityHandle[None] | None = None

    @workflow.run
    async def run(self, input: LaneInput) -> None:
        """Runs on for as long as the environment exists."""
        introduce(input.project, input.environment)
        try:
            while not self._is_long():
                await self._take_turn()
        except asyncio.CancelledError:  # by hand; whoever has asked gets an answer
            await Shield().wait(workflow.all_handlers_finished)
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(input.model_copy(update={"seen": self._seen}))

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() > MOST_EVENTS

    async def _take_turn(self) -> None:
        self._bell.quiet()
        turn = await workflow.execute_activity_method(
            LaneActivities.admit,
            AdmitInput(project=self._input.project, environment=self._input.environment, now=workflow.now()),
            summary="Give the place to the first that may pass",
            **RECORD,
        )
        await self._look_after(turn.holder)
        for promotion in turn.refused:
            await self._tell(promotion)
        self._show(turn)
        await self._wait(turn.next_at)
        if self._holder and self._watch and self._watch.done():
            await self._free(self._holder, self._watch)

    async def _wait(self, next_at: datetime | None) -> None:
        """Until a message comes, the holder of the place is over, or time alone may let the head pass."""
        left = max(next_at - workflow.now(), timedelta(seconds=1)) if next_at else None
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._bell.rung or (self._watch is not None and self._watch.done()),
                timeout=left,
                timeout_summary="Until the head of the queue may pass",
            )

    async def _look_after(self, holder: str | None) -> None:
        """Watch whoever has the place now, and nobody else."""
        if holder == self._holder:
            return
        if self._watch:
            self._watch.cancel()
            with suppress(FailureError):
                await self._watch
        self._holder, self._watch = holder, None
        if holder:
            await self._tell(holder)
            self._watch = workflow.start_activity_method(
                LaneActivities.watch, self._ref(holder), summary=f"Watch promotion {holder} to its end", **WATCH
            )

    async def _free(self, holder: str, watch: workflow.ActivityHandle[None]) -> None:
        await watch
        self._holder, self._watch = None, None
        await workflow.execute_activity_method(
            LaneActivities.free, self._ref(holder), summary=f"Free the place of promotion {holder}", **RECORD
        )

    async def _tell(self, promotion: str) -> None:
        """A hint that the lane has moved. A promotion that is over does not hear it."""
        handle = workflow.get_external_workflow_handle(names.promotion_workflow(promotion))
        with suppress(FailureError):
            await handle.signal(names.SIGNAL_ADMITTED)

    def _show(self, turn: AdmitResult) -> None:
        headline = f"**{turn.holder}** has the place" if turn.holder else "the place is free"
        blockers = [f"`{blocker.rule}` {blocker.detail}" for blocker in turn.blocked_by]
        show_details(f"{headline}, {turn.waiting} waiting", blockers)

    def _ref(self, promotion: str, request: str = "") -> LaneRef:
        return LaneRef(
            promotion=promotion,
            project=self._input.project,
            environment=self._input.environment,
            request=request,
        )

    @workflow.update
    async def enter(self, request: LaneRequest) -> None:
        """Put a promotion at the end of the queue."""
        await self._once(request.request, lambda: self._queue(request), None)

    @enter.validator
    def validate_enter(self, request: LaneRequest) -> None:
        """Refuse what could not be kept."""
        require_lane_request(request)

    @workflow.update
    async def leave(self, request: LaneRequest) -> None:
        """Take a promotion out of the queue, or give its place back."""
        await self._once(request.request, lambda: self._unqueue(request), None)
        await self._tell(request.promotion)

    @leave.validator
    def validate_leave(self, request: LaneRequest) -> None:
        """Refuse what could not be kept."""
        require_lane_request(request)

    @workflow.update
    async def freeze(self, request: RestraintRequest) -> RestraintAnswer:
        """Nobody may change the environment, rollback intent apart."""
        return await self._restrain("freeze", request)

    @freeze.validator
    def validate_freeze(self, request: RestraintRequest) -> None:
        """Refuse what could not be kept."""
        require_restraint_request(request)

    @workflow.update
    async def thaw(self, request: RestraintRequest) -> RestraintAnswer:
        """End one freeze, or all."""
        return await self._restrain("thaw", request)

    @thaw.validator
    def validate_thaw(self, request: RestraintRequest) -> None:
        """Refuse what could not be kept."""
        require_restraint_request(request)

    @workflow.update
    async def hold(self, request: RestraintRequest) -> RestraintAnswer:
        """Automation must not change the environment."""
        return await self._restrain("hold", request)

    @hold.validator
    def validate_hold(self, request: RestraintRequest) -> None:
        """Refuse what could not be kept."""
        require_restraint_request(request)

    @workflow.update
    async def resume(self, request: RestraintRequest) -> RestraintAnswer:
        """End one hold, or all."""
        return await self._restrain("resume", request)

    @resume.validator
    def validate_resume(self, request: RestraintRequest) -> None:
        """Refuse what could not be kept."""
        require_restraint_request(request)

    @workflow.signal(name=names.SIGNAL_REEVALUATE, description="A hint: what keeps the queue waiting may have changed")
    def reevaluate(self, hint: RawValue = NOTHING) -> None:
        """Look at the queue again."""
        self._bell.ring()

    async def _once(self, request: str, work: Callable[[], Awaitable[T]], answer: T) -> T:
        """Serve requests one at a time and each once; `answer` is for one that was served before."""
        async with self._requests:
            if request in self._seen:
                return answer
            try:
                answer = await work()
            except ActivityError as error:
                raise refusal(read_failure(error)) from error
            self._seen = (*self._seen, request)[-MOST_SEEN:]
            self._bell.ring()
            return answer

    async def _queue(self, request: LaneRequest) -> None:
        await workflow.execute_activity_method(
            LaneActivities.queue,
            self._ref(request.promotion, request.request),
            summary=f"Queue promotion {request.promotion}",
            **RECORD,
        )

    async def _unqueue(self, request: LaneRequest) -> None:
        await workflow.execute_activity_method(
            LaneActivities.unqueue,
            self._ref(request.promotion, request.request),
            summary=f"Take promotion {request.promotion} out of the queue",
            **RECORD,
        )

    async def _restrain(self, kind: str, request: RestraintRequest) -> RestraintAnswer:
        restraint = request.restraint or (request.request if kind in _BEGIN else None)
        known = RestraintAnswer(restraints=(restraint,) if restraint else ())
        answer = await self._once(request.request, lambda: self._record(kind, request, restraint), known)
        with suppress(ActivityError):
            await workflow.execute_activity_method(
                LaneActivities.poke,
                EnvironmentRef(project=self._input.project, environment=self._input.environment),
                summary="Tell the open promotions",
                **HINT,
            )
        return answer

    async def _record(self, kind: str, request: RestraintRequest, restraint: str | None) -> RestraintAnswer:
        return await workflow.execute_activity_method(
            LaneActivities.record_restraint,
            RecordRestraint(
                kind=kind,
                project=self._input.project,
                environment=self._input.environment,
                actor=request.actor,
                time=workflow.now(),
                reason=request.reason,
                until=request.until,
                restraint=restraint,
            ),
            summary=f"Record a {kind} by {request.actor}",
            **RECORD,
        )
