"""Saves a history of every kind of workflow and ending, for the replay tests: `python -m tests.workflows.save_histories WORD`.

Run it when a change to workflows is meant to change histories. WORD, of the change, ends the names of the new ones, so that the old ones stay.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client

from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.checks import CheckTarget
from fairlead.contracts.drift import Watched
from fairlead.contracts.forecasts import ForecastTarget
from fairlead.contracts.logs import ReadLogs
from fairlead.contracts.messages import CancelRequest, LaneRequest, RestraintRequest
from fairlead.contracts.release import PlannedTarget
from fairlead.contracts.steps import EnvironmentRef
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision
from tests.fakes.world import World, verdict
from tests.fixtures.temporal import fresh_client, local_server
from tests.workflows import histories_by_hand as by_hand
from tests.workflows.bench import APPROVE, Bench, a_promotion, working
from tests.workflows.histories_by_hand import Scenario
from workflows.check import CheckWorkflow
from workflows.drift import DriftWorkflow
from workflows.forecast import ForecastWorkflow
from workflows.lane import LaneWorkflow
from workflows.logs import LogsWorkflow
from workflows.promotion import PromotionWorkflow
from workflows.reconcile import ReconcileWorkflow

FOLDER = Path(__file__).parent / "histories"
PLACES = {"identity", "stackTrace", "binaryChecksum", "buildId", "sdkVersion", "workerInstanceKey"}
"""What says where a history was made, or with what: left out."""


async def voted(bench: Bench, world: World) -> dict[str, str]:
    """An unsigned vote is refused, two count, and it goes through."""
    world.approvals = 2
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("vote", {"choice": "approve"})
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    await handle.signal("vote", {"signed_by": "cleo", "choice": "approve"})
    await bench.result(handle)
    await bench.until(lambda: world.places["p1"].status == "done")
    return {"promotion_succeeded": "promotion/p1", "deployment_succeeded": "deployment/p1", "lane": "lane/shop/prod"}


async def at_once(bench: Bench, world: World) -> dict[str, str]:
    """All targets in one wave, whose events are recorded together."""
    world.waves = (("t1", "t2", "t3"),)
    await bench.result(await bench.promote())
    return {"deployment_at_once": "deployment/p1"}


async def rolled_back(bench: Bench, world: World) -> dict[str, str]:
    """The second wave is not healthy; there was nothing before on the first target."""
    world.fail("settle", "t2", errors=[Refused(Code.UNHEALTHY, "it answers 500")])
    await bench.failure(await bench.promote())
    return {
        "promotion_rolled_back": "promotion/p1",
        "deployment_rolled_back": "deployment/p1",
        "deployment_rollback": "deployment/p1.rollback",
    }


async def rejected(bench: Bench, world: World) -> dict[str, str]:
    """A gate waits, then denies."""
    long_ago = a_promotion().requested_at
    world.verdicts = [verdict("security", Decision.PENDING, long_ago, Code.REPORT_MISSING)]
    handle = await bench.promote()
    await bench.until_state(PromotionState.AWAITING_GATE)
    world.verdicts = [verdict("security", Decision.DENY, long_ago, Code.VULNERABILITY_BLOCKED)]
    await handle.signal(PromotionWorkflow.reevaluate)
    await bench.failure(handle)
    return {"promotion_rejected": "promotion/p1"}


async def cancelled(bench: Bench, world: World) -> dict[str, str]:
    """Cancelled in the middle of its deployment."""
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await handle.execute_update(PromotionWorkflow.cancel, CancelRequest(actor="bob"))
    pause.released.set()
    await bench.failure(handle)
    return {"promotion_cancelled": "promotion/p1", "deployment_cancelled": "deployment/p1"}


async def terminated(bench: Bench, world: World) -> dict[str, str]:
    """Its deployment is terminated by hand."""
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().terminate("by hand")
    await bench.failure(handle)
    return {"promotion_failed": "promotion/p1"}


async def restrained(bench: Bench, world: World) -> dict[str, str]:
    """A freeze, a second in the queue that leaves, a thaw; and a lane that goes on as a new run."""
    lane = await bench.start_lane()
    await lane.execute_update(LaneWorkflow.freeze, RestraintRequest(request="f1", actor="ana", reason="audit"))
    first = await bench.promote("p1")
    await bench.until(lambda: "p1" in world.places)
    second = await bench.promote("p2")
    await bench.until(lambda: "p2" in world.places)
    await second.execute_update(PromotionWorkflow.cancel, CancelRequest(actor="bob"))
    await bench.failure(second)
    await lane.execute_update(LaneWorkflow.thaw, RestraintRequest(request="t1", actor="ana"))
    await bench.result(first)
    before = (await lane.describe()).run_id
    for each in range(120):
        world.request(a_promotion(f"x{each}"))
        await lane.execute_update(LaneWorkflow.enter, LaneRequest(promotion=f"x{each}", request=f"enter/{each}"))
    return {"promotion_queued": "promotion/p1", "lane_continued": f"lane/shop/prod {before}"}


async def reconciled(bench: Bench, world: World) -> dict[str, str]:
    """A row without a workflow."""
    world.request(a_promotion())
    await bench.client.execute_workflow(ReconcileWorkflow.run, id="reconcile", task_queue=names.QUEUE_CONTROL)
    return {"reconcile": "reconcile"}


async def drifted(bench: Bench, world: World) -> dict[str, str]:
    """A look that finds nothing, one that has something put right, and one that is silent."""
    world.request(a_promotion())
    found = Watched(drifted=("t1",), changed=("t1",), reconverge="p1")
    looks = {"drift": Watched(), "drift_found": found, "drift_silent": Watched()}
    for id, world.look_comes_to in looks.items():
        world.watched_targets = () if id == "drift_silent" else ("t1", "t2")
        prod = EnvironmentRef(project="shop", environment="prod")
        await bench.client.execute_workflow(DriftWorkflow.run, prod, id=id, task_queue=names.QUEUE_CONTROL)
    await bench.result(bench.promotion())
    return {id: id for id in looks}


async def heard(bench: Bench, world: World) -> dict[str, str]:
    """What runs on a target is read."""
    request = ReadLogs(project="shop", target="t1")
    await bench.client.execute_workflow(LogsWorkflow.run, request, id="logs", task_queue=names.QUEUE_CONTROL)
    return {"logs": "logs"}


async def checked(bench: Bench, world: World) -> dict[str, str]:
    """A target is asked whether it is fit."""
    request = CheckTarget(project="shop", target="t1")
    await bench.client.execute_workflow(CheckWorkflow.run, request, id="check", task_queue=names.QUEUE_CONTROL)
    return {"check": "check"}


async def forecast(bench: Bench, world: World) -> dict[str, str]:
    """A target is asked what a plan would change there."""
    digest = digest_of("a plan")
    target = PlannedTarget(name="t1", type="process_host", wave=0, components=())
    request = ForecastTarget(
        project="shop", environment="prod", release=digest, plan=digest, healthy_deadline=60.0, target=target
    )
    await bench.client.execute_workflow(ForecastWorkflow.run, request, id="forecast", task_queue=names.QUEUE_CONTROL)
    return {"forecast": "forecast"}


SCENARIOS: tuple[Scenario, ...] = (
    *(
        voted,
        at_once,
        rolled_back,
        rejected,
        cancelled,
        terminated,
        restrained,
        reconciled,
        drifted,
        heard,
        checked,
        forecast,
    ),
    *by_hand.SCENARIOS,
)


async def save_all(word: str) -> None:
    """Run every scenario on a server of our own."""
    environment = await local_server()
    try:
        for scenario in SCENARIOS:
            await _save(await fresh_client(environment.client.service_client.config.target_host), scenario, word)
    finally:
        await environment.shutdown()


async def _save(client: Client, scenario: Scenario, word: str) -> None:
    world = World()
    async with working(client, world) as bench:
        for name, workflow in (await scenario(bench, world)).items():
            id, _, run = workflow.partition(" ")
            history = await client.get_workflow_handle(id, run_id=run or None).fetch_history()
            events = [
                json.dumps(_placeless(event), sort_keys=True) for event in json.loads(history.to_json())["events"]
            ]
            (FOLDER / f"{name}.{word}.json").write_text('{"events": [\n' + ",\n".join(events) + "\n]}\n")
            sys.stderr.write(f"{name}: {len(history.events)} events\n")


def _placeless(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("kind") == "TASK_QUEUE_KIND_STICKY":
            value = value | {"name": "sticky"}
        return {key: _placeless(inner) for key, inner in value.items() if key not in PLACES}
    return [_placeless(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(save_all(sys.argv[1]))
