"""Phases of a promotion's life, for hands: each sets a stage on which one stands still there."""

from collections.abc import Awaitable, Callable

from fairlead.domain.states import PromotionState
from fairlead.store import lanes
from tests.activities.shop import ROLLING
from tests.workers.running import eventually
from tests.workers.stage import Scene, Stage

Phase = Callable[[Stage], Awaitable[Scene]]


async def awaiting_gate(stage: Stage) -> Scene:
    """Frozen out."""
    environment = await stage.environment(verified=None)
    await stage.shop.restrain("freeze", environment)
    scene = Scene(environment, await stage.request(environment))
    await stage.start(scene.promotion)
    await stage.shop.reaches(scene.id, PromotionState.AWAITING_GATE)
    return scene


async def awaiting_approval(stage: Stage) -> Scene:
    """Two votes are missing."""
    environment = await stage.environment(verified=None, approval={"count": 2})
    scene = Scene(environment, await stage.request(environment))
    await stage.start(scene.promotion)
    await stage.shop.reaches(scene.id, PromotionState.AWAITING_APPROVAL)
    return scene


async def held_at_the_head(stage: Stage) -> Scene:
    """First in the queue, where a hold keeps it."""
    environment = await stage.environment(verified=None)
    await stage.shop.restrain("hold", environment)
    scene = Scene(environment, await stage.request(environment))
    await stage.start(scene.promotion)
    await _is_queued(stage, scene)
    return scene


async def frozen_at_the_head(stage: Stage) -> Scene:
    """First in the queue, where a freeze keeps it that came later."""
    scene = await held_at_the_head(stage)
    await stage.shop.restrain("freeze", scene.environment)
    await stage.shop.restrain("resume", scene.environment)
    return scene


async def queued_behind(stage: Stage) -> Scene:
    """Behind another one that is deploying."""
    first = await deploying(stage)
    scene = Scene(first.environment, await stage.request(first.environment), other=first.promotion, hold=first.hold)
    await stage.start(scene.promotion)
    await _is_queued(stage, scene)
    return scene


async def deploying(stage: Stage) -> Scene:
    """1.1.0 runs on the first target and is being watched there; nothing has been done on the second."""
    return await stage.run_to(await stage.environment(), "deployment", "settle", "observe")


async def verifying(stage: Stage) -> Scene:
    """1.1.0 runs on both targets, and one is being looked at."""
    return await stage.run_to(await stage.environment(), "deployment", "observe", "observe")


async def rolling_back(stage: Stage) -> Scene:
    """1.1.0 is broken; the rollback has claimed the first target, and changed nothing yet."""
    environment = await stage.environment(config={"env": {"BROKEN": "1"}}, strategy=ROLLING)
    return await stage.run_to(environment, "rollback", "apply", "after_claim")


async def sealing_the_outcome(stage: Stage) -> Scene:
    """It has succeeded, which is sealed and not recorded yet."""
    return await stage.run_to(await stage.environment(verified=None), "promotion", "seal_outcome", "after_seal")


async def over(stage: Stage) -> Scene:
    """It has succeeded."""
    environment = await stage.environment(verified=None)
    scene = Scene(environment, await stage.shop.start("1.1.0", environment))
    await stage.shop.ends(scene.promotion)
    return scene


async def _is_queued(stage: Stage, scene: Scene) -> None:
    async def look() -> bool:
        with stage.shop.db.session() as s:
            place = lanes.get(s, scene.id)
            return place is not None and place.status == lanes.WAITING

    await eventually(look)
