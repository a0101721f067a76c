"""Starts a deployment and sees it to its end, whichever way it ends, terminated by hand included."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from fairlead.contracts import names
from fairlead.contracts.activities import DeploymentActivities
from fairlead.contracts.messages import DeploymentInput, DeploymentResult
from fairlead.contracts.steps import Abandon, DeploymentRef, DeploymentStanding
from fairlead.domain.codes import Code
from workflows.failures import Failure, read_failure, refusal
from workflows.options import ABANDON, RECORD

_GLANCE: Final = timedelta(seconds=5)


class Pursuit:
    """A deployment that was started; its row says how it stands."""

    def __init__(self, request: DeploymentInput, handle: ChildWorkflowHandle[object, DeploymentResult]) -> None:
        self._request = request
        self._deployment = request.deployment
        self._handle = handle
        self.cancelling = False

    @classmethod
    async def start(cls, request: DeploymentInput, *, summary: str) -> "Pursuit":
        """Start it, once: one that was started before belongs to another history (history_conflict)."""
        try:
            handle = await workflow.start_child_workflow(
                names.DEPLOYMENT,
                request,
                id=names.deployment_workflow(request.deployment),
                result_type=DeploymentResult,
                parent_close_policy=ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=summary,
            )
        except WorkflowAlreadyStartedError as error:
            conflict = Failure(Code.HISTORY_CONFLICT, f"deployment {request.deployment} was started before")
            raise refusal(conflict) from error
        return cls(request, handle)

    @property
    def over(self) -> bool:
        """Whether its workflow has closed."""
        return self._handle.done()

    async def cancel(self) -> None:
        """Ask it to start no other target; one that has just closed cannot hear."""
        self.cancelling = True
        with suppress(FailureError):
            await self._handle.signal(names.SIGNAL_CANCEL)

    async def standing(self) -> DeploymentStanding:
        """How it stands now, by its row."""
        return await workflow.execute_activity_method(
            DeploymentActivities.standing,
            DeploymentRef(deployment=self._deployment),
            summary=f"Read how deployment {self._deployment} stands",
            **RECORD,
        )

    async def end(self) -> DeploymentStanding:
        """How it ended, once its workflow has closed; rows that it left open are closed."""
        failure = await self._closed_with()
        standing = await self.standing()
        if standing.state.is_terminal:
            return standing
        conflict = failure is not None and failure.code == Code.HISTORY_CONFLICT
        code = Code.HISTORY_CONFLICT if conflict else Code.TERMINATED
        if not self._request.is_rollback:
            await self._outlive_rollback(code)
        await abandon(self._deployment, code)
        return await self.standing()

    async def _closed_with(self) -> Failure | None:
        try:
            await self._handle
        except ChildWorkflowError as error:
            return read_failure(error)
        return None

    async def _outlive_rollback(self, code: Code) -> None:
        """A deployment that was ended by hand may have left its rollback at work: what that does and seals comes first."""
        rollback = names.rollback_of(self._deployment)
        while await _is_there(rollback):
            await workflow.sleep(_GLANCE, summary=f"Until deployment {rollback} is over")
        await abandon(rollback, code)


async def _is_there(deployment: str) -> bool:
    """A signal that cannot be delivered is the one way in which a workflow learns that another is not running."""
    try:
        await workflow.get_external_workflow_handle(names.deployment_workflow(deployment)).signal(names.SIGNAL_PING)
    except FailureError:
        return False
    return True


async def abandon(deployment: str, code: Code) -> None:
    """Close the rows that a deployment left open; nothing where there are none."""
    await workflow.execute_activity_method(
        DeploymentActivities.abandon,
        Abandon(deployment=deployment, time=workflow.now(), code=code),
        summary=f"Close the rows of deployment {deployment}",
        **ABANDON,
    )
