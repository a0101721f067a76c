"""`Forecast`: has a worker ask a target what a plan would change there, for whoever cannot reach targets."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.activities import TargetActivities
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from workflows.options import ASK


@workflow.defn(name=names.FORECAST)
class ForecastWorkflow:
    """One question."""

    @workflow.run
    async def run(self, request: ForecastTarget) -> TargetForecast:
        """Ask once."""
        what = f"Ask {request.target.name} what would change there"
        return await workflow.execute_activity_method(TargetActivities.forecast_target, request, summary=what, **ASK)
