"""`Logs`: has a worker read what runs on a target into the store, for whoever cannot reach targets."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy

from fairlead.contracts import names
from fairlead.contracts.activities import TargetActivities
from fairlead.contracts.logs import LogsRead, ReadLogs
from workflows.options import Options

ONCE: Final = Options(
    task_queue=names.QUEUE_TARGETS,
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(maximum_attempts=1),
)
"""Somebody waits for the answer, and asks again if there is none."""


@workflow.defn(name=names.LOGS)
class LogsWorkflow:
    """One read; its result says what was read, never the lines."""

    @workflow.run
    async def run(self, request: ReadLogs) -> LogsRead:
        """Read once."""
        what = f"Read the last lines of {request.component or 'everything'} on {request.target}"
        return await workflow.execute_activity_method(TargetActivities.read_logs, request, summary=what, **ONCE)
