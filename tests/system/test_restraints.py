"""Freezes and holds: who waits, who passes, and that a wait is told."""

import pytest

from tests.system.conftest import MakeShop
from tests.system.shop import Shop
from tests.system.whole import until

pytestmark = pytest.mark.process


def test_a_hold_stops_everybody_but_who_goes_through_it(shop: Shop) -> None:
    shop.restrain("holds", "dev")
    waiting = shop.promote("1.0.0", "dev")
    held = shop.is_blocked_by(waiting, "held")
    assert held["rule"] == "hold"
    assert shop.view(waiting)["state"] == "queued"
    through = shop.succeed("1.0.0", "dev", through_hold="an incident")
    assert shop.view(waiting)["state"] == "queued"
    assert shop.view(through)["through_hold"] == "an incident"
    assert shop.lift("holds", "dev").status == 200
    assert shop.ends(waiting)["state"] == "succeeded"


def test_a_freeze_keeps_even_who_goes_through_holds(shop: Shop) -> None:
    freeze = shop.restrain("freezes", "dev", **{"for": "1h"})
    id = shop.promote("1.0.0", "dev", through_hold="an incident")
    blocker = shop.is_blocked_by(id, "frozen")
    assert (blocker["since"], blocker["until"]) == (freeze["since"], freeze["until"])
    assert shop.starts("dev-1") == []
    assert shop.lift("freezes", "dev").status == 200
    assert shop.ends(id)["state"] == "succeeded"


def test_a_freeze_passes_a_rollback(shop: Shop) -> None:
    shop.release("1.1.0")
    shop.succeed("1.0.0", "dev")
    shop.succeed("1.1.0", "dev")
    shop.restrain("freezes", "dev")
    back = shop.ana.post(f"{shop.path}/environments/dev/rollbacks", {"reason": "too slow"})
    assert (shop.ends(back["id"])["state"], back["release"]) == ("succeeded", "1.0.0")
    assert shop.answers("dev-1") == "web 1.0.0"


def test_a_freeze_that_comes_while_one_is_queued_keeps_it_there(shop: Shop) -> None:
    shop.release("1.1.0")
    shop.gate("dev-1").touch()
    first = shop.promote("1.0.0", "dev")
    shop.reaches(first, "deploying")
    second = shop.promote("1.1.0", "dev")
    shop.is_blocked_by(second, "queued_behind")
    shop.restrain("freezes", "dev")
    shop.gate("dev-1").unlink()
    assert shop.ends(first)["state"] == "succeeded"  # what has begun goes on
    until(lambda: set(shop.why(second)) == {"frozen"}, "only the freeze to be in its way")
    assert shop.answers("dev-1") == "web 1.0.0"
    assert shop.lift("freezes", "dev").status == 200
    assert shop.ends(second)["state"] == "succeeded"


def test_a_short_freeze_is_over_by_itself(shop: Shop) -> None:
    shop.restrain("freezes", "dev", **{"for": "1s"})
    assert shop.ends(shop.promote("1.0.0", "dev"))["state"] == "succeeded"


def test_why_of_an_environment_lists_what_blocks_each_open_promotion(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 1})
    shop.apply()
    shop.release("1.0.0")
    shop.restrain("freezes", "prod")
    id = shop.promote("1.0.0", "prod")
    shop.is_blocked_by(id, "votes_missing")
    why = shop.ana.get(f"{shop.path}/environments/prod/why")
    assert [blocker["code"] for blocker in why["blocked_by"]] == ["frozen"]
    [open_one] = why["promotions"]
    assert (open_one["promotion"], open_one["release"]) == (id, "1.0.0")
    assert {blocker["code"] for blocker in open_one["blocked_by"]} == {"frozen", "votes_missing"}


@pytest.mark.parametrize("kind", ["freezes", "holds"])
def test_their_ids_are_as_short_as_all_others(shop: Shop, kind: str) -> None:
    made = shop.restrain(kind, "dev")
    assert len(made["id"]) == 12
    assert shop.ana.ask("DELETE", f"{shop.path}/environments/dev/{kind}/{made['id'][:6]}").status == 200
