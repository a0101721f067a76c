"""Targets in maintenance are left alone; what is retired is taken down by a promotion, with evidence that holds."""

import asyncio
import json
from copy import deepcopy
from typing import Any

import pytest

from api.temporal import TemporalOrchestrator
from fairlead.adapters import temporal
from fairlead.commands import inventory, promotions, retiring
from fairlead.commands.catalogue import of_project
from fairlead.commands.promotions import workflow_input
from fairlead.commands.releases import Wanted, create_release
from fairlead.commands.retiring import Retirement
from fairlead.contracts.checks import CheckTarget
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState
from fairlead.domain.target_states import TargetState
from fairlead.evidence.envelope import read_envelope
from fairlead.store import deployments, ledger
from tests.activities.shop import SHOP, PlayedImages
from tests.workers.running import RunningShop
from workers.clock import now


async def retire(shop: RunningShop, wanted: Retirement) -> PromotionRecord:
    """Ask for it, let it run, and see that it succeeded with evidence that holds."""
    asked = await asyncio.to_thread(
        lambda: retiring.request(shop.db, "shop", wanted, requester="ana", reason="moved", now=now())
    )
    assert asked is not None
    await temporal.start_promotion(shop.client, workflow_input(asked))
    row = await shop.ends(asked)
    assert row.state is PromotionState.SUCCEEDED, f"{row.code}: {row.detail}"
    report = shop.verified(row.id)
    assert report.verified, [finding for finding in report.findings if finding.problems]
    return row


def state_of(shop: RunningShop, target: str) -> TargetState:
    with shop.db.session() as s:
        return inventory.status(s, "shop", target, now()).state


def without(document: dict[str, Any], environment: str, target: str) -> dict[str, Any]:
    """The catalogue without a target."""
    document = deepcopy(document)
    document["environments"][environment]["targets"].remove(target)
    del document["targets"][target]
    return document


async def test_a_target_is_asked_through_a_worker_and_what_is_in_the_way_is_told_by_code(shop: RunningShop) -> None:
    asked = TemporalOrchestrator(shop.client)
    shop.world.place(shop.address("stg-2")).unreachable = True
    good = await asked.check_target(CheckTarget(project="shop", target="stg-1"), "one")
    assert [(found.check, found.grade) for found in good.items] == [("connects", "ok"), ("version", "ok")]
    [bad] = (await asked.check_target(CheckTarget(project="shop", target="stg-2"), "two")).items
    assert (bad.check, bad.grade, bad.code) == ("connects", "failed", Code.TARGET_UNREACHABLE)


async def test_a_retired_target_is_empty_for_good_and_may_leave_the_catalogue(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    row = await retire(shop, Retirement("staging", ("stg-2",)))
    assert shop.world.named("stg-2").digests() == {}
    assert state_of(shop, "stg-2") is TargetState.RETIRED
    with pytest.raises(BadInput, match="asked for anew"):
        promotions.retry(shop.db, row.id, requester="ana", now=now())
    await shop.succeed_in("1.1.0", "dev", "staging")
    assert (shop.world.named("stg-1").count("create"), shop.world.named("stg-2").count("create")) == (2, 1)
    await asyncio.to_thread(shop.apply, without(SHOP, "staging", "stg-2"))


async def test_maintenance_leaves_a_target_alone_and_retiring_takes_down_whatever_release_runs(
    shop: RunningShop,
) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    before = shop.world.named("stg-2").digests()
    inventory.start_maintenance(shop.db, "shop", "stg-2", actor="ana", reason="new disk", now=now())
    await shop.succeed_in("1.1.0", "dev", "staging")
    assert shop.world.named("stg-2").digests() == before != shop.world.named("stg-1").digests()
    inventory.activate(shop.db, "shop", "stg-2", actor="ana", now=now())
    row = await retire(shop, Retirement("staging", ("stg-1", "stg-2")))
    assert row.release == "1.1.0"
    assert [shop.world.named(name).digests() for name in ("stg-1", "stg-2")] == [{}, {}]
    left = deepcopy(SHOP)
    left["environments"]["prod"]["after"] = ["dev"]
    del left["environments"]["staging"], left["targets"]["stg-1"], left["targets"]["stg-2"]
    await asyncio.to_thread(shop.apply, left)
    with shop.db.session() as s:
        assert "staging" not in of_project(s, "shop").environments


async def test_what_is_handed_over_runs_on_and_nobody_here_counts_it(shop: RunningShop) -> None:
    await shop.succeed_in("1.0.0", "dev", "staging")
    row = await retire(shop, Retirement("staging", ("stg-1", "stg-2"), hand_over=True))
    for place in (shop.world.named("stg-1"), shop.world.named("stg-2")):
        assert (len(place.digests()), place.count("start"), place.count("stop")) == (1, 1, 0)
        assert (place.claims, place.sticker) == (set(), None)
    with shop.db.session() as s:
        status = inventory.status(s, "shop", "stg-1", now())
        assert (status.state, status.handed_over) == (TargetState.RETIRED, True)
        assert deployments.last_verified_task(s, "shop", "staging", "stg-1") is None
        [sealed] = [each for each in ledger.of_promotion(s, row.id) if each.kind == "deployment"]
    said = json.loads(read_envelope(sealed.envelope).payload)["predicate"]["targets"]
    assert [(t["name"], t["retire"], t["hand_over"]) for t in said] == [("stg-2", True, True), ("stg-1", True, True)]


async def test_a_retired_component_goes_and_no_release_brings_it_back(shop: RunningShop) -> None:
    document = deepcopy(SHOP)
    document["components"]["api"] = {"repository": "oci-layout:shop/api", "command": ["serve"], "ports": ["81:81"]}
    await asyncio.to_thread(shop.apply, document)
    for version in ("2.0.0", "2.1.0"):
        wanted = {name: Wanted(tag=version) for name in ("api", "web")}
        create_release(shop.db, PlayedImages(), shop.decision, "shop", version, wanted, actor="ana", now=now())
    await deploy(shop, "2.0.0")
    assert set(shop.world.named("dev-1").digests()) == {"api", "web"}
    await retire(shop, Retirement("dev", component="api"))
    assert set(shop.world.named("dev-1").digests()) == {"web"}
    assert shop.world.named("dev-1").count("create") == 2
    await deploy(shop, "2.1.0")
    assert set(shop.world.named("dev-1").digests()) == {"web"}


async def deploy(shop: RunningShop, version: str) -> None:
    """Bring a release that is there to dev."""
    asked = promotions.request_promotion(shop.db, "shop", "dev", version, requester="ana", now=now())
    await temporal.start_promotion(shop.client, workflow_input(asked))
    row = await shop.ends(asked)
    assert row.state is PromotionState.SUCCEEDED, f"{row.code}: {row.detail}"
