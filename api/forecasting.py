"""Having workers ask the targets of a plan what would change there, a few at a time; no answer is an answer too."""

import asyncio
from datetime import timedelta

from api.services import Services
from fairlead.commands.ids import new_id
from fairlead.commands.previews import Preview
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable

AT_ONCE = 10
PATIENCE = timedelta(seconds=90)
"""For all of them: whoever waits would rather know some than none."""
_FIX = "fairlead doctor tells whether workers are there"


class PlanOnTargets(Preview):
    """A plan beside what was last verified, and beside what the targets say (`forecasts`, in the plan's order)."""

    forecasts: tuple[TargetForecast, ...]


async def on_targets(services: Services, preview: Preview) -> PlanOnTargets:
    """Ask all targets of this plan."""
    places, until = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop().time() + PATIENCE.total_seconds()

    async def forecast(request: ForecastTarget) -> TargetForecast:
        try:
            async with asyncio.timeout_at(until), places:
                return await services.orchestrator.forecast_target(request, new_id())
        except TimeoutError:
            return _silent(request, Code.TEMPORAL_UNAVAILABLE, f"no answer within {PATIENCE.total_seconds():g} s")
        except Unavailable as error:
            return _silent(request, error.code, error.detail)

    answers = await asyncio.gather(*(forecast(request) for request in questions(preview)))
    return PlanOnTargets(**dict(preview), forecasts=tuple(answers))


def questions(preview: Preview) -> list[ForecastTarget]:
    """One for each target, in the order of the plan."""
    plan = preview.plan
    return [
        ForecastTarget(
            project=plan.project,
            environment=plan.environment,
            release=plan.release,
            plan=preview.digest,
            healthy_deadline=plan.strategy.healthy_deadline,
            target=target,
        )
        for target in plan.targets
    ]


def _silent(request: ForecastTarget, code: Code, detail: str) -> TargetForecast:
    return TargetForecast(target=request.target.name, tells=True, code=str(code), detail=detail, fix=_FIX)
