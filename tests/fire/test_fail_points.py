"""A worker that kills itself at a named fail point: the promotion ends once, in the right state, and every start happened once."""

import pytest

from tests.fire.dying import dying_at
from tests.fire.judging import PATIENT, SHORT, ended, started_once, tasks_are
from tests.system.conftest import MakeShop
from tests.system.shop import Shop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process


@pytest.fixture
def prod(make_shop: MakeShop) -> Shop:
    """One target, where 1.0.0 was verified."""
    shop = make_shop()
    shop.environment("prod", strategy=PATIENT)
    shop.apply()
    shop.release("1.0.0")
    shop.succeed("1.0.0", "prod")
    return shop


@pytest.mark.parametrize("point", ["after_claim", "after_stop_old", "after_create", "before_seal", "after_seal"])
def test_a_worker_killed_at_a_fail_point_changes_nothing(system: WholeSystem, prod: Shop, point: str) -> None:
    """The first seal is that of the decision."""
    old, new = prod.starts("prod-1")[0]["digest"], prod.release("1.1.0")["web"].digest
    with dying_at(system, point):
        id = prod.promote("1.1.0", "prod")
    ended(prod, id)
    started_once(prod, "prod-1", old, new)
    assert prod.answers("prod-1") == "web 1.1.0"
    tasks_are(prod, id, "succeeded")


@pytest.mark.parametrize("point", ["before_seal", "after_seal"])
def test_a_worker_killed_while_it_seals_what_was_deployed_seals_it_once(
    system: WholeSystem, prod: Shop, point: str
) -> None:
    old, new = prod.starts("prod-1")[0]["digest"], prod.release("1.1.0")["web"].digest
    prod.gate("prod-1").touch()
    id = prod.promote("1.1.0", "prod")
    until(lambda: prod.starts("prod-1", new), "prod-1 to be started")
    with dying_at(system, point):
        prod.gate("prod-1").unlink()
    ended(prod, id)
    started_once(prod, "prod-1", old, new)


def test_a_worker_killed_while_it_goes_back_goes_back_once(system: WholeSystem, prod: Shop) -> None:
    prod.document["environments"]["prod"]["strategy"] = SHORT
    prod.apply()
    old, bad = prod.starts("prod-1")[0]["digest"], prod.release("1.1.0", broken=True)["web"].digest
    with dying_at(system, "in_rollback"):
        id = prod.promote("1.1.0", "prod")
    ended(prod, id, "rolled_back", "unhealthy")
    started_once(prod, "prod-1", old, bad, old)
    assert prod.answers("prod-1") == "web 1.0.0"
    assert {task["state"] for task in prod.rollback_tasks(id)} == {"succeeded"}
    assert [hold["deployment"] for hold in prod.place("prod")["holds"]] == [id]
