"""The story of a deployment. A rollback tells the same one, except that it goes on where a target fails and never goes back itself."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from fairlead.contracts import names
from fairlead.contracts.activities import DeploymentActivities, SealActivities
from fairlead.contracts.messages import DeploymentInput, DeploymentResult, Progress
from fairlead.contracts.seals import SealDeployment, SealRollback
from fairlead.contracts.steps import DeploymentRef, LeaveHold, Observed, OpenRollback, Outline
from fairlead.domain.codes import Code
from fairlead.domain.states import DeploymentState, TaskState
from workflows.event_log import EventLog
from workflows.failures import Failure, read_failure, refusal
from workflows.options import RECORD
from workflows.patience import Shield
from workflows.pursuit import Pursuit, abandon
from workflows.rollout import Rollout
from workflows.showing import introduce, show_state

_CANCELLED = Failure(Code.CANCELLED, "cancelled")
_ROLLBACK = "rollback"
_HEARD = frozenset({DeploymentState.VERIFYING, DeploymentState.ROLLING_BACK})


class DeploymentStory:
    """Runs in a task of its own, which no native cancel request interrupts."""

    def __init__(self, input: DeploymentInput, shield: Shield) -> None:
        self._input = input
        self._shield = shield
        self.log = EventLog(names.deployment_subject(input.deployment))
        self.state = DeploymentState.QUEUED
        self._rollout: Rollout | None = None

    async def tell(self) -> DeploymentResult:
        """From prepared to seen running, or back."""
        introduce(self._input.project, self._input.environment, self._input.release)
        try:
            return await self._carry_out(await self._outline())
        except ActivityError as error:
            failure = read_failure(error)
            if self.log.conflict or failure.code == Code.HISTORY_CONFLICT:
                raise
            return await self._give_up(failure)

    async def _outline(self) -> Outline:
        return await workflow.execute_activity_method(
            DeploymentActivities.outline,
            DeploymentRef(deployment=self._input.deployment),
            summary="Read what to do",
            **RECORD,
        )

    async def _carry_out(self, outline: Outline) -> DeploymentResult:
        rollout = self._rollout = Rollout(outline, self.log)
        goes_back = outline.on_failure == _ROLLBACK
        await self._move(DeploymentState.PREPARING)
        await rollout.prepare()
        if self._may_go_on(rollout):
            await self._move(DeploymentState.RUNNING)
            await rollout.change(lambda: self._may_go_on(rollout))
        if self._may_go_on(rollout):
            return await self._verify(rollout, goes_back=goes_back)
        failure = rollout.failure or _CANCELLED
        await rollout.leave_rest(*_rest(failure))
        return await self._fail(rollout, failure, await rollout.observe(rollout.touched), goes_back=goes_back)

    def _may_go_on(self, rollout: Rollout) -> bool:
        """A rollback always does: each target that gets back is one less that is broken."""
        return self._input.is_rollback or (rollout.failure is None and not self._shield.stopping)

    async def _verify(self, rollout: Rollout, *, goes_back: bool) -> DeploymentResult:
        """A deployment succeeded when its targets were seen running it."""
        await self._move(DeploymentState.VERIFYING)
        observed = await rollout.observe(rollout.targets)
        failure = rollout.failure or _unlike(observed)
        if failure is None and self._shield.stopping and not self._input.is_rollback:
            failure = _CANCELLED
        if failure:
            return await self._fail(rollout, failure, observed, goes_back=goes_back)
        await self._seal(observed)
        return await self._end(DeploymentState.SUCCEEDED)

    async def _fail(
        self, rollout: Rollout, failure: Failure, observed: tuple[Observed, ...], *, goes_back: bool
    ) -> DeploymentResult:
        await self._seal(observed, failure)
        end = DeploymentState.CANCELLED if failure is _CANCELLED else DeploymentState.FAILED
        if self._input.is_rollback or not rollout.touched:
            return await self._end(end, failure)
        if goes_back:
            return await self._go_back(failure, end)
        await self._leave_hold(failure)
        return await self._end(end, failure)

    async def _go_back(self, failure: Failure, end: DeploymentState) -> DeploymentResult:
        """Bring each touched target back to its own last verified state, by a deployment of its own, and leave a hold."""
        await self._move(DeploymentState.ROLLING_BACK)
        try:
            outline = await self._open_rollback(failure)
            await self._seal_rollback(outline.deployment, failure)
        except ActivityError as error:
            return await self._stay(failure, read_failure(error))
        pursuit = await Pursuit.start(
            self._input.model_copy(update={"deployment": outline.deployment, "is_rollback": True}),
            summary=f"Roll back {self._input.release} in {self._input.environment}",
        )
        back = await pursuit.end()
        await self._leave_hold(failure)
        if back.state is not DeploymentState.SUCCEEDED:
            worse = Failure(failure.code, f"{failure.detail}; its rollback failed too: {back.detail}")
            return await self._end(DeploymentState.FAILED, worse, outline.deployment)
        retired = [target.target for target in outline.targets if target.retire]
        if retired:
            bare = Failure(failure.code, f"{failure.detail}; nothing to go back to on {', '.join(retired)}")
            return await self._end(end, bare, outline.deployment)
        returned = DeploymentState.ROLLED_BACK if end is DeploymentState.FAILED else end
        return await self._end(returned, failure, outline.deployment)

    async def _stay(self, failure: Failure, refused: Failure) -> DeploymentResult:
        """Nothing goes back: without a sealed order there is no rollback. The code tells whoever misses one in the evidence."""
        if refused.code == Code.HISTORY_CONFLICT:
            raise refusal(refused)
        await abandon(names.rollback_of(self._input.deployment), Code.ROLLBACK_REFUSED)
        await self._leave_hold(failure)
        why = Failure(Code.ROLLBACK_REFUSED, f"{failure.detail}; its rollback was refused: {refused.detail}")
        return await self._end(DeploymentState.FAILED, why)

    async def _give_up(self, failure: Failure) -> DeploymentResult:
        """One of our own steps was refused: nothing more can be done here, so nobody may go on without looking."""
        if self._rollout and self._rollout.touched and not self._input.is_rollback:
            await self._leave_hold(failure)
        return await self._end(DeploymentState.FAILED, failure)

    async def _seal(self, observed: tuple[Observed, ...], failure: Failure | None = None) -> None:
        await workflow.execute_activity_method(
            SealActivities.seal_deployment,
            SealDeployment(
                deployment=self._input.deployment,
                time=workflow.now(),
                ok=failure is None,
                observed=observed,
                code=failure.code if failure else None,
                detail=failure.detail if failure else "",
            ),
            summary="Seal what was done and seen",
            **RECORD,
        )

    async def _open_rollback(self, failure: Failure) -> Outline:
        request = OpenRollback(
            deployment=self._input.deployment, time=workflow.now(), code=failure.code, detail=failure.detail
        )
        return await workflow.execute_activity_method(
            DeploymentActivities.open_rollback, request, summary="Open the rollback", **RECORD
        )

    async def _seal_rollback(self, rollback: str, failure: Failure) -> None:
        await workflow.execute_activity_method(
            SealActivities.seal_rollback,
            SealRollback(
                deployment=self._input.deployment,
                rollback=rollback,
                time=workflow.now(),
                code=failure.code,
                detail=failure.detail,
            ),
            summary="Seal the rollback before its first change",
            **RECORD,
        )

    async def _leave_hold(self, failure: Failure) -> None:
        await workflow.execute_activity_method(
            DeploymentActivities.leave_hold,
            LeaveHold(
                deployment=self._input.deployment,
                project=self._input.project,
                environment=self._input.environment,
                reason=f"{self._input.release} failed here: {failure.detail or failure.code}",
                time=workflow.now(),
            ),
            summary="Leave a hold on the environment",
            **RECORD,
        )

    async def _move(self, state: DeploymentState) -> None:
        await self.log.append(str(state), state=state)
        await self._tell(state)

    async def _end(
        self, state: DeploymentState, failure: Failure | None = None, rollback: str | None = None
    ) -> DeploymentResult:
        code, detail = (failure.code, failure.detail) if failure else (None, "")
        await self.log.append("ended", state=state, code=code, data={"code": code, "detail": detail})
        await self._tell(state, detail)
        return DeploymentResult(
            deployment=self._input.deployment, state=state, code=code, detail=detail, rollback=rollback
        )

    async def _tell(self, state: DeploymentState, detail: str = "") -> None:
        """Show it here, and give the promotion a hint; one that is gone does not hear it."""
        self.state = state
        what = "Rollback" if self._input.is_rollback else "Deployment"
        show_state(
            state, f"{what} of {self._input.release} in {self._input.environment}: **{state}** {detail}".rstrip()
        )
        if self._is_heard(state):
            handle = workflow.get_external_workflow_handle(names.promotion_workflow(self._input.promotion))
            with suppress(FailureError):
                await handle.signal(names.SIGNAL_PROGRESS, Progress(deployment=self._input.deployment, state=state))

    def _is_heard(self, state: DeploymentState) -> bool:
        """Whether the promotion goes along with it. That this is over it sees for itself; once it was told of every move."""
        heard = state in _HEARD and not self._input.is_rollback
        return heard or not workflow.patched("tell-what-is-heard")


def _rest(failure: Failure) -> tuple[TaskState, str | None]:
    if failure is _CANCELLED:
        return TaskState.CANCELLED, Code.CANCELLED
    return TaskState.SKIPPED, None


def _unlike(observed: tuple[Observed, ...]) -> Failure | None:
    """The first target that is not as planned."""
    bad = next((seen for seen in observed if not seen.ok), None)
    return Failure(bad.code or Code.VERIFICATION_FAILED, f"{bad.target}: {bad.detail}") if bad else None
