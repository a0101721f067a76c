"""Where a promotion's time goes, by the histories that Temporal keeps of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from fairlead.contracts import names

WATCH = "watch"
"""The lane's look-out runs for as long as the promotion does, and is no step of it."""
_TASK = "workflow task"


@dataclass(frozen=True, slots=True)
class Hop:
    """One task, of an activity or of a workflow: when it was scheduled, taken up and done, in seconds since the epoch.

    `target`: what it was for, if it was for one.
    """

    name: str
    scheduled: float
    started: float
    done: float
    target: str = ""


@dataclass(slots=True)
class Trace:
    """All that happened for one promotion."""

    hops: list[Hop] = field(default_factory=list)
    events: int = 0
    bytes: int = 0

    @property
    def activities(self) -> list[Hop]:
        """Its activities."""
        return [hop for hop in self.hops if hop.name != _TASK]

    @property
    def workflow_tasks(self) -> list[Hop]:
        """Its workflow tasks."""
        return [hop for hop in self.hops if hop.name == _TASK]

    @property
    def working(self) -> float:
        """Seconds in which at least one activity ran."""
        return _union((hop.started, hop.done) for hop in self.activities if hop.name != WATCH)


async def trace(client: Client, promotion: str, lane: tuple[str, str], since: float, until: float) -> Trace:
    """Read the histories of a promotion and its deployment, and what its lane did between two times."""
    found = Trace()
    for workflow in (names.promotion_workflow(promotion), names.deployment_workflow(promotion)):
        _take_in(found, await _events(client, workflow), since, until)
    _take_in(found, await _chain(client, names.lane_workflow(*lane)), since, until)
    return found


async def trace_one(client: Client, workflow: str) -> Trace:
    """Read one workflow's history."""
    found = Trace()
    _take_in(found, await _events(client, workflow), 0.0, float("inf"))
    return found


async def _chain(client: Client, workflow: str) -> list[HistoryEvent]:
    """The present run and the one before, which it continues."""
    events = await _events(client, workflow)
    before = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    earlier = await _events(client, workflow, before) if before else []
    # Event ids start anew with each run: shift the earlier ones out of the way.
    return [*earlier, *events]


async def _events(client: Client, workflow: str, run: str | None = None) -> list[HistoryEvent]:
    return list((await client.get_workflow_handle(workflow, run_id=run).fetch_history()).events)


def _take_in(found: Trace, events: Sequence[HistoryEvent], since: float, until: float) -> None:
    scheduled: dict[int, tuple[str, str, float]] = {}
    started: dict[int, float] = {}
    for event in events:
        at = _time(event)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            scheduled, started = {}, {}
        if since <= at <= until:
            found.events += 1
            found.bytes += event.ByteSize()
        _follow(found, event, at, scheduled, started, since, until)


def _follow(
    found: Trace,
    event: HistoryEvent,
    at: float,
    scheduled: dict[int, tuple[str, str, float]],
    started: dict[int, float],
    since: float,
    until: float,
) -> None:
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            asked = event.activity_task_scheduled_event_attributes
            scheduled[event.event_id] = (asked.activity_type.name, _target(asked.input.payloads), at)
        case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
            scheduled[event.event_id] = (_TASK, "", at)
        case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started[event.activity_task_started_event_attributes.scheduled_event_id] = at
        case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            started[event.workflow_task_started_event_attributes.scheduled_event_id] = at
        case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED | EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            number = _done_of(event)
            name, target, then = scheduled[number]
            if since <= then <= until:
                found.hops.append(Hop(name, then, started[number], at, target))


def _target(payloads: Sequence[Payload]) -> str:
    asked = json.loads(payloads[0].data) if payloads else None
    return str(asked.get("target", "")) if isinstance(asked, dict) else ""


def _done_of(event: HistoryEvent) -> int:
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        return event.activity_task_completed_event_attributes.scheduled_event_id
    return event.workflow_task_completed_event_attributes.scheduled_event_id


def _time(event: HistoryEvent) -> float:
    return event.event_time.seconds + event.event_time.nanos / 1e9


def _union(spans: Iterable[tuple[float, float]]) -> float:
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
