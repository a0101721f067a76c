"""`Drift`: one look at every target of an environment between deployments; a Schedule of the environment starts it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.activities import DriftActivities, LaneActivities, TargetActivities
from fairlead.contracts.drift import LooksTaken, Sight, Sighted, Watched
from fairlead.contracts.steps import EnvironmentRef, PromotionRef
from workflows.options import HINT, OBSERVE, RECORD

AT_ONCE: Final = 100
"""Targets that are looked at together."""


@workflow.defn(name=names.DRIFT)
class DriftWorkflow:
    """Looks, has the looks judged, and begins what is to put drift right."""

    @workflow.run
    async def run(self, environment: EnvironmentRef) -> Watched:
        """One look; silent while a deployment is under way."""
        watch = await workflow.execute_activity_method(
            DriftActivities.plan_looks, environment, summary="Read what to look at", **RECORD
        )
        if not watch.targets:
            return Watched(silent=True)
        seen = await self._look(environment, watch.targets)
        taken = LooksTaken(
            project=environment.project,
            environment=environment.environment,
            time=workflow.now(),
            number=watch.number,
            seen=seen,
        )
        watched = await workflow.execute_activity_method(
            DriftActivities.judge_looks, taken, summary="Compare with what was verified", **RECORD
        )
        await self._act(environment, watched)
        return watched

    async def _look(self, environment: EnvironmentRef, targets: Sequence[str]) -> tuple[Sighted, ...]:
        seen: list[Sighted] = []
        for start in range(0, len(targets), AT_ONCE):
            seen += await asyncio.gather(*(self._sight(environment, t) for t in targets[start : start + AT_ONCE]))
        return tuple(seen)

    async def _sight(self, environment: EnvironmentRef, target: str) -> Sighted:
        request = Sight(
            project=environment.project, environment=environment.environment, target=target, time=workflow.now()
        )
        return await workflow.execute_activity_method(
            TargetActivities.look, request, summary=f"Look at {target}", **OBSERVE
        )

    async def _act(self, environment: EnvironmentRef, watched: Watched) -> None:
        if watched.reconverge:
            summary = f"Begin promotion {watched.reconverge}, which puts right what drifted"
            begun = PromotionRef(promotion=watched.reconverge)
            await workflow.execute_activity_method(DriftActivities.begin, begun, summary=summary, **RECORD)
        if watched.changed:
            what = "Tell open promotions that drift came or went"
            await workflow.execute_activity_method(LaneActivities.poke, environment, summary=what, **HINT)
