"""`Reconcile`: the sweep that mends what no other workflow is there to do; a Schedule runs it."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.steps import Reconciled


@workflow.defn(name=names.RECONCILE)
class ReconcileWorkflow:
    """Starts what is missing, then ends what was orphaned."""

    @workflow.run
    async def run(self) -> Reconciled:
        """One sweep."""
        raise NotImplementedError
