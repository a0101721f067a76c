"""The work on the targets of one deployment: prepared everywhere first, then changed wave by wave, then looked at."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from fairlead.contracts.activities import TargetActivities
from fairlead.contracts.steps import Observe, Observed, Outline, OutlineTarget, SettleInput, TaskInput
from fairlead.domain.codes import Code
from fairlead.domain.states import TaskState
from workflows.event_log import EventLog
from workflows.failures import Failure, is_outage, read_failure
from workflows.options import CHANGE, OBSERVE, PREPARE, Options

A = TypeVar("A")
R = TypeVar("R")


class Rollout:
    """Each task's state is recorded as it changes. `failure` is the first one."""

    def __init__(self, outline: Outline, log: EventLog) -> None:
        self._outline = outline
        self._log = log
        self._tasks = {target.target: TaskState.PENDING for target in outline.targets}
        self._touched: list[str] = []
        self.failure: Failure | None = None

    @property
    def touched(self) -> tuple[str, ...]:
        """Where a change may have been made."""
        return tuple(self._touched)

    @property
    def targets(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._tasks)

    async def prepare(self) -> None:
        """Pull and verify on all targets at once, before the first change."""
        await asyncio.gather(*(self._prepare(target) for target in self._outline.targets if not target.retire))

    async def change(self, may_go_on: Callable[[], bool]) -> None:
        """Change wave by wave; what is in flight finishes, and before each wave it is asked whether to go on."""
        for _, wave in groupby(sorted(self._outline.targets, key=_wave), key=_wave):
            if not may_go_on():
                return
            await asyncio.gather(*(self._change(target) for target in wave if self._is_pending(target.target)))

    async def leave_rest(self, state: TaskState, code: str | None = None) -> None:
        """What has not been begun will not be."""
        for target in filter(self._is_pending, self.targets):
            await self._set(target, state, Failure(code) if code else None)

    async def observe(self, targets: Iterable[str]) -> tuple[Observed, ...]:
        """Look at these targets at once."""
        return tuple(await asyncio.gather(*(self._observe(target) for target in targets)))

    async def _prepare(self, target: OutlineTarget) -> None:
        summary = f"Prepare {target.target} for {target.release}"
        failure = await self._attempt(TargetActivities.prepare, self._task(target), summary, PREPARE)
        if failure:
            await self._fail(target.target, TaskState.FAILED, failure)

    async def _change(self, target: OutlineTarget) -> None:
        name = target.target
        await self._set(name, TaskState.RUNNING)
        self._touched.append(name)
        failure = await (self._retire(target) if target.retire else self._apply(target))
        if failure is None:
            await self._set(name, TaskState.SUCCEEDED)
        else:
            timed_out = failure.code == Code.TIMED_OUT
            await self._fail(name, TaskState.TIMED_OUT if timed_out else TaskState.FAILED, failure)

    async def _apply(self, target: OutlineTarget) -> Failure | None:
        """Make it run, then see it hold."""
        settle = SettleInput(
            deployment=self._outline.deployment,
            target=target.target,
            min_healthy_time=self._outline.min_healthy_time,
            deadline=self._outline.healthy_deadline,
        )
        applying = f"Bring {target.release} to {target.target}"
        settling = f"See {target.target} stay healthy for {settle.min_healthy_time:g} s"
        return await self._attempt(TargetActivities.apply, self._task(target), applying, CHANGE) or await self._attempt(
            TargetActivities.settle, settle, settling, CHANGE
        )

    async def _retire(self, target: OutlineTarget) -> Failure | None:
        what = "Hand over what runs on" if target.hand_over else "Take down what was made on"
        summary = f"{what} {target.target}"
        return await self._attempt(TargetActivities.retire, self._task(target), summary, CHANGE)

    async def _observe(self, target: str) -> Observed:
        request = Observe(deployment=self._outline.deployment, target=target, time=workflow.now())
        return await workflow.execute_activity_method(
            TargetActivities.observe, request, summary=f"Observe {target}", **OBSERVE
        )

    async def _attempt(
        self, step: Callable[[TargetActivities, A], None], request: A, summary: str, options: Options
    ) -> Failure | None:
        """Do a step; how it failed, if it did. That our own machinery was away is no failure of it."""
        while True:
            try:
                await workflow.execute_activity_method(step, request, summary=summary, **options)
            except ActivityError as error:
                if not is_outage(error):
                    return read_failure(error)
            else:
                return None

    async def _fail(self, target: str, state: TaskState, failure: Failure) -> None:
        self.failure = self.failure or Failure(failure.code, f"{target}: {failure.detail}")
        await self._set(target, state, failure)

    async def _set(self, target: str, state: TaskState, failure: Failure | None = None) -> None:
        self._tasks[target] = state
        data: dict[str, Any] = {"target": target, "state": str(state)}
        if failure:
            data |= {"code": failure.code, "detail": failure.detail}
        await self._log.append_with_others("task", code=failure.code if failure else None, data=data)

    def _is_pending(self, target: str) -> bool:
        return self._tasks[target] is TaskState.PENDING

    def _task(self, target: OutlineTarget) -> TaskInput:
        return TaskInput(deployment=self._outline.deployment, target=target.target)


def _wave(target: OutlineTarget) -> int:
    return target.wave
