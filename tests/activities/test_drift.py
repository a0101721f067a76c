"""Looking between deployments: what counts as drift, and what is told and sealed of it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from agents.memory.world import Place
from fairlead.commands import drift as known
from fairlead.commands import inventory
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.drift import LooksTaken, Watched
from fairlead.contracts.records import EnvelopeRecord
from fairlead.evidence.envelope import read_envelope
from fairlead.store import ledger, looks, observations
from tests.activities.watcher import DEV, Watcher, added, configured, replaced, stopped, taken_away

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
        assert known.drifted(s, "shop", watcher.environment, watcher.time) == ()
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
