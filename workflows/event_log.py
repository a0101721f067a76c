"""The events of one subject: numbered here, appended in order, halted for good where history says something else."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from fairlead.contracts.activities import HistoryActivities
from fairlead.contracts.steps import Append, AppendAll
from fairlead.domain.codes import Code
from workflows.failures import Failure, read_failure, refusal
from workflows.options import RECORD

T = TypeVar("T")

MOST_TOGETHER: Final = 50
"""Many targets change at once; what one step records must stay far from its time limit."""


class EventLog:
    """Whoever makes the subject's row writes event 0; all that follow come through here."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._next = 1
        self._lock = asyncio.Lock()
        self._waiting: list[Append] = []
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
            event = self._event(type, state=state, code=code, data=data)
            await _record([event.model_copy(update={"sequence": sequence})])

        await self.recorded_by(record)

    async def append_with_others(self, type: str, *, code: str | None = None, data: dict[str, Any]) -> None:
        """Record an event in one step with those that others want to record by then; returns when it is recorded."""
        if not workflow.patched("record-together"):
            await self.append(type, code=code, data=data)
            return
        event = self._event(type, code=code, data=data)
        self._waiting.append(event)
        await asyncio.sleep(0)  # whoever else is about to record something gets it in
        async with self._lock:
            if any(other is event for other in self._waiting):
                await self._record_waiting(event)

    async def recorded_by(self, step: Callable[[int], Awaitable[T]]) -> T:
        """Let a step record the next event itself, with the sequence it is given."""
        async with self._lock:
            return await self._recorded(step, 1)

    async def _record_waiting(self, event: Append) -> None:
        """Take the others along. Where that fails each of them tries, and fails, for itself."""
        batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]

        async def record(sequence: int) -> None:
            await _record([e.model_copy(update={"sequence": sequence + n}) for n, e in enumerate(batch)])

        try:
            await self._recorded(record, len(batch))
        except BaseException:
            self._waiting = [*(other for other in batch if other is not event), *self._waiting]
            raise

    async def _recorded(self, step: Callable[[int], Awaitable[T]], count: int) -> T:
        """To be called with the lock held."""
        if self.conflict:
            raise refusal(self.conflict)
        try:
            result = await step(self._next)
        except ActivityError as error:
            failure = read_failure(error)
            if failure.code == Code.HISTORY_CONFLICT:
                self.conflict = failure
            raise
        self._next += count
        return result

    def _event(
        self, type: str, *, state: str | None = None, code: str | None = None, data: dict[str, Any] | None = None
    ) -> Append:
        """An event of now, that has no number yet."""
        return Append(
            subject=self._subject,
            sequence=0,
            type=type,
            time=workflow.now(),
            code=code,
            data=data or {},
            state=state,
        )


async def _record(events: Sequence[Append]) -> None:
    first, last = events[0], events[-1]
    if first is last:
        what = f"Record {first.type} ({first.sequence})"
        await workflow.execute_activity_method(HistoryActivities.append, first, summary=what, **RECORD)
        return
    what = f"Record {len(events)} events ({first.sequence}-{last.sequence})"
    together = AppendAll(events=tuple(events))
    await workflow.execute_activity_method(HistoryActivities.append_all, together, summary=what, **RECORD)
