"""The whole system with targets in memory: a release goes from dev to prod by votes, and leaves evidence that holds."""

import asyncio
from copy import deepcopy

from fairlead.contracts.votes import Choice
from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from tests.activities.shop import SHOP
from tests.workers.running import RunningShop


async def test_a_release_goes_from_dev_to_prod_by_votes_and_leaves_evidence(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    promotion = await shop.start("1.0.0", "prod")
    await shop.reaches(promotion.id, PromotionState.AWAITING_APPROVAL)
    await shop.send_vote("ben", promotion)
    await shop.send_vote("cho", promotion)
    row = await shop.ends(promotion)
    assert row.state is PromotionState.SUCCEEDED, f"{row.code}: {row.detail}"
    digests = {name: shop.world.named(name).digests()["web"] for name in ("dev-1", "stg-1", "prod-1", "prod-2")}
    assert len(set(digests.values())) == 1
    assert [shop.world.named(name).count("create") for name in digests] == [1, 1, 1, 1]
    report = shop.verified(promotion.id)
    assert report.verified, [finding for finding in report.findings if finding.problems]


async def test_a_reject_ends_the_promotion(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    promotion = await shop.start("1.0.0", "prod")
    await shop.reaches(promotion.id, PromotionState.AWAITING_APPROVAL)
    await shop.send_vote("ben", promotion, Choice.REJECT)
    row = await shop.ends(promotion)
    assert (row.state, row.code) == (PromotionState.REJECTED, Code.VOTE_REJECTED)
    assert shop.verified(promotion.id).verified


async def test_what_is_broken_goes_back_is_believed_and_leaves_a_hold(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    good = shop.world.named("stg-1").digests()
    broken = deepcopy(SHOP)
    broken["environments"]["staging"]["config"] = {"env": {"BROKEN": "1"}}
    await asyncio.to_thread(shop.apply, broken)
    await shop.succeed_in("1.1.0", "dev")
    row = await shop.ends(await shop.start("1.1.0", "staging"))
    assert (row.state, row.code) == (PromotionState.ROLLED_BACK, Code.UNHEALTHY), row.detail
    assert shop.world.named("stg-1").digests() == good
    assert shop.world.named("stg-2").count("create") == 1
    assert [hold.deployment for hold in shop.restraints("staging")] == [row.id]
    report = shop.verified(row.id)
    assert report.verified, [finding for finding in report.findings if finding.problems]


async def test_a_frozen_environment_keeps_a_promotion_waiting_until_the_thaw(shop: RunningShop) -> None:
    (freeze,) = await shop.restrain("freeze", "dev")
    promotion = await shop.start("1.0.0")
    await shop.reaches(promotion.id, PromotionState.AWAITING_GATE)
    await shop.restrain("thaw", "dev", freeze)
    assert (await shop.ends(promotion)).state is PromotionState.SUCCEEDED


async def test_a_hold_keeps_the_queue_in_place_and_a_person_passes_it(shop: RunningShop) -> None:
    await shop.restrain("hold", "dev")
    waiting = await shop.start("1.0.0")
    await shop.reaches(waiting.id, PromotionState.QUEUED)
    passing = await shop.start("1.1.0", through_hold="it must")
    assert (await shop.ends(passing)).state is PromotionState.SUCCEEDED
    await shop.restrain("resume", "dev")
    assert (await shop.ends(waiting)).code == Code.RELEASE_OLDER


async def test_two_promotions_at_once_go_one_after_the_other(shop: RunningShop) -> None:
    shop.world.place(shop.address("dev-1")).delay = 0.05
    first, second = await shop.start("1.0.0"), await shop.start("1.0.0")
    ends = [await shop.ends(first), await shop.ends(second)]
    assert [row.state for row in ends] == [PromotionState.SUCCEEDED] * 2
    changes = [(entry.event, entry.claim) for entry in shop.world.named("dev-1").journal if entry.event != "remove"]
    assert changes == [("create", "1.1"), ("start", "1.1"), ("stop", "2.1"), ("create", "2.1"), ("start", "2.1")]
