"""Votes that come while no worker is there: judged by the time at which they are received, each of them told, none of them lost."""

from datetime import timedelta

from api import standing, why
from fairlead.contracts import names
from fairlead.contracts.votes import Choice
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from tests.workers.running import RunningShop
from workers.clock import now

OUTAGE = timedelta(minutes=6)


async def test_after_six_minutes_without_a_worker_old_votes_are_stale_and_the_others_count(
    idle_shop: RunningShop,
) -> None:
    shop = idle_shop
    async with shop.worker():
        await shop.succeed_in("1.0.0", "dev", "staging")
        promotion = await shop.start("1.0.0", "prod")
        plan = (await shop.reaches(promotion.id, PromotionState.AWAITING_APPROVAL)).plan
    assert plan is not None
    handle = shop.client.get_workflow_handle(names.promotion_workflow(promotion.id))
    # Nobody waits for six minutes: whoever votes has signed by a clock that much behind, as if the outage had been that long.
    began = now() - OUTAGE
    sent = [("ben", 0.0), ("cho", 0.5), ("ben", 4.0), ("cho", 5.9)]
    for number, (voter, minutes) in enumerate(sent):
        time = began + timedelta(minutes=minutes)
        envelope = shop.vote(voter, promotion, plan, choice=Choice.APPROVE, time=time, nonce=f"{number}")
        await handle.signal(names.SIGNAL_VOTE, envelope)
    await handle.signal(names.SIGNAL_VOTE, {"unsigned": True})
    async with shop.worker():
        row = await shop.ends(promotion)
    told = standing_of(shop, promotion.id)
    votes = [event for event in told.events if event.type.startswith("vote_")]
    assert [(event.actor, event.code) for event in votes] == [
        ("ben", Code.VOTE_STALE),
        ("cho", Code.VOTE_STALE),
        ("ben", None),
        ("cho", None),
        ("unknown", Code.VOTE_UNSIGNED),
    ]
    assert len({event.time for event in votes}) == 1  # received at once, though judged one after the other
    assert [event.code for event in why.refused(told)] == [Code.VOTE_STALE, Code.VOTE_STALE, Code.VOTE_UNSIGNED]
    assert row.state is PromotionState.SUCCEEDED
    assert shop.world.named("prod-1").digests() == shop.world.named("stg-1").digests()
    assert shop.verified(promotion.id).verified


def standing_of(shop: RunningShop, promotion: str) -> standing.Standing:
    with shop.db.session() as s:
        return standing.read(s, promotion, now())
