"""Requesting promotions, rollbacks and retries."""

from typing import Any

import pytest

from fairlead.commands.promotions import request_rollback, retry, workflow_input
from fairlead.commands.releases import deprecate
from fairlead.contracts.names import promotion_subject
from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotAllowed, NotFound
from fairlead.domain.states import PromotionState
from fairlead.store import history, promotions
from tests.commands.world import NOW, World, at


@pytest.fixture
def shop(world: World) -> World:
    """Two releases; the second runs in dev, where the first ran before."""
    world.release("1.0.0")
    world.release("1.1.0")
    world.deploy("1.0.0")
    world.deploy("1.1.0", seconds=60)
    return world


def rollback(world: World, **options: Any) -> Any:
    return request_rollback(world.db, "shop", "dev", **{"requester": "ana", "now": NOW, **options})


def test_a_request_is_a_row_and_its_first_event(world: World) -> None:
    world.release("1.0.0")
    made = world.request("1.0.0", reason="because")
    assert (made.state, made.reason, made.expires_at) == (PromotionState.REQUESTED, "because", at(86_400))
    with world.db.session() as s:
        assert promotions.get(s, made.id) == made
        assert [event.type for event in history.events(s, promotion_subject(made.id))] == ["requested"]


def test_the_workflow_is_told_what_the_row_says(world: World) -> None:
    world.release("1.0.0")
    made = world.request("1.0.0", through_hold="I watch it")
    told = workflow_input(made)
    assert (told.promotion, told.release_digest, told.through_hold) == (made.id, made.release_digest, "I watch it")


def test_an_environment_says_how_long_a_promotion_may_take(world: World) -> None:
    world.document["environments"]["dev"]["promotion_expires"] = "1h"
    world.apply()
    world.release("1.0.0")
    assert world.request("1.0.0").expires_at == at(3600)


@pytest.mark.parametrize(
    ("version", "environment", "code", "says"),
    [
        ("1.0", "dev", Code.RELEASE_NOT_FOUND, "did you mean 1.1.0 or 1.0.0"),
        ("1.1.0", "dve", Code.ENVIRONMENT_NOT_FOUND, "did you mean dev"),
    ],
)
def test_names_that_point_nowhere_are_refused(
    shop: World, version: str, environment: str, code: Code, says: str
) -> None:
    with pytest.raises(NotFound, match=says) as refused:
        shop.request(version, environment)
    assert refused.value.code is code


def test_a_deprecated_release_is_refused(shop: World) -> None:
    deprecate(shop.db, "shop", "1.1.0", actor="ana", now=NOW)
    with pytest.raises(Conflict) as refused:
        shop.request("1.1.0")
    assert refused.value.code is Code.RELEASE_DEPRECATED


def test_an_older_release_than_the_one_verified_there_is_refused(shop: World) -> None:
    with pytest.raises(Conflict, match=r"older than 1\.1\.0") as refused:
        shop.request("1.0.0")
    assert refused.value.code is Code.RELEASE_OLDER
    assert shop.request("1.0.0", "prod").release == "1.0.0"
    assert shop.request("1.1.0").release == "1.1.0"


@pytest.mark.parametrize(
    "options", [{"intent": "undo"}, {"reason": "x" * 1001}, {"through_hold": " "}, {"through_hold": "x" * 1001}]
)
def test_a_malformed_request_is_refused(shop: World, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        shop.request("1.1.0", **options)


def test_only_a_person_goes_through_a_hold(shop: World) -> None:
    with pytest.raises(NotAllowed, match="only a person"):
        shop.request("1.1.0", through_hold="quick", requester="integration:ci")


def test_a_refused_request_leaves_nothing(shop: World) -> None:
    with shop.db.session() as s:
        before = len(promotions.list_promotions(s, "shop"))
    with pytest.raises(Conflict):
        shop.request("1.0.0")
    with shop.db.session() as s:
        assert len(promotions.list_promotions(s, "shop")) == before


def test_a_rollback_goes_to_the_release_verified_before_the_present_one(shop: World) -> None:
    made = rollback(shop, reason="slow")
    assert (made.release, made.intent, made.reason) == ("1.0.0", "rollback", "slow")


def test_a_rollback_skips_repetitions_of_the_present_release(shop: World) -> None:
    shop.deploy("1.1.0", seconds=120)
    assert rollback(shop).release == "1.0.0"


def test_where_the_latest_deployment_failed_a_rollback_goes_to_what_was_verified_last(shop: World) -> None:
    shop.release("1.2.0")
    shop.deploy("1.2.0", ok=False)
    assert rollback(shop).release == "1.1.0"


def test_a_rollback_may_name_its_release_even_a_deprecated_one(shop: World) -> None:
    deprecate(shop.db, "shop", "1.0.0", actor="ana", now=NOW)
    assert rollback(shop, to="1.0.0").release == "1.0.0"


def test_nothing_goes_back_to_what_was_never_verified_there(shop: World) -> None:
    shop.release("1.2.0")
    shop.deploy("1.2.0", ok=False)
    with pytest.raises(Conflict, match="never verified") as refused:
        rollback(shop, to="1.2.0")
    assert refused.value.code is Code.NOTHING_TO_ROLL_BACK_TO


def test_with_one_release_there_is_nothing_to_go_back_to(world: World) -> None:
    world.release("1.0.0")
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            rollback(world)
        assert refused.value.code is Code.NOTHING_TO_ROLL_BACK_TO
        world.deploy("1.0.0")


def end(world: World, id: str) -> None:
    with world.db.session() as s:
        event = Append(subject=promotion_subject(id), sequence=1, type="ended", time=NOW, state="cancelled")
        history.append(s, event)


def test_a_retry_is_the_same_request_anew(world: World) -> None:
    world.release("1.0.0")
    first = world.request("1.0.0", reason="because", through_hold="I watch it")
    end(world, first.id)
    again = retry(world.db, first.id, requester="ben", now=at(60))
    assert (again.retry_of, again.requester, again.reason) == (first.id, "ben", "because")
    assert (again.through_hold, again.expires_at) == ("I watch it", at(60 + 86_400))
    assert again.id != first.id


def test_only_what_has_ended_is_retried(world: World) -> None:
    world.release("1.0.0")
    first = world.request("1.0.0")
    with pytest.raises(Conflict) as refused:
        retry(world.db, first.id, requester="ana", now=NOW)
    assert refused.value.code is Code.PROMOTION_NOT_CLOSED


def test_a_retry_of_nothing_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        retry(world.db, "nothing", requester="ana", now=NOW)
