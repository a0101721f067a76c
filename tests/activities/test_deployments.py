"""Rows of deployments: from the plan that was decided on, back to what was last verified, and closed when abandoned."""

import pytest

from fairlead.contracts import names
from fairlead.contracts.steps import Abandon, DeploymentRef, LeaveHold, OpenDeployment, OpenRollback, Outline
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import DeploymentState, TaskState
from fairlead.store import deployments, observations, restraints
from tests.activities.shop import Shop, at


def deploy(shop: Shop, version: str, environment: str = "dev", *, touched: tuple[str, ...] = ()) -> Outline:
    """Open a deployment of a release and touch targets, as a claim does."""
    outline = shop.open_deployment(shop.promote(version, environment))
    with shop.db.session() as s:
        for target in touched:
            deployments.next_attempt(s, outline.deployment, target)
    return outline


def test_tasks_follow_the_plan(shop: Shop) -> None:
    outline = deploy(shop, "1.0.0", "staging")
    assert [(t.target, t.wave, t.release, t.retire) for t in outline.targets] == [
        ("stg-1", 0, "1.0.0", False),
        ("stg-2", 1, "1.0.0", False),
    ]
    assert (outline.number, outline.on_failure, outline.min_healthy_time) == (1, "rollback", 0.05)


def test_a_deployment_is_opened_once(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    outline = shop.open_deployment(promotion)
    with shop.db.session() as s:
        decision = deployments.get(s, promotion.id).decision
    again = OpenDeployment(promotion=promotion.id, decision=decision, time=at(50))
    assert shop.deployments.open_deployment(again) == outline


def test_without_a_place_in_the_lane_nothing_is_deployed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    shop.open_votes(promotion)
    with pytest.raises(Conflict):
        shop.deployments.open_deployment(
            OpenDeployment(promotion=promotion.id, decision=promotion.release_digest, time=at(0))
        )


def test_a_rollback_goes_to_each_targets_own_last_verified_state_in_reverse_order(shop: Shop) -> None:
    shop.succeed(deploy(shop, "1.0.0", "staging"))
    failed = deploy(shop, "1.1.0", "staging", touched=("stg-1", "stg-2"))
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy"))
    assert back.deployment == names.rollback_of(failed.deployment)
    assert back.number > failed.number
    assert [(t.target, t.wave, t.release) for t in back.targets] == [("stg-2", 0, "1.0.0"), ("stg-1", 1, "1.0.0")]


def test_a_rollback_goes_back_before_the_failed_one_whatever_came_later(shop: Shop) -> None:
    shop.succeed(deploy(shop, "1.0.0"))
    failed = deploy(shop, "1.1.0", touched=("dev-1",))
    shop.free(failed.deployment)
    shop.succeed(deploy(shop, "1.2.0"))
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy"))
    assert [target.release for target in back.targets] == ["1.0.0"]


def test_only_touched_targets_go_back(shop: Shop) -> None:
    shop.succeed(deploy(shop, "1.0.0", "staging"))
    failed = deploy(shop, "1.1.0", "staging", touched=("stg-2",))
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy"))
    assert [(t.target, t.wave) for t in back.targets] == [("stg-2", 0)]


def test_a_target_that_never_had_a_verified_state_is_retired(shop: Shop) -> None:
    failed = deploy(shop, "1.0.0", touched=("dev-1",))
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy"))
    assert [(t.target, t.retire) for t in back.targets] == [("dev-1", True)]


def test_a_rollback_is_opened_once_and_takes_one_number(shop: Shop) -> None:
    failed = deploy(shop, "1.0.0", touched=("dev-1",))
    request = OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy")
    first = shop.deployments.open_rollback(request)
    assert shop.deployments.open_rollback(request) == first
    assert shop.deployments.outline(DeploymentRef(deployment=first.deployment)) == first


def test_a_hold_is_left_once_for_a_deployment(shop: Shop) -> None:
    for _ in range(2):
        shop.deployments.leave_hold(
            LeaveHold(deployment="d1", project="shop", environment="staging", reason="went back", time=at(1))
        )
    with shop.db.session() as s:
        (hold,) = restraints.open_at(s, "shop", "staging", at(2))
    assert (hold.kind, hold.deployment, hold.reason) == ("hold", "d1", "went back")
    assert [event.type for event in shop.events("environment/shop/staging")] == ["hold"]


def test_an_abandoned_deployment_loses_its_open_tasks_shows_its_targets_and_leaves_a_hold(shop: Shop) -> None:
    outline = deploy(shop, "1.0.0", "staging", touched=("stg-1",))
    abandon = Abandon(deployment=outline.deployment, time=at(9), code=Code.TERMINATED)
    shop.deployments.abandon(abandon)
    shop.deployments.abandon(abandon)
    standing = shop.deployments.standing(DeploymentRef(deployment=outline.deployment))
    with shop.db.session() as s:
        tasks = deployments.tasks(s, outline.deployment)
        seen = observations.of_deployment(s, outline.deployment)
        holds = restraints.open_at(s, "shop", "staging", at(10))
    assert (standing.state, standing.code) == (DeploymentState.FAILED, Code.TERMINATED)
    assert {task.state for task in tasks} == {TaskState.LOST}
    assert [observation.target for observation in seen] == ["stg-1"]
    assert [hold.deployment for hold in holds] == [outline.deployment]


def test_abandoning_what_is_not_there_or_is_over_is_nothing(shop: Shop) -> None:
    outline = deploy(shop, "1.0.0")
    shop.succeed(outline)
    for deployment in (outline.deployment, "nosuchthing"):
        shop.deployments.abandon(Abandon(deployment=deployment, time=at(9), code=Code.TERMINATED))
    assert shop.deployments.standing(DeploymentRef(deployment=outline.deployment)).state == "succeeded"


def test_a_deployment_that_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.deployments.standing(DeploymentRef(deployment="nosuchthing"))
