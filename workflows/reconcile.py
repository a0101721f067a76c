"""`Reconcile`: the sweep that mends what no other workflow is there to do; a Schedule runs it."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.activities import ReconcileActivities
from fairlead.contracts.steps import Reconciled, ReconcileInput
from workflows.options import ABANDON


@workflow.defn(name=names.RECONCILE)
class ReconcileWorkflow:
    """Starts what is missing, ends what was orphaned, and sees to it that drift is looked for."""

    @workflow.run
    async def run(self) -> Reconciled:
        """One sweep."""
        request = ReconcileInput(now=workflow.now())
        started = await workflow.execute_activity_method(
            ReconcileActivities.start_missing, request, summary="Start promotions and lanes that are missing", **ABANDON
        )
        ended = await workflow.execute_activity_method(
            ReconcileActivities.end_orphans, request, summary="End promotions whose workflow is gone", **ABANDON
        )
        watches: tuple[str, ...] = ()
        if workflow.patched("keep-watches"):
            kept = await workflow.execute_activity_method(
                ReconcileActivities.keep_watches,
                request,
                summary="Have every environment looked at for drift",
                **ABANDON,
            )
            watches = kept.watches
        return Reconciled(started=started.started, lanes=started.lanes, ended=ended.ended, watches=watches)
