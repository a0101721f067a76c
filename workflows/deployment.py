"""`Deployment`: carries out a promotion, or a rollback, on an environment's targets. The story is in deployment_story."""

import asyncio

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

from fairlead.contracts import names
from fairlead.contracts.messages import DeploymentInput, DeploymentResult
from fairlead.domain.states import DeploymentState
from workflows.deployment_story import DeploymentStory
from workflows.envelopes import NOTHING
from workflows.failures import Failure, read_failure, refusal
from workflows.patience import Shield


@workflow.defn(name=names.DEPLOYMENT)
class DeploymentWorkflow:
    """Prepare everywhere, change wave by wave, verify, and go back where it fails."""

    @workflow.init
    def __init__(self, input: DeploymentInput) -> None:
        self._shield = Shield()
        self._story = DeploymentStory(input, self._shield)

    @workflow.run
    async def run(self, input: DeploymentInput) -> DeploymentResult:
        """From prepared to seen running, or back."""
        story = asyncio.create_task(self._story.tell())
        await self._shield.wait(lambda: story.done() or self._story.log.conflict is not None)
        if self._story.log.conflict:
            story.cancel()
            raise refusal(self._story.log.conflict)
        return self._conclude(story)

    @workflow.signal(name=names.SIGNAL_CANCEL, description="From its promotion: start no other target")
    def cancel(self, hint: RawValue = NOTHING) -> None:
        """Targets in flight finish, no other starts, and those touched go back."""
        self._shield.told = True

    @workflow.signal(name=names.SIGNAL_PING, description="Fails to be delivered where this is over")
    def ping(self, hint: RawValue = NOTHING) -> None:
        """Be there."""

    @workflow.query
    def state(self) -> DeploymentState:
        """Where the deployment stands."""
        return self._story.state

    def _conclude(self, story: asyncio.Task[DeploymentResult]) -> DeploymentResult:
        try:
            result = story.result()
        except ActivityError as error:
            raise refusal(read_failure(error)) from error
        if result.state is DeploymentState.SUCCEEDED:
            return result
        if result.state is DeploymentState.CANCELLED and self._shield.cancelled:
            raise asyncio.CancelledError(result.detail)
        raise refusal(Failure(result.state, result.detail), result)
