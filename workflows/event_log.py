"""The events of one subject: numbered here, appended one at a time, halted for good where history says something else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from fairlead.contracts.activities import HistoryActivities
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from workflows.failures import Failure, read_failure, refusal
from workflows.options import RECORD

T = TypeVar("T")


class EventLog:
    """Whoever makes the subject's row writes event 0; all that follow come through here."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._next = 1
        self._lock = asyncio.Lock()
        self.conflict: Failure | None = None

    async def append(
        self,
        type: str,
        *,
        state: str | None = None,
        code: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Record the next event."""

        async def record(sequence: int) -> None:
            event = Append(
                subject=self._subject,
                sequence=sequence,
                type=type,
                time=workflow.now(),
                code=code,
                data=data or {},
                state=state,
            )
            await workflow.execute_activity_method(
                HistoryActivities.append, event, summary=f"Record {type} ({sequence})", **RECORD
            )

        await self.recorded_by(record)

    async def recorded_by(self, step: Callable[[int], Awaitable[T]]) -> T:
        """Let a step record the next event itself, with the sequence it is given."""
        async with self._lock:
            if self.conflict:
                raise refusal(self.conflict)
            try:
                result = await step(self._next)
            except ActivityError as error:
                failure = read_failure(error)
                if failure.code == Code.HISTORY_CONFLICT:
                    self.conflict = failure
                raise
            self._next += 1
            return result
