"""Starts a deployment and sees it to its end, whichever way it ends, terminated by hand included."""

from contextlib import suppress

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


class Pursuit:
    """A deployment that was started; its row says how it stands."""

    def __init__(self, deployment: str, handle: ChildWorkflowHandle[object, DeploymentResult]) -> None:
        self._deployment = deployment
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
        return cls(request.deployment, handle)

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
        await workflow.execute_activity_method(
            DeploymentActivities.abandon,
            Abandon(
                deployment=self._deployment,
                time=workflow.now(),
                code=Code.HISTORY_CONFLICT if conflict else Code.TERMINATED,
            ),
            summary=f"Close the rows of deployment {self._deployment}",
            **ABANDON,
        )
        return await self.standing()

    async def _closed_with(self) -> Failure | None:
        try:
            await self._handle
        except ChildWorkflowError as error:
            return read_failure(error)
        return None
