"""`Deployment`: carries out a promotion, or a rollback, on an environment's targets."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.messages import DeploymentInput, DeploymentResult


@workflow.defn(name=names.DEPLOYMENT)
class DeploymentWorkflow:
    """Prepare everywhere, change wave by wave, verify, and go back where it fails."""

    @workflow.init
    def __init__(self, input: DeploymentInput) -> None:
        self._input = input

    @workflow.run
    async def run(self, input: DeploymentInput) -> DeploymentResult:
        """From prepared to seen running."""
        raise NotImplementedError

    @workflow.signal
    def cancel(self) -> None:
        """Start no other target; from its promotion."""
