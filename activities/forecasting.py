"""Asking targets what a plan would change there. What is in the way is an answer, with its code and what mends it."""

from activities.observing import Eyes
from fairlead.commands import plans
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.foreseen import foreseen
from fairlead.contracts.target import TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.forecast import Forecast, bounded
from fairlead.domain.target_kinds.hooks import POST, PRE, hooks_of
from fairlead.ports import Executor, Forecasts
from fairlead.store.database import Database


def forecast(db: Database, eyes: Eyes, request: ForecastTarget) -> TargetForecast:
    """Say the specification that this part of a plan would be, and have the target tell."""
    name = request.target.name
    if not request.target.components:
        return TargetForecast(target=name, tells=False, detail="nothing of the release is to run there")
    try:
        with db.session() as s:
            spec = plans.foreseen_spec(s, request)
    except FairleadError as error:
        return TargetForecast(target=name, tells=True, **_why(error))
    said = TargetForecast(target=name, tells=True, before=_hooks(spec, PRE), after=_hooks(spec, POST))
    try:
        told = _told(eyes.executor(spec), spec)
    except FairleadError as error:
        return said.model_copy(update=_why(error))
    return said.model_copy(update={"lines": bounded(told.lines), **_why(told.hindrance)})


def _hooks(spec: TargetSpec, when: str) -> tuple[str, ...]:
    """Whoever asks has no target to ask for these: all of them are run, also of what stays as it is."""
    every = (hook for each in spec.components for hook in hooks_of(each.name, each.config.run, when))
    return bounded(f"{hook.component}: {hook.name}" for hook in every)


def _told(executor: Executor, spec: TargetSpec) -> Forecast:
    """In its own words, or by what is seen there now."""
    if isinstance(executor, Forecasts):
        return executor.forecast(spec)
    return foreseen(spec.components, executor.observe(plans.address(spec)))


def _why(error: FairleadError | None) -> dict[str, str | None]:
    if error is None:
        return {}
    return {"code": str(error.code), "detail": error.detail, "fix": error.hint or f"see {error.code} in docs/errors.md"}
