"""`Check`: has a worker ask a target whether it is fit to be deployed to, for whoever cannot reach targets."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.activities import TargetActivities
from fairlead.contracts.checks import CheckTarget, TargetChecked
from workflows.options import ASK


@workflow.defn(name=names.CHECK)
class CheckWorkflow:
    """One question."""

    @workflow.run
    async def run(self, request: CheckTarget) -> TargetChecked:
        """Ask once."""
        what = f"Ask {request.target} whether it is fit"
        return await workflow.execute_activity_method(TargetActivities.check_target, request, summary=what, **ASK)
