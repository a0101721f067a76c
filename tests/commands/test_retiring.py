"""Retirements: what they would take down, and when they are refused."""

from typing import Any

import pytest

from fairlead.commands import inventory, retiring
from fairlead.commands.catalogue import of_project
from fairlead.commands.retiring import Retirement
from fairlead.contracts.messages import INTENT_RETIRE
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.release import Plan
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, NotAllowed, NotFound
from fairlead.domain.target_states import TargetState
from tests.commands.test_inventory import maintain, state_of
from tests.commands.world import NOW, World, at


@pytest.fixture
def running(world: World) -> World:
    """1.0.0 runs in prod."""
    world.release("1.0.0")
    world.deploy("1.0.0", "prod")
    return world


def ask(world: World, wanted: Retirement, **more: Any) -> PromotionRecord | None:
    settings = {"requester": "ana", "reason": "moved away", "now": NOW, **more}
    return retiring.request(world.db, "shop", wanted, **settings)


def plan_of(world: World, wanted: Retirement) -> Plan:
    with world.db.session() as s:
        return retiring.preview_plan(s, of_project(s, "shop"), wanted)


TARGET = Retirement("prod", ("prod-1",))
ALL = Retirement("prod", ("prod-1", "prod-2"))
WEB = Retirement("prod", component="web")


def test_a_target_is_emptied_by_a_promotion_of_what_runs_there(running: World) -> None:
    asked = ask(running, TARGET)
    assert asked is not None
    assert (asked.intent, asked.release, asked.reason) == (INTENT_RETIRE, "1.0.0", "moved away")
    with running.db.session() as s:
        plan = retiring.plan_of(s, of_project(s, "shop"), asked)
    assert [(t.name, t.retire, t.components) for t in plan.targets] == [("prod-1", True, ())]
    assert plan.on_failure == "stop"
    assert state_of(running, "prod-1") is TargetState.RETIRING


def test_an_environment_is_emptied_from_its_last_target_on(running: World) -> None:
    assert [(t.name, t.wave, t.retire) for t in plan_of(running, ALL).targets] == [
        ("prod-2", 0, True),
        ("prod-1", 1, True),
    ]


def test_what_is_handed_over_is_retired_by_its_plan(running: World) -> None:
    asked = ask(running, ALL.handing_over())
    assert asked is not None
    with running.db.session() as s:
        plan = retiring.plan_of(s, of_project(s, "shop"), asked)
        status = inventory.status(s, "shop", "prod-1", NOW)
    assert [(t.name, t.retire, t.hand_over) for t in plan.targets] == [("prod-2", True, True), ("prod-1", True, True)]
    assert (status.state, status.handed_over) == (TargetState.RETIRING, True)
    assert plan != plan_of(running, ALL)


def test_a_component_alone_is_not_handed_over() -> None:
    with pytest.raises(BadInput) as refused:
        WEB.handing_over()
    assert refused.value.code is Code.HAND_OVER_WHOLE


def test_a_component_leaves_the_others_as_they_were(running: World) -> None:
    plan = plan_of(running, WEB)
    assert [[c.name for c in target.components] for target in plan.targets] == [["api"], ["api"]]
    assert {target.retire for target in plan.targets} == {None}
    assert plan.on_failure == "rollback"


def test_where_nothing_runs_a_target_is_retired_at_once(world: World) -> None:
    assert ask(world, TARGET) is None
    assert state_of(world, "prod-1") is TargetState.RETIRED


def test_a_retired_target_gets_nothing_until_it_is_activated(world: World) -> None:
    ask(world, ALL)
    world.release("1.0.0")
    with pytest.raises(Conflict) as refused:
        world.request("1.0.0", "prod")
    assert refused.value.code is Code.NO_TARGET_SERVES
    inventory.activate(world.db, "shop", "prod-1", actor="ana", now=at(1))
    assert world.request("1.0.0", "prod", now=at(2)).environment == "prod"


@pytest.mark.parametrize(
    ("wanted", "more", "error", "code"),
    [
        (Retirement("prod", component="api"), {}, Conflict, Code.COMPONENT_NEEDED),
        (TARGET, {"reason": ""}, BadInput, Code.BAD_VALUE),
        (TARGET, {"through_hold": " "}, BadInput, Code.BAD_VALUE),
        (TARGET, {"through_hold": "quick", "requester": "integration:ci"}, NotAllowed, Code.NOT_ALLOWED),
        (Retirement("prdo", ("prod-1",)), {}, NotFound, Code.ENVIRONMENT_NOT_FOUND),
    ],
)
def test_what_cannot_be_retired_is_refused(
    running: World, wanted: Retirement, more: dict[str, Any], error: type[FairleadError], code: Code
) -> None:
    with pytest.raises(error) as refused:
        ask(running, wanted, **more)
    assert refused.value.code is code


def test_what_a_sidecar_is_beside_is_not_retired_before_it(world: World) -> None:
    web = world.document["components"]["web"]
    for field in ("depends_on", "ports"):
        del web[field]
    web["docker"] = {"role": "sidecar", "beside": "api"}
    del world.document["targets"]["prod-2"]["config"]
    world.apply()
    world.release("1.0.0")
    world.deploy("1.0.0", "prod")
    with pytest.raises(Conflict, match="web on prod-1 needs api"):
        ask(world, Retirement("prod", component="api"))


def test_a_component_that_is_not_there_is_told_with_the_nearest(running: World) -> None:
    with running.db.session() as s, pytest.raises(NotFound, match="did you mean web"):
        retiring.of_component(s, of_project(s, "shop"), "prod", "wbe")


def test_nothing_is_retired_where_people_work(running: World) -> None:
    maintain(running, "prod-1")
    with pytest.raises(Conflict) as refused:
        ask(running, WEB)
    assert refused.value.code is Code.TARGET_IN_MAINTENANCE


@pytest.mark.parametrize("then", ["maintain", "activate", "retire"])
def test_what_is_being_retired_gets_no_other_state(running: World, then: str) -> None:
    ask(running, TARGET)
    again = {
        "maintain": lambda: maintain(running, "prod-1"),
        "activate": lambda: inventory.activate(running.db, "shop", "prod-1", actor="ana", now=NOW),
        "retire": lambda: ask(running, TARGET),
    }
    with pytest.raises(Conflict) as refused:
        again[then]()
    assert refused.value.code is Code.TARGET_RETIRING


def test_what_stays_must_be_of_one_release(running: World) -> None:
    running.release("1.1.0")
    maintain(running, "prod-2")
    running.deploy("1.1.0", "prod")
    with pytest.raises(Conflict) as refused:
        plan_of(running, WEB)
    assert refused.value.code is Code.RELEASES_DIFFER
