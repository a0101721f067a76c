"""The paths of a promotion, over the real server."""

from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowExecutionStatus

from fairlead.contracts import names
from fairlead.contracts.seals import SealOutcome
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision
from tests.fakes.world import World, verdict
from tests.workflows.bench import APPROVE, Bench, only_decision
from workflows.promotion import PromotionWorkflow

pytestmark = pytest.mark.temporal
NOW = datetime(2030, 1, 1, tzinfo=UTC)


async def test_with_nothing_in_its_way_it_deploys_every_target(bench: Bench, world: World) -> None:
    result = await bench.result(await bench.promote())
    assert result.state is PromotionState.SUCCEEDED
    assert bench.events() == [
        "requested", "evaluating", "evaluated", "queued", "admitted", "evaluated", "deploying", "verifying", "ended",
    ]  # fmt: skip
    assert [world.did("apply", target) for target in ("t1", "t2", "t3")] == [1, 1, 1]
    assert only_decision(world).result == "allow"


async def test_a_denying_gate_rejects_it_and_the_workflow_fails_with_the_result(bench: Bench, world: World) -> None:
    world.verdicts = [verdict("security", Decision.DENY, NOW, Code.VULNERABILITY_BLOCKED, message="CVE-2024-1")]
    kind, result = await bench.failure(await bench.promote())
    assert kind == "rejected"
    assert result["code"] == Code.VULNERABILITY_BLOCKED
    assert only_decision(world).result == "deny"
    assert "votes_opened" not in bench.events()


async def test_why_names_the_gate_that_waits(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    (blocker,) = await handle.query(PromotionWorkflow.why)
    assert (blocker.rule, blocker.code) == ("approval", Code.VOTES_MISSING)


async def test_a_pending_gate_waits_for_a_message(bench: Bench, world: World) -> None:
    world.verdicts = [verdict("security", Decision.PENDING, NOW, Code.REPORT_MISSING)]
    handle = await bench.promote()
    await bench.until_state(PromotionState.AWAITING_GATE)
    world.verdicts = []
    await handle.signal(PromotionWorkflow.reevaluate)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


async def test_what_is_pending_at_the_head_of_the_lane_leaves_it_and_comes_back(bench: Bench, world: World) -> None:
    world.restraints["f1"] = "freeze"
    handle = await bench.promote()
    await bench.until(lambda: "p1" in world.places)
    world.verdicts = [verdict("security", Decision.PENDING, NOW, Code.REPORT_MISSING)]
    del world.restraints["f1"]
    await bench.lane.signal("reevaluate")
    await bench.until(lambda: world.places["p1"].status == "left")
    await bench.until_state(PromotionState.AWAITING_GATE)
    world.verdicts = []
    await handle.signal(PromotionWorkflow.reevaluate)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
    assert bench.events().count("admitted") == 2


async def test_a_freeze_that_came_after_admission_does_not_undo_it(bench: Bench, world: World) -> None:
    world.restraints["f1"] = "freeze"
    handle = await bench.promote()
    await bench.until(lambda: "p1" in world.places)
    world.verdicts = [verdict("freeze", Decision.PENDING, NOW, Code.FROZEN)]
    del world.restraints["f1"]
    await bench.lane.signal("reevaluate")
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
    assert only_decision(world).verdicts == ()


async def test_an_older_release_is_rejected_by_the_lane(bench: Bench, world: World) -> None:
    world.older = {"p1"}
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("rejected", Code.RELEASE_OLDER)


async def test_a_step_that_is_refused_fails_it_with_that_code(bench: Bench, world: World) -> None:
    world.fail("outline", errors=[Refused(Code.TARGET_NOT_FOUND, "gone")])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("failed", Code.TARGET_NOT_FOUND)


async def test_a_database_that_is_away_delays_but_does_not_fail(bench: Bench, world: World) -> None:
    away = Unavailable(Code.DATABASE_UNAVAILABLE, "away")
    world.fail("evaluate", errors=[away, away])
    assert (await bench.result(await bench.promote())).state is PromotionState.SUCCEEDED


async def test_history_that_says_something_else_halts_it(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    subject = names.promotion_subject("p1")
    other = world.events[subject][-1]
    world.events[subject].append(other.model_copy(update={"sequence": other.sequence + 1, "type": "something_else"}))
    await handle.signal("vote", APPROVE)
    assert (await bench.failure(handle))[0] == Code.HISTORY_CONFLICT
    assert world.seals == []


async def test_the_outcome_is_sealed_last_and_once(bench: Bench, world: World) -> None:
    await bench.result(await bench.promote())
    assert [kind for kind, _ in world.seals] == ["decision", "deployment", "outcome"]
    (outcome,) = world.sealed("outcome")
    assert isinstance(outcome, SealOutcome)
    assert outcome.state is PromotionState.SUCCEEDED


async def test_operators_can_search_by_project_environment_release_and_state(bench: Bench) -> None:
    handle = await bench.promote()
    await bench.result(handle)
    found = await handle.describe()
    assert found.status is WorkflowExecutionStatus.COMPLETED
    attributes = {pair.key.name: pair.value for pair in found.typed_search_attributes if "Fairlead" in pair.key.name}
    assert attributes == {
        names.ATTRIBUTE_PROJECT: "shop",
        names.ATTRIBUTE_ENVIRONMENT: "prod",
        names.ATTRIBUTE_RELEASE: "2.0.0",
        names.ATTRIBUTE_STATE: "succeeded",
    }


async def test_a_reset_by_hand_halts_it_at_the_first_event_that_differs(bench: Bench, world: World) -> None:
    world.approvals = 1
    await bench.promote()
    await bench.until_event("evaluated")
    before = bench.events()
    await bench.reset("promotion/p1")
    assert (await bench.failure(bench.promotion()))[0] == Code.HISTORY_CONFLICT
    assert bench.events() == before
    assert world.seals == []


async def test_it_is_told_only_what_it_goes_along_with_and_asks_only_when_told(bench: Bench, world: World) -> None:
    handle = await bench.promote()
    await bench.result(handle)
    events = (await handle.fetch_history()).events
    told = [e.workflow_execution_signaled_event_attributes.signal_name for e in events]
    asked = [e.activity_task_scheduled_event_attributes.activity_type.name for e in events]
    assert [name for name in told if name] == [names.SIGNAL_ADMITTED, names.SIGNAL_PROGRESS]
    assert (asked.count("read_admission"), asked.count("standing")) == (1, 2)
