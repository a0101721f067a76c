"""The queue of an environment in Postgres, and what is asked of Temporal for it."""

import asyncio
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.lanes import LaneActivities
from fairlead.contracts import names
from fairlead.contracts.messages import LaneInput, LaneRequest
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import AdmitResult, EnvironmentRef, LaneRef, PromotionRef, RecordRestraint
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


@workflow.defn(name=names.LANE)
class PlayedLane:
    """Takes every request, and answers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @workflow.run
    async def run(self, input: LaneInput) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def enter(self, request: LaneRequest) -> None:
        self.asked.append(f"enter {request.promotion}")
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def leave(self, request: LaneRequest) -> None:
        self.asked.append(f"leave {request.promotion}")

    @workflow.query
    def all_asked(self) -> list[str]:
        return self.asked


@workflow.defn(name=names.PROMOTION)
class PlayedPromotion:
    """Runs until it is cancelled, and counts hints."""

    def __init__(self) -> None:
        self.hints = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal(name=names.SIGNAL_REEVALUATE)
    def reevaluate(self, hint: Any) -> None:
        self.hints += 1

    @workflow.query
    def counted(self) -> int:
        return self.hints


@pytest.fixture
async def linked(shop: Shop, temporal: Client) -> Any:
    """Lane activities with a real Temporal, and played workflows on the control queue."""
    played: Any = {"workflows": [PlayedLane, PlayedPromotion], "workflow_runner": UnsandboxedWorkflowRunner()}
    client = Client(temporal.service_client, namespace=temporal.namespace, data_converter=pydantic_data_converter)
    async with Worker(client, task_queue=names.QUEUE_CONTROL, build_id="test", **played):
        yield LaneActivities(shop.db, temporal, shop.decision)


async def play(temporal: Client, promotion: PromotionRecord) -> Any:
    return await temporal.start_workflow(
        names.PROMOTION, id=names.promotion_workflow(promotion.id), task_queue=names.QUEUE_CONTROL
    )


async def test_entering_starts_the_lane_and_does_not_wait_for_an_answer(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    for _ in range(2):
        await linked.enter(ref(promotion, "enter/1"))
    handle = temporal.get_workflow_handle(names.lane_workflow("shop", "dev"))
    assert await handle.query("all_asked") == [f"enter {promotion.id}"]


async def test_leaving_asks_the_lane(shop: Shop, linked: LaneActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    await linked.enter(ref(promotion, "enter/1"))
    await linked.leave(ref(promotion, "leave/1"))
    handle = temporal.get_workflow_handle(names.lane_workflow("shop", "dev"))
    assert (await handle.query("all_asked"))[-1] == f"leave {promotion.id}"


async def test_leaving_a_lane_that_is_not_there_takes_the_promotion_out(shop: Shop, linked: LaneActivities) -> None:
    promotion = shop.promote("1.0.0")
    ActivityEnvironment().run(linked.queue, ref(promotion))
    await linked.leave(ref(promotion, "leave/1"))
    assert status(linked, promotion)[0] == "left"


async def test_a_poke_reaches_the_open_promotions_and_passes_over_the_others(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    there, gone = shop.promote("1.0.0"), shop.promote("1.1.0")
    handle = await play(temporal, there)
    await linked.poke(EnvironmentRef(project="shop", environment="dev"))
    assert await handle.query("counted") == 1
    assert gone.state == "requested"


async def watching(linked: LaneActivities, promotion: PromotionRecord) -> asyncio.Task[None]:
    environment = ActivityEnvironment()
    return asyncio.create_task(environment.run(linked.watch, ref(promotion)))


async def is_watched(task: asyncio.Task[None], seconds: float = 1.0) -> bool:
    done, _ = await asyncio.wait([task], timeout=seconds)
    return not done


async def test_a_promotion_is_watched_until_it_is_closed_by_any_means(
    shop: Shop, linked: LaneActivities, temporal: Client
) -> None:
    promotion = shop.promote("1.0.0")
    handle = await play(temporal, promotion)
    watch = await watching(linked, promotion)
    assert await is_watched(watch)
    await handle.terminate("by hand")
    await asyncio.wait_for(watch, 10)


@pytest.mark.parametrize("suffix", ["", ".rollback"])
async def test_its_deployment_and_rollback_are_watched_too(
    shop: Shop, linked: LaneActivities, temporal: Client, suffix: str
) -> None:
    promotion = shop.promote("1.0.0")
    deployment = await temporal.start_workflow(
        names.PROMOTION, id=names.deployment_workflow(promotion.id + suffix), task_queue=names.QUEUE_CONTROL
    )
    watch = await watching(linked, promotion)
    assert await is_watched(watch)
    await deployment.terminate()
    await asyncio.wait_for(watch, 10)


async def test_what_temporal_does_not_know_any_more_is_over(shop: Shop, linked: LaneActivities) -> None:
    watch = await watching(linked, shop.promote("1.0.0"))
    await asyncio.wait_for(watch, 10)


async def test_a_promotion_that_was_reset_is_watched_on(shop: Shop, linked: LaneActivities, temporal: Client) -> None:
    promotion = shop.promote("1.0.0")
    first = await play(temporal, promotion)
    watch = await watching(linked, promotion)
    await first.terminate()
    second = await play(temporal, promotion)
    assert await is_watched(watch, 3.0)
    await second.terminate()
    await asyncio.wait_for(watch, 10)
