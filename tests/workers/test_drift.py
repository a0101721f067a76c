"""Drift through the whole system, on targets in memory: the sweep makes the Schedules, and what somebody changed comes back."""

import asyncio

from temporalio.client import Client

from fairlead.adapters import schedules
from fairlead.contracts import names
from fairlead.contracts.messages import INTENT_RECONVERGE
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.states import PromotionState
from fairlead.store import looks, promotions
from tests.workers.running import eventually
from tests.workers.stage import Stage


async def watches(client: Client, environment: str) -> float | None:
    return (await schedules.watches(client)).get(names.drift_watch("shop", environment))


async def swept_until(stage: Stage, environment: str, every: float) -> None:
    async def look() -> bool:
        await stage.sweep()
        return await watches(stage.shop.client, environment) == every

    await eventually(look)


async def left_alone(stage: Stage, environment: str) -> None:
    """Nobody looks at it while other tests run."""
    await stage.change(environment, drift={"every": "1h"})
    await swept_until(stage, environment, 3600.0)


async def test_the_sweep_makes_changes_and_restores_the_schedule_of_an_environment(stage: Stage) -> None:
    environment = await stage.environment(verified=None)
    await swept_until(stage, environment, 300.0)
    await stage.change(environment, drift={"every": "1h"})
    await swept_until(stage, environment, 3600.0)
    await stage.shop.client.get_schedule_handle(names.drift_watch("shop", environment)).delete()
    await swept_until(stage, environment, 3600.0)


async def test_what_somebody_took_away_is_seen_and_put_right_and_believed(stage: Stage) -> None:
    environment = await stage.environment(drift={"policy": "reconverge", "every": "1s"}, approval={"count": 1})
    first, second = (stage.shop.world.named(f"{environment}-{number}") for number in (1, 2))
    first.instances.clear()
    await swept_until(stage, environment, 1.0)

    def asked() -> list[PromotionRecord]:
        with stage.shop.db.session() as s:
            return promotions.of_intent(s, "shop", environment, INTENT_RECONVERGE)

    async def put_right() -> PromotionRecord | None:
        found = await asyncio.to_thread(asked)
        return found[0] if found and found[0].state.is_terminal else None

    row = await eventually(put_right)
    assert (row.state, row.requester, row.detail) == (PromotionState.SUCCEEDED, "fairlead", "")
    assert (first.count("create"), second.count("create")) == (2, 1)
    report = stage.shop.verified(row.id)
    assert report.verified, [finding for finding in report.findings if finding.problems]
    await left_alone(stage, environment)


async def test_where_drift_blocks_a_promotion_waits_until_it_is_put_right_by_hand(stage: Stage) -> None:
    environment = await stage.environment(drift={"policy": "block", "every": "1s"})
    place = stage.shop.world.named(f"{environment}-1")
    place.instances[0].running = False
    await swept_until(stage, environment, 1.0)

    async def drifted() -> bool:
        with stage.shop.db.session() as s:
            return any(look.drift for look in looks.of(s, "shop", environment).values())

    await eventually(drifted)
    promotion = await stage.shop.start("1.1.0", environment)
    await stage.shop.reaches(promotion.id, PromotionState.AWAITING_GATE)
    place.instances[0].running = True
    assert (await stage.shop.ends(promotion)).state is PromotionState.SUCCEEDED
    await left_alone(stage, environment)
