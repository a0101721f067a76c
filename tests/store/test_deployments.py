"""Deployments and tasks, and what was last verified where."""

import pytest
from sqlmodel import Session

from fairlead.domain.errors import NotFound
from fairlead.store import deployments, releases
from fairlead.store.database import Database
from tests.store import seeds
from tests.store.seeds import at
from tests.store.together import together


def succeeded(s: Session, id: str, number: int, release: str, time: float, **more) -> None:
    seeds.deployment(s, id, number, release=release, **more)
    seeds.succeed(s, id, at(time))


def spans(s: Session, version: str):
    digest = releases.get(s, "shop", version).digest
    return deployments.verified_spans(s, "shop", "prod", digest)


def test_a_deployment_is_kept_once_with_its_tasks(s: Session):
    first = seeds.deployment(s)
    assert seeds.deployment(s, targets=("t3",)) == first
    assert [task.target for task in deployments.tasks(s, "p1")] == ["t1", "t2"]


def test_tasks_come_by_wave(s: Session):
    seeds.deployment(s, targets=("z", "a"))
    assert [(task.wave, task.target) for task in deployments.tasks(s, "p1")] == [(0, "z"), (1, "a")]


def test_an_attempt_counts_up_and_touches_its_target(s: Session):
    seeds.deployment(s)
    assert [deployments.next_attempt(s, "p1", "t1") for _ in range(2)] == [1, 2]
    touched = {task.target: (task.attempt, task.touched) for task in deployments.tasks(s, "p1")}
    assert touched == {"t1": (2, True), "t2": (0, False)}


def test_a_task_that_is_not_there_has_no_attempt(s: Session):
    with pytest.raises(NotFound):
        deployments.next_attempt(s, "p1", "t1")


def test_attempts_are_never_given_twice(database: Database):
    with database.session() as s:
        seeds.deployment(s)
    given = together(database, lambda s, n: deployments.next_attempt(s, "p1", "t1"))
    assert sorted(given) == list(range(1, 21))


def test_the_rollback_comes_last_of_its_promotion(s: Session):
    seeds.deployment(s, "p1", 1)
    seeds.deployment(s, "p1.rollback", 2, promotion="p1", is_rollback=True, rollback_of="p1")
    assert [d.id for d in deployments.of_promotion(s, "p1")] == ["p1", "p1.rollback"]


def test_a_rollback_gets_its_statement_after_its_row(s: Session):
    seeds.deployment(s)
    assert deployments.set_decision(s, "p1", seeds.DIGEST).decision == seeds.DIGEST
    with pytest.raises(NotFound):
        deployments.set_decision(s, "p2", seeds.DIGEST)


def test_running_are_those_that_have_not_ended(s: Session):
    succeeded(s, "p1", 1, "1.0.0", 0)
    seeds.deployment(s, "p2", 2)
    assert [d.id for d in deployments.running(s, "shop", "prod")] == ["p2"]


def test_last_verified_is_the_latest_that_succeeded(s: Session):
    assert deployments.last_verified(s, "shop", "prod") is None
    succeeded(s, "p1", 1, "1.0.0", 0)
    succeeded(s, "p2", 2, "1.1.0", 10)
    seeds.deployment(s, "p3", 3)
    assert deployments.last_verified(s, "shop", "prod").id == "p2"
    assert deployments.last_verified(s, "shop", "dev") is None


def test_a_target_goes_back_to_its_own_last_verified_task(s: Session):
    succeeded(s, "p1", 1, "1.0.0", 0, targets=("t1", "t2"))
    succeeded(s, "p2", 2, "1.1.0", 10, targets=("t1",))
    seeds.deployment(s, "p3", 3, release="1.2.0")
    last = {t: deployments.last_verified_task(s, "shop", "prod", t) for t in ("t1", "t2", "t9")}
    assert last["t1"].release == "1.1.0"
    assert last["t2"].release == "1.0.0"
    assert last["t9"] is None
    assert deployments.last_verified_task(s, "shop", "prod", "t1", before_number=2).release == "1.0.0"


def test_a_task_of_a_failed_deployment_is_no_verified_state(s: Session):
    seeds.deployment(s)
    seeds.task(s, "p1", "t1", "running")
    seeds.task(s, "p1", "t1", "succeeded")
    seeds.step(s, "p1", "ended", state="failed")
    assert deployments.last_verified_task(s, "shop", "prod", "t1") is None


def test_a_release_is_verified_until_another_is(s: Session):
    succeeded(s, "p1", 1, "1.0.0", 0)
    succeeded(s, "p2", 2, "1.0.0", 10)
    succeeded(s, "p3", 3, "1.1.0", 20)
    succeeded(s, "p4", 4, "1.0.0", 30)
    assert spans(s, "1.0.0") == [(at(0), at(20)), (at(30), None)]
    assert spans(s, "1.1.0") == [(at(20), at(30))]


def test_where_nothing_was_verified_there_are_no_spans(s: Session):
    assert deployments.verified_spans(s, "shop", "prod", seeds.DIGEST) == []


def test_what_only_failed_was_never_verified(s: Session):
    succeeded(s, "p1", 1, "1.0.0", 0)
    seeds.deployment(s, "p2", 2, release="1.1.0")
    seeds.step(s, "p2", "ended", state="failed")
    assert spans(s, "1.1.0") == []
    assert spans(s, "1.0.0") == [(at(0), None)]


def test_a_rollback_that_only_took_things_down_verified_nothing(s: Session):
    seeds.deployment(s, "p1", 1, targets=("t1",))
    taken_down = deployments.task(s, "p1", "t1").model_copy(update={"deployment": "p1.rollback", "retire": True})
    record = deployments.get(s, "p1").model_copy(update={"id": "p1.rollback", "number": 2, "is_rollback": True})
    deployments.insert(s, record, [taken_down])
    seeds.succeed(s, "p1.rollback", at(0))
    assert deployments.last_verified(s, "shop", "prod") is None
    assert spans(s, "1.0.0") == []
