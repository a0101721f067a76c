"""Targets say through a real worker what a plan would change there, before anybody has asked for it."""

from copy import deepcopy
from functools import partial

from agents.memory import MemoryHost
from api.temporal import TemporalOrchestrator
from fairlead.commands import planning
from fairlead.commands.catalogue import of_project
from fairlead.commands.releases import require_release
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.domain.codes import Code
from tests.activities.shop import SHOP
from tests.workers.running import RunningShop
from workers.clock import now


def question(shop: RunningShop, version: str, environment: str) -> ForecastTarget:
    """About the first target of a plan that is kept nowhere."""
    with shop.db.session() as s:
        release = require_release(s, "shop", version)
        made = planning.preview_of(s, of_project(s, "shop"), environment, release, now())
    plan = made.plan
    return ForecastTarget(
        project="shop", environment=environment, release=plan.release, plan=made.digest, healthy_deadline=1.0, target=plan.targets[0]
    )  # fmt: skip


async def test_a_worker_has_a_target_tell_and_what_is_in_the_way_is_told_by_code(shop: RunningShop) -> None:
    ask = partial(
        TemporalOrchestrator(shop.client).forecast_target, question(shop, shop.release("1.0.0").version, "dev")
    )
    assert await ask("one") == TargetForecast(target="dev-1", tells=True, lines=("web is new",))
    await shop.succeed_in("1.0.0", "dev")
    before = shop.world.named("dev-1").journal.copy()
    assert (await ask("two")).lines == ("web is replaced",)
    assert shop.world.named("dev-1").journal == before
    shop.world.named("dev-1").unreachable = True
    silent = await ask("three")
    assert (silent.code, silent.lines, bool(silent.fix)) == (Code.TARGET_UNREACHABLE, (), True)


async def test_of_a_type_without_forecasts_it_is_told_by_what_is_seen(shop: RunningShop) -> None:
    asked = question(shop, shop.release("1.0.0").version, "dev")
    shop.executors["process_host"] = Mute(MemoryHost(shop.world))  # type: ignore[assignment]
    said = await TemporalOrchestrator(shop.client).forecast_target(asked, "one")
    assert (said.tells, said.code, said.lines) == (True, None, ("web is new",))


async def test_the_hooks_of_a_plan_are_told_also_of_a_target_that_is_silent(shop: RunningShop) -> None:
    document = deepcopy(SHOP)
    document["components"]["web"]["hooks"] = {
        "pre": [{"name": "drain", "command": ["x"]}, {"name": "save", "command": ["x"]}],
        "post": [{"name": "smoke", "command": ["x"]}],
    }
    shop.apply(document)
    asked = question(shop, shop.release("1.0.0").version, "dev")
    ask = partial(TemporalOrchestrator(shop.client).forecast_target, asked)
    assert (await ask("one")).lines == ("web is new",)
    shop.world.named("dev-1").unreachable = True
    silent = await ask("two")
    assert (silent.before, silent.after) == (("web: drain", "web: save"), ("web: smoke",))
    assert silent.code == Code.TARGET_UNREACHABLE


class Mute:
    """No ports.Forecasts."""

    def __init__(self, host: MemoryHost) -> None:
        self.observe = host.observe
