"""Votes on a promotion, over the real server: signed or refused, by update and by raw signal, and when they start anew."""

from datetime import timedelta

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from fairlead.contracts import names
from fairlead.contracts.canonical import digest_bytes, digest_of
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from tests.fakes.world import World
from tests.workflows.bench import APPROVE, REJECT, Bench, only_decision
from workflows.promotion import PromotionWorkflow

pytestmark = pytest.mark.temporal


async def test_it_waits_for_votes_which_come_by_update_and_by_raw_signal(bench: Bench, world: World) -> None:
    world.approvals = 2
    handle = await bench.promote()
    await bench.until_told(handle, PromotionState.AWAITING_APPROVAL)
    answer = await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    assert answer.actor == "ana"
    await handle.signal("vote", {"signed_by": "cleo", "choice": "approve"})
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
    terms = only_decision(world).approval
    assert terms
    assert terms.opened
    assert terms.expires == terms.opened + timedelta(seconds=terms.expires_after)


@pytest.mark.parametrize("payload", ["yes", {"choice": "approve"}, None, ["a"], 7], ids=str)
async def test_an_unsigned_raw_signal_is_refused_and_leaves_an_event(
    bench: Bench, world: World, payload: object
) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("vote", payload)
    await bench.until_event("vote_refused")
    event = world.event(names.promotion_subject("p1"), "vote_refused")
    assert (event.code, event.actor) == (Code.VOTE_UNSIGNED, "unknown")
    assert event.data["payload"].startswith("sha256:")
    assert world.states["p1"] is PromotionState.AWAITING_APPROVAL


async def test_an_update_that_is_refused_says_why_and_leaves_an_event(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PromotionWorkflow.vote, {"choice": "approve"})
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == Code.VOTE_UNSIGNED
    assert "vote_refused" in bench.events()


@pytest.mark.parametrize(
    ("payload", "code"),
    [("yes", Code.VOTE_MALFORMED), ({"a": "x" * 20_000}, Code.VOTE_TOO_LARGE), ([], Code.VOTE_MALFORMED)],
    ids=["text", "large", "list"],
)
async def test_the_validator_refuses_what_is_no_vote_at_all(
    bench: Bench, world: World, payload: object, code: Code
) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PromotionWorkflow.vote, payload)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == code
    assert "vote_refused" not in bench.events()


async def test_one_reject_ends_it(bench: Bench, world: World) -> None:
    world.approvals = 2
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, REJECT)
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("rejected", Code.VOTE_REJECTED)


async def test_a_reject_ends_it_even_if_the_plan_changes_under_it(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    world.plan = digest_of("another plan")
    await handle.execute_update(PromotionWorkflow.vote, REJECT)
    kind, result = await bench.failure(handle)
    assert (kind, result["code"]) == ("rejected", Code.VOTE_REJECTED)


async def test_a_reject_while_it_is_queued_ends_it_and_frees_the_queue(bench: Bench, world: World) -> None:
    world.approvals = 1
    world.restraints["f1"] = "freeze"
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    await bench.until_state(PromotionState.QUEUED)
    await handle.execute_update(PromotionWorkflow.vote, REJECT)
    assert (await bench.failure(handle))[0] == "rejected"
    await bench.until(lambda: world.places["p1"].status == "left")


async def test_a_plan_that_comes_back_asks_for_votes_again(bench: Bench, world: World) -> None:
    world.approvals = 2
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    for opened, plan in ((2, digest_of("another plan")), (3, world.plan)):
        world.plan = plan
        await handle.signal(PromotionWorkflow.reevaluate)
        await bench.until(lambda opened=opened: bench.events().count("votes_opened") == opened)
    await handle.execute_update(PromotionWorkflow.vote, {**APPROVE, "signed_by": "ben"})
    await bench.until(lambda: world.event("promotion/p1", "evaluated").data["verdicts"][0]["message"] == "needs 1 more")


async def test_another_plan_makes_votes_start_anew(bench: Bench, world: World) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    world.plan = digest_of("another plan")
    await handle.signal(PromotionWorkflow.reevaluate)
    await bench.until(lambda: bench.events().count("votes_opened") == 2)
    assert "plan_changed" in bench.events()
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
    assert only_decision(world).plan == world.plan


async def test_a_vote_after_the_decision_is_refused(bench: Bench, world: World) -> None:
    world.approvals = 1
    pause = world.pause("apply", "t1")
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.execute_update(PromotionWorkflow.vote, APPROVE)
    await bench.until_reached(pause)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(PromotionWorkflow.vote, REJECT)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == Code.VOTES_CLOSED
    pause.released.set()
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED


@pytest.mark.parametrize(
    ("encoding", "data"),
    [(b"json/plain", b"{not json"), (b"binary/unheard-of", b"\x00\xff"), (b"json/plain", b'{"a": "' + b"x" * 20_000)],
    ids=["broken", "unknown encoding", "large"],
)
async def test_a_raw_signal_that_decodes_to_nothing_is_refused_too(
    bench: Bench, world: World, encoding: bytes, data: bytes
) -> None:
    world.approvals = 1
    handle = await bench.promote()
    await bench.until_event("evaluated")
    await handle.signal("vote", RawValue(Payload(metadata={"encoding": encoding}, data=data)))
    await bench.until_event("vote_refused")
    assert world.event("promotion/p1", "vote_refused").data["payload"] == digest_bytes(data)
    await handle.signal("vote", APPROVE)
    assert (await bench.result(handle)).state is PromotionState.SUCCEEDED
