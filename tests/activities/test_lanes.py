"""The queue of an environment in Postgres: who gets the place, and what keeps the head of the queue where it is."""

from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.lanes import LaneActivities
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import AdmitResult, LaneRef, PromotionRef, RecordRestraint
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Refused
from fairlead.store import ledger, restraints
from tests.activities.shop import Shop, at, lane


@pytest.fixture
def steps(shop: Shop) -> LaneActivities:
    """Those that need no Temporal."""
    return LaneActivities(shop.db, None, shop.decision)  # type: ignore[arg-type]


def ref(promotion: PromotionRecord, request: str = "") -> LaneRef:
    return LaneRef(promotion=promotion.id, project="shop", environment=promotion.environment, request=request)


def queue(shop: Shop, steps: LaneActivities, version: str, **more: Any) -> PromotionRecord:
    promotion = shop.promote(version, **more)
    ActivityEnvironment().run(steps.queue, ref(promotion))
    return promotion


def status(steps: LaneActivities, promotion: PromotionRecord) -> tuple[str, int | None]:
    admission = steps.read_admission(PromotionRef(promotion=promotion.id))
    return admission.status, admission.number


def restrain(kind: str, seconds: float = 1, **more: Any) -> RecordRestraint:
    return RecordRestraint(
        kind=kind, project="shop", environment="dev", actor="ana", time=at(seconds), reason="because", **more
    )


def test_the_first_in_the_queue_gets_the_place_and_the_next_number(shop: Shop, steps: LaneActivities) -> None:
    first, second = queue(shop, steps, "1.0.0"), queue(shop, steps, "1.1.0")
    result = steps.admit(lane())
    assert (result.holder, result.admitted, result.waiting) == (first.id, True, 1)
    assert (status(steps, first), status(steps, second)) == (("admitted", 1), ("waiting", None))


def test_who_has_the_place_keeps_it(shop: Shop, steps: LaneActivities) -> None:
    first = queue(shop, steps, "1.0.0")
    queue(shop, steps, "1.1.0")
    steps.admit(lane())
    assert steps.admit(lane()) == AdmitResult(holder=first.id, admitted=False, waiting=1)
    assert status(steps, first) == ("admitted", 1)


def test_the_next_one_gets_a_freed_place_with_a_higher_number(shop: Shop, steps: LaneActivities) -> None:
    first, second = queue(shop, steps, "1.0.0"), queue(shop, steps, "1.1.0")
    steps.admit(lane())
    steps.free(ref(first))
    assert steps.admit(lane()).holder == second.id
    assert status(steps, second) == ("admitted", 2)


def test_an_empty_lane_admits_nobody(steps: LaneActivities) -> None:
    assert steps.admit(lane()) == AdmitResult()


def test_queueing_twice_is_queueing_once(shop: Shop, steps: LaneActivities) -> None:
    promotion = queue(shop, steps, "1.0.0")
    ActivityEnvironment().run(steps.queue, ref(promotion))
    assert steps.admit(lane()).waiting == 0


def test_a_promotion_that_is_over_gets_no_place(shop: Shop, steps: LaneActivities) -> None:
    promotion = shop.promote("1.0.0")
    shop.append(names.promotion_subject(promotion.id), "ended", state="cancelled")
    ActivityEnvironment().run(steps.queue, ref(promotion))
    assert status(steps, promotion) == ("absent", None)


def test_an_older_release_is_thrown_out(shop: Shop, steps: LaneActivities) -> None:
    older = shop.promote("1.0.0")
    shop.succeed(shop.open_deployment(shop.promote("1.1.0")))
    ActivityEnvironment().run(steps.queue, ref(older))
    assert steps.admit(lane()).refused == (older.id,)
    admission = steps.read_admission(PromotionRef(promotion=older.id))
    assert (admission.status, admission.code) == ("refused", Code.RELEASE_OLDER)


@pytest.mark.parametrize(
    ("kind", "more", "passes"),
    [
        ("freeze", {}, False),
        ("hold", {}, False),
        ("hold", {"through_hold": "it must"}, True),
        ("freeze", {"through_hold": "it must"}, False),
    ],
)
def test_a_restraint_keeps_the_head_in_place(
    shop: Shop, steps: LaneActivities, kind: str, more: dict[str, Any], passes: bool
) -> None:
    queue(shop, steps, "1.0.0", **more)
    steps.record_restraint(restrain(kind, restraint="r1", until=at(60)))
    result = steps.admit(lane(seconds=2))
    assert result.admitted is passes
    assert bool(result.blocked_by) is not passes
    if not passes:
        assert result.next_at == at(60)
        assert steps.admit(lane(seconds=61)).admitted


def test_leaving_the_queue_or_giving_the_place_back(shop: Shop, steps: LaneActivities) -> None:
    first, second = queue(shop, steps, "1.0.0"), queue(shop, steps, "1.1.0")
    steps.admit(lane())
    for promotion in (first, second):
        steps.unqueue(ref(promotion))
        assert status(steps, promotion)[0] == "left"


def test_a_place_with_a_deployment_is_not_given_back(shop: Shop, steps: LaneActivities) -> None:
    promotion = shop.promote("1.0.0")
    shop.open_deployment(promotion)
    steps.unqueue(ref(promotion))
    assert status(steps, promotion)[0] == "admitted"


def test_who_left_may_come_again(shop: Shop, steps: LaneActivities) -> None:
    promotion = queue(shop, steps, "1.0.0")
    steps.unqueue(ref(promotion))
    ActivityEnvironment().run(steps.queue, ref(promotion))
    assert steps.admit(lane()).holder == promotion.id


def test_a_freeze_is_recorded_and_sealed_once(shop: Shop, steps: LaneActivities) -> None:
    request = restrain("freeze", restraint="f1", until=at(60))
    assert steps.record_restraint(request) == steps.record_restraint(request)
    with shop.db.session() as s:
        assert [r.id for r in restraints.open_at(s, "shop", "dev", at(2))] == ["f1"]
        assert ledger.by_key(s, "shop", "freeze/f1") is not None
    assert [event.type for event in shop.events("environment/shop/dev")] == ["freeze"]


def test_a_thaw_ends_one_freeze_once_and_is_sealed(shop: Shop, steps: LaneActivities) -> None:
    for id in ("f1", "f2"):
        steps.record_restraint(restrain("freeze", restraint=id))
    request = restrain("thaw", 5, restraint="f1")
    assert steps.record_restraint(request).restraints == ("f1",)
    assert steps.record_restraint(request).restraints == ("f1",)
    with shop.db.session() as s:
        assert [r.id for r in restraints.open_at(s, "shop", "dev", at(6))] == ["f2"]
        assert ledger.by_key(s, "shop", "thaw/f1") is not None


def test_without_an_id_all_of_the_kind_end(shop: Shop, steps: LaneActivities) -> None:
    for kind, id in (("hold", "h1"), ("hold", "h2"), ("freeze", "f1")):
        steps.record_restraint(restrain(kind, restraint=id))
    assert set(steps.record_restraint(restrain("resume", 5)).restraints) == {"h1", "h2"}
    with shop.db.session() as s:
        assert [r.id for r in restraints.open_at(s, "shop", "dev", at(6))] == ["f1"]


@pytest.mark.parametrize(("kind", "code"), [("thaw", Code.FREEZE_NOT_FOUND), ("resume", Code.HOLD_NOT_FOUND)])
def test_ending_what_is_not_there_is_refused(steps: LaneActivities, kind: str, code: Code) -> None:
    with pytest.raises(NotFound) as caught:
        steps.record_restraint(restrain(kind, restraint="nosuchthing"))
    assert caught.value.code == code


def test_a_hold_cannot_be_thawed(steps: LaneActivities) -> None:
    steps.record_restraint(restrain("hold", restraint="h1"))
    with pytest.raises(Refused):
        steps.record_restraint(restrain("thaw", 2, restraint="h1"))
