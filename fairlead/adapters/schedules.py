"""Temporal's Schedules that look for drift, one for each environment."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from fairlead.adapters.temporal import RPC_TIMEOUT, mapped_errors, search_attributes
from fairlead.contracts import names
from fairlead.contracts.steps import EnvironmentRef
from fairlead.domain.errors import NotFound

_CATCH_UP = timedelta(minutes=1)
"""After an outage one look tells all that those that were missed would have told."""


@dataclass(frozen=True, slots=True)
class Watching:
    """An environment, and how many seconds apart it is looked at."""

    project: str
    environment: str
    every: float


async def watches(client: Client) -> dict[str, float]:
    """The Schedules that look for drift, by id, with the seconds between looks. The list lags a little."""
    found: dict[str, float] = {}
    with mapped_errors():
        async for listed in await client.list_schedules(rpc_timeout=RPC_TIMEOUT):
            if listed.id.startswith(names.DRIFT_PREFIX) and listed.schedule is not None:
                intervals = listed.schedule.spec.intervals
                found[listed.id] = intervals[0].every.total_seconds() if intervals else 0.0
    return found


async def set_watch(client: Client, id: str, wanted: Watching | None, *, is_known: bool) -> None:
    """Have what is wanted looked at under this id; None: nothing any more. Whether an operator paused it stays as it is."""
    handle = client.get_schedule_handle(id)
    with mapped_errors():
        if wanted is None:
            with suppress(NotFound), mapped_errors():
                await handle.delete(rpc_timeout=RPC_TIMEOUT)
        elif is_known:
            await handle.update(lambda known: _changed(known, id, wanted), rpc_timeout=RPC_TIMEOUT)
        else:
            with suppress(ScheduleAlreadyRunningError):  # the list lags
                await client.create_schedule(id, _schedule(id, wanted), rpc_timeout=RPC_TIMEOUT)


def _changed(known: ScheduleUpdateInput, id: str, wanted: Watching) -> ScheduleUpdate:
    schedule = known.description.schedule
    schedule.spec = _spec(id, wanted)
    return ScheduleUpdate(schedule)


def _schedule(id: str, wanted: Watching) -> Schedule:
    attributes = {names.ATTRIBUTE_PROJECT: wanted.project, names.ATTRIBUTE_ENVIRONMENT: wanted.environment}
    look = ScheduleActionStartWorkflow(
        names.DRIFT,
        EnvironmentRef(project=wanted.project, environment=wanted.environment),
        id=id,
        task_queue=names.QUEUE_CONTROL,
        typed_search_attributes=search_attributes(**attributes),
        static_summary=f"Look for drift in {wanted.environment} of {wanted.project}",
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP)
    return Schedule(action=look, spec=_spec(id, wanted), policy=policy)


def _spec(id: str, wanted: Watching) -> ScheduleSpec:
    """Each has an instant of its own in the interval, so that not all environments are looked at at once."""
    every = timedelta(seconds=wanted.every)
    share = int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") / 2**32
    offset = timedelta(seconds=int(wanted.every * share))
    return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every, offset=offset)])
