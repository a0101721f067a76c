"""Looking between deployments: what counts as drift, what is told and sealed of it, and what is done about it."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.drift import DriftActivities
from activities.lookup import project_catalogue
from agents.memory.world import Place
from fairlead.commands import drift as known
from fairlead.commands import inventory
from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.drift import LooksTaken, Sight, Watched
from fairlead.contracts.records import EnvelopeRecord, LookRecord, PromotionRecord, RestraintRecord
from fairlead.contracts.steps import EnvironmentRef, Outline, PromotionRef
from fairlead.domain.catalogue import Environment
from fairlead.domain.verdict import Decision
from fairlead.evidence.envelope import read_envelope
from fairlead.store import ledger, looks, observations, promotions, restraints
from tests.activities.shop import SHOP, Shop, at
from tests.activities.test_seals import carry_out

DEV = EnvironmentRef(project="shop", environment="dev")
SUBJECT = names.environment_subject("shop", "dev")


class Watcher:
    """The shop's dev, looked at whenever the test says so; minutes go by."""

    def __init__(self, shop: Shop, client: Client) -> None:
        self.shop = shop
        self.drift = DriftActivities(shop.db, client, shop.agent)
        self.minute = 10.0

    @property
    def time(self) -> datetime:
        return at(60 * self.minute)

    @property
    def place(self) -> Place:
        return self.shop.world.named("dev-1")

    def policy(self, policy: str, **more: Any) -> None:
        document = deepcopy(SHOP)
        document["environments"]["dev"]["drift"] = {"policy": policy, **more}
        self.shop.apply(document)

    def deploy(self, promotion: PromotionRecord) -> Outline:
        """Carry a promotion out as its workflow would."""
        outline = self.shop.open_deployment(promotion, 60 * self.minute)
        self.finish(outline)
        return outline

    def finish(self, outline: Outline) -> None:
        subject = names.deployment_subject(outline.deployment)
        for state in ("preparing", "running", "verifying"):
            self.shop.append(subject, state, state=state)
        carry_out(self.shop, outline)
        self.shop.append(subject, "ended", state="succeeded", seconds=60 * self.minute)
        self.shop.free(outline.deployment)

    def end(self, promotion: str, state: str) -> None:
        subject = names.promotion_subject(promotion)
        self.shop.append(subject, "ended", state=state, seconds=60 * self.minute)

    def look(self, minutes: float = 1) -> Watched:
        """One look, as the workflow takes it; so many minutes after the one before."""
        self.minute += minutes
        plan = self.drift.plan_looks(DEV)
        sights = [Sight(project="shop", environment="dev", target=t, time=self.time) for t in plan.targets]
        seen = tuple(ActivityEnvironment().run(self.shop.targets.look, sight) for sight in sights)
        taken = LooksTaken(project="shop", environment="dev", time=self.time, number=plan.number, seen=seen)
        return self.drift.judge_looks(taken)

    def told(self) -> list[str]:
        return [event.type for event in self.shop.events(SUBJECT)]

    def record(self) -> LookRecord:
        with self.shop.db.session() as s:
            return looks.of(s, "shop", "dev")["dev-1"]

    def hold(self) -> None:
        with self.shop.db.session() as s:
            hold = RestraintRecord(
                id="h", kind="hold", project="shop", environment="dev", reason="", actor="ana", since=at(0)
            )
            restraints.add(s, hold)


@pytest.fixture
def watcher(shop: Shop, temporal: Client) -> Watcher:
    """1.0.0 runs in dev, and was verified."""
    watcher = Watcher(shop, temporal)
    watcher.deploy(shop.promote("1.0.0"))
    return watcher


def taken_away(place: Place) -> None:
    place.instances.clear()


def stopped(place: Place) -> None:
    place.instances[0].running = False


def replaced(place: Place) -> None:
    instance = place.instances[0]
    instance.spec = instance.spec.model_copy(update={"digest": digest_of("by hand")})


def configured(place: Place) -> None:
    instance = place.instances[0]
    instance.spec = instance.spec.model_copy(update={"config_digest": digest_of("by hand")})


def added(place: Place) -> None:
    other = deepcopy(place.instances[0])
    other.spec, other.id = other.spec.model_copy(update={"name": "debug"}), "by-hand"
    place.instances.append(other)


CHANGES = {
    taken_away: "missing",
    stopped: "unhealthy",
    replaced: "wrong_digest",
    configured: "wrong_config",
    added: "extra",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: CHANGES[change])
def test_what_somebody_changed_is_drift_at_the_second_look(watcher: Watcher, change: Callable[[Place], None]) -> None:
    assert watcher.look() == Watched()
    change(watcher.place)
    assert watcher.look() == Watched()
    assert watcher.look() == Watched(drifted=("dev-1",), changed=("dev-1",))
    [difference] = watcher.record().drift
    assert difference.kind == CHANGES[change]
    assert watcher.told() == ["drift_found"]


def test_it_is_told_once_and_that_it_is_over(watcher: Watcher) -> None:
    stopped(watcher.place)
    for _ in range(4):
        watcher.look()
    watcher.place.instances[0].running = True
    assert watcher.look() == Watched(changed=("dev-1",))
    assert watcher.told() == ["drift_found", "drift_ended"]


def test_what_cannot_be_reached_is_no_drift_and_ends_none(watcher: Watcher) -> None:
    watcher.place.unreachable = True
    first = watcher.time + timedelta(minutes=1)
    assert [watcher.look() for _ in range(3)] == [Watched()] * 3
    assert (watcher.record().drift, watcher.record().unreachable_since) == ((), first)
    watcher.place.unreachable = False
    taken_away(watcher.place)
    watcher.look(), watcher.look()
    watcher.place.unreachable = True
    assert watcher.look() == Watched(drifted=("dev-1",))


def test_a_deployment_under_way_is_not_looked_at(watcher: Watcher) -> None:
    taken_away(watcher.place)
    watcher.look()
    outline = watcher.shop.open_deployment(watcher.shop.promote("1.1.0"), 700)
    assert watcher.look() == Watched(silent=True)
    watcher.finish(outline)
    assert watcher.look() == Watched()
    assert watcher.told() == []


def test_a_look_during_which_somebody_deployed_means_nothing(watcher: Watcher) -> None:
    plan = watcher.drift.plan_looks(DEV)
    watcher.deploy(watcher.shop.promote("1.1.0"))
    taken = LooksTaken(project="shop", environment="dev", time=watcher.time, number=plan.number, seen=())
    assert watcher.drift.judge_looks(taken) == Watched(silent=True)


def test_drift_is_over_when_something_else_was_deployed(watcher: Watcher) -> None:
    taken_away(watcher.place)
    watcher.look(), watcher.look()
    watcher.deploy(watcher.shop.promote("1.1.0"))
    with watcher.shop.db.session() as s:
        assert known.drifted(s, "shop", environment(watcher), watcher.time) == ()
    watcher.look()
    assert watcher.told() == ["drift_found", "drift_ended"]


def test_where_people_work_drift_is_silent_until_the_target_serves_again(watcher: Watcher) -> None:
    db, target = watcher.shop.db, "dev-1"
    inventory.start_maintenance(db, "shop", target, actor="ana", reason="new disk", now=watcher.time)
    taken_away(watcher.place)
    assert [watcher.look().drifted for _ in range(3)] == [()] * 3
    assert watcher.told() == []
    inventory.activate(db, "shop", target, actor="ana", now=watcher.time)
    watcher.look()
    assert watcher.look().drifted == (target,)


def environment(watcher: Watcher) -> Environment:
    with watcher.shop.db.session() as s:
        return project_catalogue(s, "shop").environments["dev"]


def test_the_same_step_tried_again_records_nothing_twice(watcher: Watcher) -> None:
    taken_away(watcher.place)
    watcher.look()
    watcher.look()
    watcher.minute -= 1
    watcher.look()
    assert watcher.told() == ["drift_found"]
    with watcher.shop.db.session() as s:
        assert len([e for e in ledger.envelopes(s, "shop") if e.kind == "drift"]) == 1


def test_a_look_that_sees_what_was_known_keeps_no_other_observation(watcher: Watcher) -> None:
    for _ in range(5):
        watcher.look()
    with watcher.shop.db.session() as s:
        assert len(observations.of_deployment(s, watcher.record().deployment)) == 1
        assert looks.last_seen(s, "shop", "dev")["dev-1"].time == watcher.time


def sealed(watcher: Watcher) -> EnvelopeRecord:
    with watcher.shop.db.session() as s:
        [envelope] = [e for e in ledger.envelopes(s, "shop") if e.kind == "drift"]
    return envelope


def test_what_drifted_is_sealed_by_the_agent_beside_what_was_verified(watcher: Watcher) -> None:
    replaced(watcher.place)
    watcher.look(), watcher.look()
    envelope, look = sealed(watcher), watcher.record()
    predicate = json.loads(read_envelope(envelope.envelope).payload)["predicate"]
    assert envelope.envelope["signatures"][0]["keyid"] == watcher.shop.agent.keyid
    with watcher.shop.db.session() as s:
        deployment = ledger.by_key(s, "shop", f"{look.deployment}/deployment")
    assert deployment is not None
    assert predicate["inputs"] == [deployment.statement]
    assert (predicate["observation"], look.statement) == (look.observation, envelope.statement)
    assert [each["kind"] for each in predicate["differences"]] == ["wrong_digest"]
    assert predicate["components"][0]["digest"] == digest_of("by hand")
    assert envelope.promotion is None


def gate(watcher: Watcher, promotion: PromotionRecord) -> Any:
    verdicts = watcher.shop.evaluate(promotion.id, 60 * watcher.minute).verdicts
    return next((verdict for verdict in verdicts if verdict.gate == "drift"), None)


def test_a_blocking_policy_keeps_promotions_waiting_and_says_what_differs(watcher: Watcher) -> None:
    watcher.policy("block")
    promotion = watcher.shop.promote("1.1.0")
    taken_away(watcher.place)
    watcher.look()
    assert gate(watcher, promotion).decision is Decision.ALLOW
    watcher.look()
    verdict = gate(watcher, promotion)
    assert (verdict.decision, verdict.reason_codes) == (Decision.PENDING, ("drift",))
    assert verdict.message == "drifted from what was verified: dev-1: web does not run"
    watcher.policy("notify")
    assert gate(watcher, promotion) is None


def test_a_rollback_goes_through_drift(watcher: Watcher) -> None:
    watcher.policy("block")
    taken_away(watcher.place)
    watcher.look(), watcher.look()
    verdict = gate(watcher, watcher.shop.promote("1.0.0", intent="rollback"))
    assert verdict.decision is Decision.ALLOW


def row(watcher: Watcher, id: str | None) -> PromotionRecord:
    with watcher.shop.db.session() as s:
        found = promotions.get(s, id or "")
    assert found is not None
    return found


def drifting(watcher: Watcher) -> str:
    """The re-convergence that is asked for at the second look."""
    taken_away(watcher.place)
    watcher.look()
    asked = watcher.look().reconverge
    assert asked is not None
    return asked


def test_what_drifted_is_asked_for_once_more_by_fairlead_itself(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    asked = row(watcher, drifting(watcher))
    assert (asked.requester, asked.intent, asked.release) == ("fairlead", "reconverge", "1.0.0")
    assert asked.reason == "drift on dev-1"
    assert watcher.told() == ["drift_found", "reconverge_requested"]
    assert watcher.look().reconverge is None  # one at a time


def test_a_re_convergence_makes_anew_only_what_drifted(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    before = watcher.place.instances[0].id
    added(watcher.place)
    watcher.look()
    asked = watcher.look().reconverge
    watcher.deploy(row(watcher, asked))
    assert [(i.spec.name, i.id) for i in watcher.place.instances] == [("web", before)]
    assert watcher.look() == Watched(changed=("dev-1",))


def approved(watcher: Watcher) -> None:
    document = deepcopy(SHOP)
    document["environments"]["dev"] |= {"drift": {"policy": "reconverge"}, "approval": {"count": 1}}
    watcher.shop.apply(document)


def test_votes_are_asked_for_anew_only_where_something_else_would_run(watcher: Watcher) -> None:
    approved(watcher)
    asked = drifting(watcher)
    same = watcher.shop.evaluate(asked, 60 * watcher.minute)
    assert {verdict.decision for verdict in same.verdicts} == {Decision.ALLOW}
    assert same.approval is None
    document = deepcopy(SHOP)
    document["environments"]["dev"] |= {"approval": {"count": 1}, "config": {"env": {"GREETING": "hej"}}}
    watcher.shop.apply(document)
    other = watcher.shop.evaluate(asked, 60 * watcher.minute)
    assert [v.reason_codes for v in other.verdicts if v.decision is Decision.PENDING] == [("votes_missing",)]


def test_a_hold_stops_it_too(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    watcher.hold()
    taken_away(watcher.place)
    watcher.look()
    assert watcher.look().reconverge is None
    with watcher.shop.db.session() as s:
        looked = known.drifted(s, "shop", environment(watcher), watcher.time)
        remedy = known.remedy(s, "shop", environment(watcher), looked, watcher.time)
    assert remedy is not None
    assert remedy.restrained == ("hold",)


def test_it_is_tried_so_often_in_an_hour_and_stops_when_it_does_not_help(watcher: Watcher) -> None:
    watcher.policy("reconverge", per_hour=2, give_up_after=3)
    asked = [drifting(watcher)]
    for minutes in (5, 5, 60, 60, 60):
        if asked[-1]:
            watcher.end(asked[-1], "rejected")
        asked.append(watcher.look(minutes).reconverge or "")
    assert [bool(id) for id in asked] == [True, True, False, True, False, False]
    assert watcher.told().count("reconverge_requested") == 3
    assert watcher.told().count("reconverge_stopped") == 1
    watcher.deploy(watcher.shop.promote("1.1.0"))  # somebody looks into it
    assert drifting(watcher)


async def test_what_was_asked_for_is_begun(watcher: Watcher) -> None:
    watcher.policy("reconverge")
    asked = drifting(watcher)
    await ActivityEnvironment().run(watcher.drift.begin, PromotionRef(promotion=asked))
    client = watcher.drift._client
    described = await client.get_workflow_handle(names.promotion_workflow(asked)).describe()
    assert described.workflow_type == names.PROMOTION
