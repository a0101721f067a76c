"""How activities are tried: their timeouts, heartbeats and retries. None has a schedule-to-close timeout: an outage fails nothing by itself."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy

from fairlead.contracts.names import QUEUE_TARGETS


class Options(TypedDict, total=False):
    """The part of an activity's options that we name."""

    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


HEARTBEAT: Final = timedelta(seconds=3)
_UNTIL_DONE: Final = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))


def _tries(count: int) -> RetryPolicy:
    return RetryPolicy(maximum_interval=timedelta(seconds=10), maximum_attempts=count)


RECORD: Final = Options(start_to_close_timeout=timedelta(seconds=10), retry_policy=_UNTIL_DONE)
"""Read, judge, record, seal, send: must come about, however long the database or Temporal is away. Short work without heartbeats, so
its time limit is also how long a killed worker goes unnoticed; the slowest of it was measured at a quarter of a second."""
HINT: Final = Options(start_to_close_timeout=timedelta(seconds=30), retry_policy=_tries(3))
"""Good to send; timers do without."""
WATCH: Final = Options(start_to_close_timeout=timedelta(days=1), heartbeat_timeout=HEARTBEAT, retry_policy=_UNTIL_DONE)
PREPARE: Final = Options(
    task_queue=QUEUE_TARGETS,
    start_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_tries(3),
)
CHANGE: Final = Options(
    task_queue=QUEUE_TARGETS,
    start_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_tries(10),
)
OBSERVE: Final = Options(
    task_queue=QUEUE_TARGETS,
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_UNTIL_DONE,
)
"""A target that cannot be reached is an answer, so only our own machinery is waited for."""
ASK: Final = Options(
    task_queue=QUEUE_TARGETS,
    start_to_close_timeout=timedelta(seconds=25),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_tries(1),
)
"""Somebody waits for the answer, and asks again if there is none."""
ABANDON: Final = Options(start_to_close_timeout=timedelta(minutes=5), retry_policy=_UNTIL_DONE)
