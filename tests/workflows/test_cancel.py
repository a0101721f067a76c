"""A cancel in each phase of a promotion, from the API, from a bot, and by hand in Temporal."""

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from fairlead.contracts import names
from fairlead.contracts.messages import CancelRequest
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.states import DeploymentState, PromotionState
from tests.fakes.world import World
from tests.workflows.bench import Bench
from workflows.promotion import PromotionWorkflow

pytestmark = pytest.mark.temporal
BY_BOB = CancelRequest(actor="bob", reason="wrong one")


async def status(bench: Bench, workflow: str) -> WorkflowExecutionStatus | None:
    return (await bench.client.get_workflow_handle(workflow).describe()).status


async def test_while_it_waits_for_votes(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    answer = await handle.execute_update(PromotionWorkflow.cancel, BY_BOB)
    assert answer.actor == "bob"
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert bench.events()[-2:] == ["cancel_accepted", "ended"]
    assert world.states["p1"] is PromotionState.CANCELLED
    assert [kind for kind, _ in world.seals] == ["decision", "outcome"]


async def test_a_signed_envelope_as_raw_signal(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("cancel", {"signed_by": "ana", "choice": "cancel"})
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert world.event(names.promotion_subject("p1"), "cancel_accepted").actor == "ana"


async def test_an_unsigned_signal_cancels_nothing(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("cancel", BY_BOB)
    await bench.until_event("cancel_refused")
    assert world.states["p1"] is PromotionState.AWAITING_APPROVAL


async def test_natively_in_temporal_it_is_recorded_once(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.cancel()
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert bench.events().count("cancel_accepted") == 1
    assert world.event(names.promotion_subject("p1"), "cancel_accepted").data["via"] == "temporal"


async def test_while_it_is_queued_it_leaves_the_lane(bench: Bench, world: World) -> None:
    world.restraints["f1"] = "freeze"
    handle = await bench.promote()
    await bench.until_state(PromotionState.QUEUED)
    await handle.execute_update(PromotionWorkflow.cancel, BY_BOB)
    assert (await bench.failure(handle))[0] == "CancelledError"
    await bench.until(lambda: world.places["p1"].status == "left")


async def test_while_it_is_prepared_nothing_changes(bench: Bench, world: World) -> None:
    pause = world.pause("prepare", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await handle.execute_update(PromotionWorkflow.cancel, BY_BOB)
    await bench.until(lambda: "cancel_accepted" in bench.events())
    await signal_arrived(bench)
    pause.released.set()
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert world.did("apply", "t1") == 0
    assert set(world.deployments["p1"].tasks.values()) == {"cancelled"}
    assert world.restraints == {}


async def test_while_it_deploys_what_is_in_flight_finishes_and_goes_back(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t2")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await handle.execute_update(PromotionWorkflow.cancel, BY_BOB)
    await signal_arrived(bench)
    pause.released.set()
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert (world.did("settle", "t2"), world.did("apply", "t3")) == (1, 0)
    assert (world.did("apply", "back", "t1"), world.did("apply", "back", "t2")) == (1, 1)
    assert world.states["p1"] is PromotionState.CANCELLED
    assert "hold-p1" in world.restraints
    assert world.deployments["p1.rollback"].state is DeploymentState.SUCCEEDED


async def test_while_it_rolls_back_it_changes_nothing(bench: Bench, world: World) -> None:
    world.fail("settle", "t1", errors=[Refused(Code.UNHEALTHY, "500")])
    pause = world.pause("apply", "back", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await handle.execute_update(PromotionWorkflow.cancel, BY_BOB)
    pause.released.set()
    assert (await bench.failure(handle))[0] == "rolled_back"
    assert "cancel_accepted" in bench.events()


async def test_of_the_deployment_by_hand_is_one_of_its_promotion(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().cancel()
    pause.released.set()
    assert (await bench.failure(handle))[0] == "CancelledError"
    assert await status(bench, "deployment/p1") is WorkflowExecutionStatus.CANCELED
    assert await status(bench, "promotion/p1") is WorkflowExecutionStatus.CANCELED
    assert world.states["p1"] is PromotionState.CANCELLED


async def test_what_is_neither_request_nor_envelope_is_refused(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PromotionWorkflow.cancel, "please")
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == Code.VOTE_MALFORMED


async def signal_arrived(bench: Bench) -> None:
    """The promotion has passed the cancel on: its deployment's history has the signal."""
    history = None
    while not history or not any(e.HasField("workflow_execution_signaled_event_attributes") for e in history.events):
        history = await bench.deployment().fetch_history()
