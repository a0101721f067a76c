"""API, Temporal, Postgres and worker killed in mid-deployment: `fairlead dev` starts them again, and the promotion ends once, as it should."""

import pytest

from tests.fire.judging import PATIENT, SHORT, ended, started_once, tasks_are
from tests.system.conftest import MakeShop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process


@pytest.mark.parametrize("victim", ["api", "temporal", "postgres"])
def test_a_server_killed_in_mid_deployment_changes_nothing(
    system: WholeSystem, make_shop: MakeShop, victim: str
) -> None:
    shop = make_shop("api", "web")
    shop.environment("prod", targets=2, strategy=PATIENT)
    shop.apply()
    digests = sorted((name, image.digest) for name, image in shop.release("1.0.0").items())
    shop.gate("prod-1").touch()
    id = shop.promote("1.0.0", "prod")
    until(lambda: shop.starts("prod-1"), "prod-1 to be started")
    system.await_another(victim, system.kill(victim))
    shop.gate("prod-1").unlink()
    ended(shop, id)
    for target in ("prod-1", "prod-2"):
        assert sorted((start["component"], start["digest"]) for start in shop.starts(target)) == digests
        assert [shop.answers(target, name) for name in ("api", "web")] == ["api 1.0.0", "web 1.0.0"]
    tasks_are(shop, id, "succeeded")


def test_a_database_killed_while_a_deployment_fails_still_lets_it_go_back(
    system: WholeSystem, make_shop: MakeShop
) -> None:
    shop = make_shop()
    shop.environment("prod", strategy=SHORT)
    shop.apply()
    old = shop.release("1.0.0")["web"].digest
    shop.succeed("1.0.0", "prod")
    bad = shop.release("1.1.0", broken=True)["web"].digest
    id = shop.promote("1.1.0", "prod")
    until(lambda: shop.starts("prod-1", bad), "prod-1 to be started")
    system.await_another("postgres", system.kill("postgres"))
    ended(shop, id, "rolled_back", "unhealthy")
    started_once(shop, "prod-1", old, bad, old)
    assert [hold["deployment"] for hold in shop.place("prod")["holds"]] == [id]
