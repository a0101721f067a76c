"""What is done about drift: promotions that wait for it, and deployments that put it right."""

from copy import deepcopy
from typing import Any

from temporalio.testing import ActivityEnvironment

from fairlead.commands import drift as known
from fairlead.contracts import names
from fairlead.contracts.drift import Watched
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import PromotionRef
from fairlead.domain.verdict import Decision
from fairlead.store import promotions
from tests.activities.shop import SHOP
from tests.activities.watcher import Watcher, added, taken_away


def gate(watcher: Watcher, promotion: PromotionRecord) -> Any:
    verdicts = watcher.shop.evaluate(promotion.id, 60 * watcher.minute).verdicts
    return next((verdict for verdict in verdicts if verdict.gate == "drift"), None)


def test_a_blocking_policy_keeps_promotions_waiting_and_says_what_differs(watcher: Watcher) -> None:
    watcher.policy("block")
    promotion = watcher.shop.promote("1.1.0")
    taken_away(watcher.place)
    watcher.look()
    assert gate(watcher, promotion).decision is Decision.ALLOW
    watcher.look()
    verdict = gate(watcher, promotion)
    assert (verdict.decision, verdict.reason_codes) == (Decision.PENDING, ("drift",))
    assert verdict.message == "drifted from what was verified: dev-1: web does not run"
    watcher.policy("notify")
    assert gate(watcher, promotion) is None


def test_a_rollback_goes_through_drift(watcher: Watcher) -> None:
    watcher.policy("block")
    taken_away(watcher.place)
    watcher.look(), watcher.look()
    verdict = gate(watcher, watcher.shop.promote("1.0.0", intent="rollback"))
    assert verdict.decision is Decision.ALLOW


def row(watcher: Watcher, id: str | None) -> PromotionRecord:
    with watcher.shop.db.session() as s:
        found = promotions.get(s, id or "")
    assert found is not None
    return found


def drifting(watcher: Watcher) -> str:
    """The re-convergence that is asked for at the second look."""
    taken_away(watcher.place)
    watcher.look()
    asked = watcher.look().reconverge
    assert asked is not None
    return asked


def test_what_drifted_is_asked_for_once_more_by_fairlead_itself(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    asked = row(watcher, drifting(watcher))
    assert (asked.requester, asked.intent, asked.release) == ("fairlead", "reconverge", "1.0.0")
    assert asked.reason == "drift on dev-1"
    assert watcher.told() == ["drift_found", "reconverge_requested"]
    assert watcher.look().reconverge is None  # one at a time


def test_a_re_convergence_makes_anew_only_what_drifted(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    before = watcher.place.instances[0].id
    added(watcher.place)
    watcher.look()
    asked = watcher.look().reconverge
    watcher.deploy(row(watcher, asked))
    assert [(i.spec.name, i.id) for i in watcher.place.instances] == [("web", before)]
    assert watcher.look() == Watched(changed=("dev-1",))


def approved(watcher: Watcher) -> None:
    document = deepcopy(SHOP)
    document["environments"]["dev"] |= {"drift": {"policy": "reconverge"}, "approval": {"count": 1}}
    watcher.shop.apply(document)


def test_votes_are_asked_for_anew_only_where_something_else_would_run(watcher: Watcher) -> None:
    approved(watcher)
    asked = drifting(watcher)
    same = watcher.shop.evaluate(asked, 60 * watcher.minute)
    assert {verdict.decision for verdict in same.verdicts} == {Decision.ALLOW}
    assert same.approval is None
    document = deepcopy(SHOP)
    document["environments"]["dev"] |= {"approval": {"count": 1}, "config": {"env": {"GREETING": "hej"}}}
    watcher.shop.apply(document)
    other = watcher.shop.evaluate(asked, 60 * watcher.minute)
    assert [v.reason_codes for v in other.verdicts if v.decision is Decision.PENDING] == [("votes_missing",)]


def test_a_hold_stops_it_too(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    watcher.hold()
    taken_away(watcher.place)
    watcher.look()
    assert watcher.look().reconverge is None
    with watcher.shop.db.session() as s:
        looked = known.drifted(s, "shop", watcher.environment, watcher.time)
        remedy = known.remedy(s, "shop", watcher.environment, looked, watcher.time)
    assert remedy is not None
    assert remedy.restrained == ("hold",)


def test_it_is_tried_so_often_in_an_hour_and_stops_when_it_does_not_help(watcher: Watcher) -> None:
    watcher.policy("reconverge", per_hour=2, give_up_after=3)
    asked = [drifting(watcher)]
    for minutes in (5, 5, 60, 60, 60):
        if asked[-1]:
            watcher.end(asked[-1], "rejected")
        asked.append(watcher.look(minutes).reconverge or "")
    assert [bool(id) for id in asked] == [True, True, False, True, False, False]
    assert watcher.told().count("reconverge_requested") == 3
    assert watcher.told().count("reconverge_stopped") == 1
    watcher.deploy(watcher.shop.promote("1.1.0"))  # somebody looks into it
    assert drifting(watcher)


async def test_what_was_asked_for_is_begun(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    asked = drifting(watcher)
    await ActivityEnvironment().run(watcher.drift.begin, PromotionRef(promotion=asked))
    client = watcher.drift._client
    described = await client.get_workflow_handle(names.promotion_workflow(asked)).describe()
    assert described.workflow_type == names.PROMOTION
