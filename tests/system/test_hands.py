"""Hands in Temporal (design decision 18): whatever they do, a promotion ends as published, its lane is free, its evidence verifies."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from fairlead.contracts import names
from tests.system.conftest import MakeShop
from tests.system.shop import Shop, go_back
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process

Hand = Callable[[WorkflowHandle[Any, Any]], Awaitable[object]]


def terminate(handle: WorkflowHandle[Any, Any]) -> Awaitable[object]:
    return handle.terminate("by hand")


def cancel(handle: WorkflowHandle[Any, Any]) -> Awaitable[object]:
    return handle.cancel()


ENDS: dict[str, tuple[Hand, str, str]] = {
    "terminated": (terminate, "failed", "terminated"),
    "cancelled": (cancel, "cancelled", "cancelled"),
}
by_hand = pytest.mark.parametrize(("hand", "state", "code"), ENDS.values(), ids=ENDS)


@pytest.fixture
def prod(make_shop: MakeShop) -> Shop:
    """Two targets, one after the other, where 1.0.0 was verified; 1.1.0 is there to follow."""
    shop = make_shop()
    shop.environment("prod", targets=2)
    shop.apply()
    shop.release("1.0.0")
    shop.succeed("1.0.0", "prod")
    shop.release("1.1.0")
    return shop


async def workflow(system: WholeSystem, id: str) -> WorkflowHandle[Any, Any]:
    return (await system.temporal()).get_workflow_handle(id)


def begin(shop: Shop) -> str:
    """A promotion of 1.1.0 whose first target has been started, and does not serve yet."""
    started = len(shop.starts("prod-1"))
    shop.gate("prod-1").touch()
    id = shop.promote("1.1.0", "prod")
    until(lambda: len(shop.starts("prod-1")) > started, "prod-1 to be started")
    return id


def ends_as(shop: Shop, id: str, state: str, code: str) -> None:
    ended = shop.ends(id)
    assert (ended["state"], ended["code"]) == (state, code)
    assert shop.verified(id).state == state


def lane_is_free(shop: Shop, environment: str = "prod") -> None:
    """Somebody else gets through."""
    shop.succeed("1.1.0", environment, through_hold="to see whether the lane is free")


@by_hand
async def test_a_promotion_that_waits_for_votes(
    system: WholeSystem, make_shop: MakeShop, hand: Hand, state: str, code: str
) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 1})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    await hand(await workflow(system, names.promotion_workflow(id)))
    ends_as(shop, id, state, code)
    assert shop.vote("ben", id).says == (409, "promotion_closed")
    assert shop.starts("prod-1") == []


@by_hand
async def test_a_promotion_at_the_head_of_its_lane(
    system: WholeSystem, prod: Shop, hand: Hand, state: str, code: str
) -> None:
    prod.restrain("holds", "prod")
    id = prod.promote("1.1.0", "prod")
    prod.is_blocked_by(id, "held")
    await hand(await workflow(system, names.promotion_workflow(id)))
    ends_as(prod, id, state, code)
    until(lambda: prod.place("prod")["queue"] == [], "the queue to be empty")
    lane_is_free(prod)


async def test_a_promotion_terminated_while_it_deploys_lets_its_deployment_finish(
    system: WholeSystem, prod: Shop
) -> None:
    id = begin(prod)
    await (await workflow(system, names.promotion_workflow(id))).terminate("by hand")
    prod.gate("prod-1").unlink()
    ends_as(prod, id, "failed", "terminated")
    assert prod.view(id)["deployments"][0]["state"] == "succeeded"
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.1.0"] * 2
    lane_is_free(prod)


async def test_a_promotion_cancelled_while_it_deploys_goes_back(system: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    await (await workflow(system, names.promotion_workflow(id))).cancel()
    prod.gate("prod-1").unlink()
    ends_as(prod, id, "cancelled", "cancelled")
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.0.0"] * 2
    assert [hold["deployment"] for hold in prod.place("prod")["holds"]] == [id]
    lane_is_free(prod)


async def test_a_deployment_terminated_loses_its_tasks_and_leaves_a_hold(system: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    await (await workflow(system, names.deployment_workflow(id))).terminate("by hand")
    ends_as(prod, id, "failed", "terminated")
    assert {task["state"] for task in prod.view(id)["tasks"]} == {"lost"}
    assert prod.view(id)["deployments"][1:] == []  # no automatic rollback
    assert [hold["deployment"] for hold in prod.place("prod")["holds"]] == [id]
    prod.gate("prod-1").unlink()
    lane_is_free(prod)
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.1.0"] * 2


async def test_a_promotion_and_its_deployment_both_terminated(system: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    await (await workflow(system, names.promotion_workflow(id))).terminate("by hand")
    await (await workflow(system, names.deployment_workflow(id))).terminate("by hand")
    ends_as(prod, id, "failed", "terminated")
    assert [hold["deployment"] for hold in prod.place("prod")["holds"]] == [id]
    prod.gate("prod-1").unlink()
    lane_is_free(prod)


async def test_a_rollback_terminated_fails_and_leaves_a_hold(system: WholeSystem, make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", targets=2)
    shop.apply()
    shop.release("1.0.0")
    shop.succeed("1.0.0", "prod")
    id = go_back(shop, "prod-1")
    await (await workflow(system, names.deployment_workflow(names.rollback_of(id)))).terminate("by hand")
    ends_as(shop, id, "failed", "unhealthy")
    assert id in {hold["deployment"] for hold in shop.place("prod")["holds"]}
    shop.gate("prod-1").unlink()
    shop.succeed("1.0.0", "prod", through_hold="to see whether the lane is free")
    assert [shop.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.0.0"] * 2


async def test_a_deployment_cancelled_is_cancelled_as_by_its_promotion(system: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    await (await workflow(system, names.deployment_workflow(id))).cancel()
    prod.gate("prod-1").unlink()
    ends_as(prod, id, "cancelled", "cancelled")
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.0.0"] * 2
    lane_is_free(prod)


@pytest.mark.parametrize("hand", [terminate, cancel])
async def test_a_lane_with_somebody_in_the_place_and_somebody_waiting(
    system: WholeSystem, prod: Shop, hand: Hand
) -> None:
    first = begin(prod)
    second = prod.promote("1.1.0", "prod")
    prod.is_blocked_by(second, "queued_behind")
    await hand(await workflow(system, names.lane_workflow(prod.name, "prod")))
    prod.gate("prod-1").unlink()
    assert prod.ends(first)["state"] == "succeeded"
    assert prod.ends(second)["state"] == "succeeded"
    first_ended, second_began = prod.view(first)["ended_at"], prod.events(second)
    admitted = next(event["time"] for event in second_began if event["type"] == "admitted")
    assert first_ended <= admitted


async def test_messages_that_are_none_of_ours_stop_nothing(system: WholeSystem, make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 1})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    promotion = await workflow(system, names.promotion_workflow(id))
    lane = await workflow(system, names.lane_workflow(shop.name, "prod"))
    several: list[list[Any]] = [[], [1], [1, 2], ["\ufffd", {"a": []}, None]]
    for payloads in several:
        for signal in ("vote", "cancel", "reevaluate", "admitted", "progress", "no such signal"):
            await promotion.signal(signal, args=payloads)
        with pytest.raises(WorkflowUpdateFailedError):
            await promotion.execute_update("vote", args=payloads)
    until(lambda: len(shop.view(id)["refused_votes"]) == 8, "what was no vote and no cancel to be recorded")
    await promotion.signal("vote", shop.envelope("ben", id))
    assert shop.ends(id)["state"] == "succeeded"
    with pytest.raises(WorkflowUpdateFailedError):
        await lane.execute_update("freeze", args=[1, 2])
    assert shop.restrain("freezes", "prod")["kind"] == "freeze"
