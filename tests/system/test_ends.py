"""How promotions end otherwise than well: cancelled at any time, failed, rolled back; and what votes are worth when the plan changes."""

import pytest

from tests.system.conftest import MakeShop
from tests.system.shop import Shop, go_back
from tests.system.whole import until

pytestmark = pytest.mark.process


@pytest.fixture
def prod(make_shop: MakeShop) -> Shop:
    """Two targets, one after the other."""
    shop = make_shop()
    shop.environment("prod", targets=2)
    shop.apply()
    shop.release("1.0.0")
    return shop


def is_held(shop: Shop, id: str) -> bool:
    """Whether the deployment of a promotion has left the one hold there is."""
    return [hold["deployment"] for hold in shop.place("prod")["holds"]] == [id]


def test_cancel_before_a_deployment_changes_nothing(prod: Shop) -> None:
    prod.restrain("holds", "prod")
    id = prod.promote("1.0.0", "prod")
    prod.is_blocked_by(id, "held")
    assert prod.cancel(id, by="ben").body["actor"] == "ben"
    ended = prod.ends(id)
    assert (ended["state"], ended["code"]) == ("cancelled", "cancelled")
    assert prod.starts("prod-1") == []
    until(lambda: prod.place("prod")["queue"] == [], "the queue to be empty")


def test_cancel_during_a_deployment_takes_touched_targets_back_and_leaves_a_hold(prod: Shop) -> None:
    prod.succeed("1.0.0", "prod")
    new = prod.release("1.1.0")["web"].digest
    prod.gate("prod-1").touch()
    id = prod.promote("1.1.0", "prod")
    until(lambda: prod.starts("prod-1", new), "prod-1 to be started")
    assert prod.cancel(id).status == 200
    prod.gate("prod-1").unlink()
    assert prod.ends(id)["state"] == "cancelled"
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.0.0"] * 2
    assert prod.starts("prod-2", new) == []
    assert is_held(prod, id)
    assert prod.verified(id).state == "cancelled"


def test_cancel_during_a_first_deployment_takes_down_what_was_made(prod: Shop) -> None:
    prod.gate("prod-1").touch()
    id = prod.promote("1.0.0", "prod")
    until(lambda: prod.starts("prod-1"), "prod-1 to be started")
    assert prod.cancel(id).status == 200
    prod.gate("prod-1").unlink()
    assert prod.ends(id)["state"] == "cancelled"
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["", ""]
    assert is_held(prod, id)


def test_cancel_after_the_end_is_refused(prod: Shop) -> None:
    id = prod.succeed("1.0.0", "prod")
    assert prod.cancel(id).says == (409, "promotion_closed")
    assert prod.view(id)["state"] == "succeeded"


def test_a_first_deployment_that_fails_is_taken_down(prod: Shop) -> None:
    prod.document["environments"]["prod"]["strategy"]["healthy_deadline"] = "2s"
    prod.apply()
    bad = prod.release("1.1.0", broken=True)["web"].digest
    id = prod.promote("1.1.0", "prod")
    ended = prod.ends(id)
    assert (ended["state"], ended["code"]) == ("failed", "unhealthy")
    assert prod.starts("prod-1", bad)
    assert prod.starts("prod-2") == []
    assert prod.answers("prod-1") == ""
    assert is_held(prod, id)
    assert prod.verified(id).state == "failed"


def test_a_later_one_that_fails_goes_back_and_leaves_a_hold(prod: Shop) -> None:
    prod.document["environments"]["prod"]["strategy"]["healthy_deadline"] = "2s"
    prod.apply()
    prod.succeed("1.0.0", "prod")
    bad = prod.release("1.1.0", broken=True)["web"].digest
    id = prod.promote("1.1.0", "prod")
    ended = prod.ends(id)
    assert (ended["state"], ended["code"]) == ("rolled_back", "unhealthy")
    assert [prod.answers(target) for target in ("prod-1", "prod-2")] == ["web 1.0.0"] * 2
    assert prod.starts("prod-2", bad) == []
    assert [deployment["number"] for deployment in ended["deployments"]] == [2, 3]
    assert is_held(prod, id)
    assert prod.verified(id).state == "rolled_back"


def test_cancel_while_it_goes_back_is_recorded_and_changes_nothing(prod: Shop) -> None:
    prod.succeed("1.0.0", "prod")
    id = go_back(prod, "prod-1")
    assert prod.cancel(id).status == 200
    prod.gate("prod-1").unlink()
    assert prod.ends(id)["state"] == "rolled_back"
    assert "cancel_accepted" in [event["type"] for event in prod.events(id)]
    assert prod.answers("prod-1") == "web 1.0.0"
    assert prod.verified(id).state == "rolled_back"


def test_a_catalogue_change_while_votes_are_open_starts_them_anew(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 2})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    before = shop.reaches(id, "awaiting_approval")["plan"]
    assert shop.vote("ben", id).status == 200
    shop.document["environments"]["prod"]["config"] = {"env": {"GREETING": "bonjour"}}
    shop.apply()
    until(lambda: shop.view(id)["plan"] != before, "another plan")
    assert "plan_changed" in [event["type"] for event in shop.events(id)]
    assert [vote["counted"] for vote in shop.view(id)["votes"]] == [False]
    assert shop.vote("cho", id, plan=before).says == (409, "vote_wrong_plan")
    assert shop.vote("cho", id).status == 200
    until(lambda: "1 more vote" in shop.is_blocked_by(id, "votes_missing")["detail"], "one vote to be missing")
    assert shop.vote("ben", id).status == 200
    assert shop.ends(id)["state"] == "succeeded"


def test_votes_do_not_carry_over_to_a_retry(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 1})
    shop.apply()
    shop.release("1.0.0")
    first = shop.promote("1.0.0", "prod")
    shop.reaches(first, "awaiting_approval")
    assert shop.ana.ask("POST", f"/promotions/{first}/retry").says == (409, "promotion_not_closed")
    assert shop.vote("ben", first, choice="reject").status == 200
    assert shop.ends(first)["state"] == "rejected"
    again = shop.ana.post(f"/promotions/{first}/retry")["id"]
    shop.reaches(again, "awaiting_approval")
    assert shop.view(again)["votes"] == []
    assert shop.vote("ben", again).status == 200
    assert shop.ends(again)["state"] == "succeeded"
