"""States of targets, and what of an environment takes part in a deployment."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from fairlead.commands import inventory
from fairlead.commands.catalogue import of_project
from fairlead.commands.planning import preview_of
from fairlead.commands.releases import require_release
from fairlead.contracts.names import target_subject
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, NotFound
from fairlead.domain.target_states import TargetState
from fairlead.store import history
from tests.commands.world import NOW, World, at


def maintain(world: World, target: str, **more: Any) -> inventory.TargetStatus:
    settings = {"actor": "ana", "reason": "new disk", "now": NOW, **more}
    return inventory.start_maintenance(world.db, "shop", target, **settings)


def state_of(world: World, target: str, seconds: float = 0) -> TargetState:
    with world.db.session() as s:
        return inventory.status(s, "shop", target, at(seconds)).state


def planned(s: Session, world: World, environment: str, seconds: float = 0) -> tuple[list[str], list[str]]:
    release = require_release(s, "shop", "1.0.0")
    shown = preview_of(s, of_project(s, "shop"), environment, release, at(seconds))
    return [target.name for target in shown.plan.targets], [skipped.target for skipped in shown.skipped]


def test_maintenance_is_kept_with_who_when_and_why(world: World) -> None:
    found = maintain(world, "prod-2", until=at(60))
    assert (found.state, found.actor, found.reason) == (TargetState.MAINTENANCE, "ana", "new disk")
    assert (found.since, found.until) == (NOW, at(60))
    with world.db.session() as s:
        events = history.events(s, target_subject("shop", "prod-2"))
    assert [(event.type, event.actor, event.time) for event in events] == [("maintenance", "ana", NOW)]


def test_asking_again_for_the_same_is_no_news(world: World) -> None:
    maintain(world, "prod-2")
    maintain(world, "prod-2", now=at(5))
    with world.db.session() as s:
        assert len(history.events(s, target_subject("shop", "prod-2"))) == 1


@pytest.mark.parametrize(("seconds", "state"), [(59, TargetState.MAINTENANCE), (60, TargetState.ACTIVE)])
def test_maintenance_ends_when_it_was_said_to(world: World, seconds: float, state: TargetState) -> None:
    maintain(world, "prod-2", until=at(60))
    assert state_of(world, "prod-2", seconds) is state


def test_activating_ends_it_at_once(world: World) -> None:
    maintain(world, "prod-2")
    assert inventory.activate(world.db, "shop", "prod-2", actor="ben", now=at(1)).state is TargetState.ACTIVE
    assert state_of(world, "prod-2", 2) is TargetState.ACTIVE


def test_a_plan_skips_a_target_in_maintenance_and_says_so(world: World) -> None:
    world.release("1.0.0")
    maintain(world, "prod-1", until=at(60))
    with world.db.session() as s:
        assert planned(s, world, "prod") == (["prod-2"], ["prod-1"])
        assert planned(s, world, "prod", 60) == (["prod-1", "prod-2"], [])


def test_where_no_target_serves_there_is_no_plan(world: World) -> None:
    world.release("1.0.0")
    maintain(world, "dev-1")
    with world.db.session() as s, pytest.raises(Conflict, match="dev-1: maintenance") as refused:
        planned(s, world, "dev")
    assert refused.value.code is Code.NO_TARGET_SERVES


@pytest.mark.parametrize(
    ("act", "error", "code"),
    [
        (lambda world: maintain(world, "prod-3"), NotFound, Code.TARGET_NOT_FOUND),
        (lambda world: maintain(world, "prod-2", reason=" "), BadInput, Code.BAD_VALUE),
        (
            lambda world: inventory.activate(world.db, "shop", "prd-1", actor="a", now=NOW),
            NotFound,
            Code.TARGET_NOT_FOUND,
        ),
    ],
)
def test_what_cannot_be_is_refused(
    world: World, act: Callable[[World], object], error: type[FairleadError], code: Code
) -> None:
    with pytest.raises(error) as refused:
        act(world)
    assert refused.value.code is code


def test_an_unknown_target_is_told_with_the_nearest(world: World) -> None:
    with pytest.raises(NotFound, match="did you mean prod-2 or prod-1"):
        maintain(world, "prod2")


def test_an_unknown_project_is_told_with_the_nearest(world: World) -> None:
    with world.db.session() as s, pytest.raises(NotFound, match="did you mean shop"):
        of_project(s, "shpo")
