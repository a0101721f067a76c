"""The clock of worker, API and Postgres jumps by an hour and back in mid-deployment: nothing fails, nothing is done twice, no vote is stale."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.fire.clocks import Clock, compiler, system_with_clock
from tests.fire.judging import PATIENT, ended, started_once, tasks_are
from tests.fixtures.docker import need
from tests.system.conftest import making_shops
from tests.system.shop import Shop
from tests.system.whole import WholeSystem, until
from workers.clock import now

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def clocked() -> Iterator[tuple[WholeSystem, Clock]]:
    need(
        None
        if compiler()
        else "no C compiler here, which makes the clock; on Debian, as root: apt-get install gcc libc6-dev"
    )
    with system_with_clock() as both:
        yield both


def server_time(shop: Shop) -> datetime:
    """What the API takes for now, by its own word."""
    return parsedate_to_datetime(shop.ana.ask("GET", shop.path).headers["date"])


def jump(shop: Shop, clock: Clock, hours: int) -> None:
    """Set the clock, and wait until the API goes by it."""
    clock.jump(hours * 3600)
    until(lambda: round((server_time(shop) - now()).total_seconds() / 3600) == hours, "the clock to have jumped")


@pytest.mark.parametrize(("first", "then"), [(1, 0), (0, 1), (0, -1)], ids=["back", "on", "behind"])
def test_a_clock_that_jumps_changes_nothing(clocked: tuple[WholeSystem, Clock], first: int, then: int) -> None:
    system, clock = clocked
    with making_shops(system) as make:
        shop = make()
        shop.environment("prod", strategy=PATIENT, approval={"count": 2})
        shop.apply()
        digest = shop.release("1.0.0")["web"].digest
        jump(shop, clock, first)
        shop.gate("prod-1").touch()
        id = shop.promote("1.0.0", "prod")
        shop.reaches(id, "awaiting_approval")
        assert [shop.vote(voter, id).status for voter in ("ben", "cho")] == [200, 200]
        until(lambda: shop.starts("prod-1"), "prod-1 to be started")
        jump(shop, clock, then)
        shop.gate("prod-1").unlink()
        ended(shop, id)
        started_once(shop, "prod-1", digest)
        tasks_are(shop, id, "succeeded")
        assert [vote["counted"] for vote in shop.view(id)["votes"]] == [True, True]
        jump(shop, clock, 0)
