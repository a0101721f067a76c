"""What a deployment does where targets fail, and where somebody ends it by hand."""

import pytest

from fairlead.contracts import names
from fairlead.contracts.seals import SealDeployment
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Refused, Unavailable
from fairlead.domain.states import DeploymentState, PromotionState, TaskState
from tests.fakes.world import World
from tests.workflows.bench import Bench

pytestmark = pytest.mark.temporal
UNHEALTHY = Refused(Code.UNHEALTHY, "it answers 500")


async def test_a_failing_first_wave_touches_no_other_and_goes_back(bench: Bench, world: World) -> None:
    world.fail("settle", "t1", errors=[UNHEALTHY])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("rolled_back", Code.UNHEALTHY)
    assert (world.did("apply", "t2"), world.did("apply", "t3")) == (0, 0)
    assert world.deployments["p1"].tasks == {
        "t1": TaskState.FAILED,
        "t2": TaskState.SKIPPED,
        "t3": TaskState.SKIPPED,
    }
    assert world.did("apply", "back", "t1") == 1
    assert world.restraints == {"hold-p1": "hold"}
    assert "rolling_back" in bench.events()


async def test_what_many_targets_do_at_once_is_recorded_together_and_in_order(bench: Bench, world: World) -> None:
    world.waves = (tuple(f"t{n}" for n in range(12)),)
    await bench.result(await bench.promote())
    tasks = [event for event in world.events["deployment/p1"] if event.type == "task"]
    assert [event.data["target"] for event in tasks[:12]] == list(world.waves[0])
    assert {event.data["state"] for event in tasks[:12]} == {"running"}
    assert world.deployments["p1"].tasks == dict.fromkeys(world.waves[0], TaskState.SUCCEEDED)
    history = await bench.deployment().fetch_history()
    names = [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
    assert "append_all" in names
    assert names.count("append") + names.count("append_all") < len(world.events["deployment/p1"]) - 10


async def test_where_history_says_something_else_all_that_would_be_recorded_together_halts(
    bench: Bench, world: World
) -> None:
    world.waves = (("t1", "t2", "t3"),)
    pauses = [world.pause("apply", target) for target in world.waves[0]]
    handle = await bench.promote()
    for pause in pauses:
        await bench.until_reached(pause)
    last = world.events["deployment/p1"][-1]
    world.append(Append(subject=last.subject, sequence=last.sequence + 1, type="note", time=last.time))
    for pause in pauses:
        pause.released.set()
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("failed", Code.HISTORY_CONFLICT)
    assert set(world.deployments["p1"].tasks.values()) == {TaskState.LOST}


async def test_the_rollback_is_sealed_before_its_first_change(bench: Bench, world: World) -> None:
    world.fail("apply", "t1", errors=[Refused(Code.START_FAILED, "exit 1")])
    pause = world.pause("prepare", "back", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    assert [kind for kind, _ in world.seals] == ["decision", "deployment", "rollback"]
    pause.released.set()
    await bench.failure(handle)
    assert [kind for kind, _ in world.seals][-2:] == ["deployment", "outcome"]


async def test_a_rollback_goes_in_reverse_and_goes_on_where_a_target_fails(bench: Bench, world: World) -> None:
    world.fail("settle", "t3", errors=[UNHEALTHY])
    world.fail("apply", "back", "t3", errors=[Refused(Code.START_FAILED, "exit 1")])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("failed", Code.UNHEALTHY)
    back = [target for name, *where, target in world.steps if (name, *where) == ("apply", "back")]
    assert back == ["t3", "t2", "t1"]
    assert "hold-p1" in world.restraints


@pytest.mark.parametrize("step", [("open_rollback",), ("seal", "rollback")], ids=["opened", "sealed"])
async def test_a_rollback_that_cannot_be_begun_changes_nothing_and_says_so(
    bench: Bench, world: World, step: tuple[str, ...]
) -> None:
    world.fail("settle", "t1", errors=[UNHEALTHY])
    world.fail(*step, errors=[NotFound(Code.DIGEST_NOT_FOUND, "no plan is kept")])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("failed", Code.ROLLBACK_REFUSED)
    assert "no plan is kept" in result["detail"]
    assert world.did("apply", "back", "t1") == 0
    assert all(row.state is DeploymentState.FAILED for row in world.deployments.values())
    assert "hold-p1" in world.restraints


async def test_a_target_that_never_had_a_verified_state_is_retired_and_it_failed(bench: Bench, world: World) -> None:
    world.verified = set()
    world.fail("settle", "t1", errors=[UNHEALTHY])
    kind, _ = await bench.failure(await bench.promote())
    assert kind == "failed"
    assert (world.did("retire", "back", "t1"), world.did("apply", "back", "t1")) == (1, 0)
    assert "hold-p1" in world.restraints


async def test_what_cannot_be_prepared_somewhere_changes_nothing_anywhere(bench: Bench, world: World) -> None:
    world.fail("prepare", "t3", errors=[Refused(Code.PORT_TAKEN, "8080")])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("failed", Code.PORT_TAKEN)
    assert [world.did("apply", target) for target in ("t1", "t2", "t3")] == [0, 0, 0]
    assert world.restraints == {}
    assert "p1.rollback" not in world.deployments


async def test_prepare_gives_up_after_a_few_tries(bench: Bench, world: World) -> None:
    world.fail("prepare", "t1", errors=[Unavailable(Code.REGISTRY_UNAVAILABLE, "away")] * 3)
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("failed", Code.REGISTRY_UNAVAILABLE)


async def test_an_outage_of_our_own_is_no_failed_try(bench: Bench, world: World) -> None:
    world.fail("prepare", "t1", errors=[Unavailable(Code.DATABASE_UNAVAILABLE, "away")] * 4)
    assert (await bench.result(await bench.promote())).state is PromotionState.SUCCEEDED


async def test_targets_that_are_seen_otherwise_fail_the_verification(bench: Bench, world: World) -> None:
    world.fail("observe", "t2", errors=[Refused(Code.OBSERVATION_DIFFERS, "")])
    kind, result = await bench.failure(await bench.promote())
    assert (kind, result["code"]) == ("rolled_back", Code.OBSERVATION_DIFFERS)
    first = world.sealed("deployment")[0]
    assert isinstance(first, SealDeployment)
    assert (first.ok, len(first.observed)) == (False, 3)


async def test_targets_of_one_wave_are_changed_together(bench: Bench, world: World) -> None:
    world.waves = (("t1", "t2"), ("t3",))
    one, two = world.pause("apply", "t1"), world.pause("apply", "t2")
    handle = await bench.promote()
    await bench.until_reached(one)
    await bench.until_reached(two)
    assert world.did("apply", "t3") == 0
    one.released.set()
    two.released.set()
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


async def test_everything_is_prepared_before_the_first_change(bench: Bench, world: World) -> None:
    await bench.result(await bench.promote())
    kinds = [name for name, _ in world.steps]
    assert kinds[:3] == ["prepare"] * 3
    assert "prepare" not in kinds[3:]


async def test_terminated_by_hand_fails_its_promotion_and_nothing_goes_back(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().terminate("by hand")
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("failed", Code.TERMINATED)
    assert world.deployments["p1"].tasks["t1"] is TaskState.LOST
    assert "p1.rollback" not in world.deployments
    assert "hold-p1" in world.restraints


async def test_a_rollback_terminated_by_hand_fails_the_deployment(bench: Bench, world: World) -> None:
    world.fail("settle", "t1", errors=[UNHEALTHY])
    pause = world.pause("apply", "back", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment("p1.rollback").terminate("by hand")
    assert (await bench.failure(handle))[0] == "failed"
    assert world.deployments["p1.rollback"].code == Code.TERMINATED


async def test_another_history_of_the_deployment_fails_its_promotion(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    subject = names.deployment_subject("p1")
    last = world.events[subject][-1]
    stolen = last.model_copy(update={"sequence": last.sequence + 1, "type": "else", "data": {}})
    world.events[subject].append(stolen)
    pause.released.set()
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("failed", Code.HISTORY_CONFLICT)
    assert world.deployments["p1"].state is DeploymentState.FAILED
    assert world.did("settle", "t2") == 0


async def test_terminated_while_it_rolls_back_the_rollback_comes_to_its_end_first(bench: Bench, world: World) -> None:
    world.fail("settle", "t1", errors=[UNHEALTHY])
    pause = world.pause("apply", "back", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.deployment().terminate("by hand")
    pause.released.set()
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("failed", Code.TERMINATED)
    assert world.deployments["p1.rollback"].state is DeploymentState.SUCCEEDED
    assert [kind for kind, _ in world.seals] == ["decision", "deployment", "rollback", "deployment", "outcome"]


async def test_reset_by_hand_it_counts_as_terminated(bench: Bench, world: World) -> None:
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_reached(pause)
    await bench.reset("deployment/p1")
    assert (await bench.failure(handle))[0] == "failed"
    assert world.deployments["p1"].state is DeploymentState.FAILED
    assert world.did("apply", "t2") == 0
    assert "hold-p1" in world.restraints
