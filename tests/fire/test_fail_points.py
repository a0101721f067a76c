"""A worker that kills itself at a named fail point: the promotion ends once, in the right state, and every start happened once."""

import pytest

from tests.system.conftest import MakeShop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process


@pytest.mark.parametrize("point", ["after_claim", "after_create", "after_stop_old"])
def test_a_worker_killed_at_a_fail_point_changes_nothing(system: WholeSystem, make_shop: MakeShop, point: str) -> None:
    shop = make_shop()
    shop.environment("prod")
    shop.apply()
    old = shop.release("1.0.0")["web"].digest
    shop.succeed("1.0.0", "prod")
    new = shop.release("1.1.0")["web"].digest
    killed, armed = system.pid("worker"), system.arm(point)
    id = shop.promote("1.1.0", "prod")
    until(lambda: not armed.exists(), f"{point} to be reached")
    system.await_another("worker", killed)
    ended = shop.ends(id)
    assert ended["state"] == "succeeded", ended
    assert [start["digest"] for start in shop.starts("prod-1")] == [old, new]
    assert shop.answers("prod-1") == "web 1.1.0"
    assert {task["state"] for task in shop.view(id)["tasks"]} == {"succeeded"}
    assert shop.why(id) == {}
    assert shop.verified(id).state == ended["state"]
