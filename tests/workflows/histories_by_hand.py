"""Scenarios for saved histories: the endings that hands, time and refusals bring about."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from fairlead.contracts import names
from fairlead.contracts.messages import CancelRequest
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision
from tests.fakes.world import World, verdict
from tests.workflows.bench import APPROVE, Bench, a_promotion
from workflows.promotion import PromotionWorkflow
from workflows.reconcile import ReconcileWorkflow

Scenario = Callable[[Bench, World], Awaitable[dict[str, str]]]
"""Does something, and answers which histories to save: name of the file to workflow id, with a run id where it is not the last."""

LANE = "lane/shop/prod"


async def expired(bench: Bench, world: World) -> dict[str, str]:
    """A gate never allows."""
    world.verdicts = [verdict("security", Decision.PENDING, a_promotion().requested_at, Code.REPORT_MISSING)]
    await bench.failure(await bench.promote(expires_in=timedelta(seconds=3)))
    return {"promotion_expired": "promotion/p1"}


async def cancelled_early(bench: Bench, world: World) -> dict[str, str]:
    """While it waits for votes: one by update, one natively."""
    world.approvals = 1
    for promotion in ("p1", "p2"):
        await bench.promote(promotion)
        await bench.until_event("evaluated", promotion)
    await bench.promotion("p1").execute_update(PromotionWorkflow.cancel, CancelRequest(actor="bob"))
    await bench.promotion("p2").cancel()
    for promotion in ("p1", "p2"):
        await bench.failure(bench.promotion(promotion))
    return {"promotion_cancelled_early": "promotion/p1", "promotion_cancelled_natively": "promotion/p2"}


async def reset_waiting(bench: Bench, world: World) -> dict[str, str]:
    """A promotion that is reset halts at the first event that differs."""
    world.approvals = 1
    await bench.promote()
    await bench.until_event("evaluated")
    await bench.reset("promotion/p1")
    await bench.failure(bench.promotion())
    return {"promotion_reset": "promotion/p1"}


async def terminated_waiting(bench: Bench, world: World) -> dict[str, str]:
    """A promotion that is terminated, and the sweep that ends it."""
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.terminate("by hand")
    last = 0
    while not world.states["p1"].is_terminal:
        last += 1
        sweep = f"reconcile/{last}"
        await bench.client.execute_workflow(ReconcileWorkflow.run, id=sweep, task_queue=names.QUEUE_CONTROL)
    return {"promotion_terminated": "promotion/p1", "reconcile_ended": f"reconcile/{last}"}


async def refused_before(bench: Bench, world: World) -> dict[str, str]:
    """Nothing was changed where something could not be prepared."""
    world.fail("prepare", "t1", errors=[Refused(Code.PORT_TAKEN, "8080")])
    await bench.failure(await bench.promote())
    return {"promotion_refused": "promotion/p1", "deployment_failed": "deployment/p1"}


async def reset_deploying(bench: Bench, world: World) -> dict[str, str]:
    """A deployment that is reset, and its promotion."""
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.reset("deployment/p1")
    await bench.failure(handle)
    return {"promotion_of_reset_deployment": "promotion/p1", "deployment_reset": "deployment/p1"}


async def cancelled_deploying(bench: Bench, world: World) -> dict[str, str]:
    """A deployment that is cancelled by hand, and its promotion."""
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().cancel()
    pause.released.set()
    await bench.failure(handle)
    return {
        "promotion_of_cancelled_deployment": "promotion/p1",
        "deployment_cancelled_natively": "deployment/p1",
    }


async def terminated_going_back(bench: Bench, world: World) -> dict[str, str]:
    """A deployment that is terminated while its rollback is at work."""
    world.fail("settle", "t1", errors=[Refused(Code.UNHEALTHY, "500")])
    pause = world.pause("apply", "back", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().terminate("by hand")
    pause.released.set()
    await bench.failure(handle)
    return {"promotion_outlives_rollback": "promotion/p1", "deployment_terminated": "deployment/p1"}


async def stood_aside(bench: Bench, world: World) -> dict[str, str]:
    """What is pending at the head of the lane leaves it, comes back, and votes of another plan start anew."""
    world.approvals = 1
    world.restraints["f1"] = "freeze"
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    await bench.until(lambda: "p1" in world.places)
    world.verdicts = [verdict("security", Decision.PENDING, a_promotion().requested_at, Code.REPORT_MISSING)]
    del world.restraints["f1"]
    await bench.lane.signal("reevaluate")
    await bench.until_state(PromotionState.AWAITING_GATE)
    world.verdicts = []
    await handle.signal(PromotionWorkflow.reevaluate)
    await bench.result(handle)
    return {"promotion_stood_aside": "promotion/p1"}


async def lane_by_hand(bench: Bench, world: World) -> dict[str, str]:
    """A lane that is reset, then cancelled, with somebody in the place."""
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.reset(LANE)
    reset = (await bench.lane.describe()).run_id
    pause.released.set()
    await bench.result(handle)
    await bench.until(lambda: world.places["p1"].status == "done")
    await bench.lane.cancel()
    await bench.failure(bench.lane)
    return {"lane_reset_and_cancelled": f"{LANE} {reset}"}


SCENARIOS: tuple[Scenario, ...] = (
    *(expired, cancelled_early, reset_waiting, terminated_waiting, refused_before, reset_deploying),
    *(cancelled_deploying, terminated_going_back, stood_aside, lane_by_hand),
)
