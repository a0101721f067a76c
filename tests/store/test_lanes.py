"""Queues keep their order, numbers are never given twice, one promotion at most has the place."""

import threading

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from fairlead.domain.errors import NotFound
from fairlead.store import lanes
from fairlead.store.database import Database
from tests.store import seeds
from tests.store.seeds import NOW, at
from tests.store.together import together


def enqueue(s: Session, id: str, environment: str = "prod"):
    seeds.promotion(s, id, environment=environment)
    return lanes.enqueue(s, promotion=id, project="shop", environment=environment, time=NOW)


def queue(s: Session) -> list[str]:
    return [place.promotion for place in lanes.waiting(s, "shop", "prod")]


def test_first_come_first_served(s: Session):
    for id in ("p2", "p1", "p3"):
        enqueue(s, id)
    assert queue(s) == ["p2", "p1", "p3"]


def test_queueing_again_changes_nothing(s: Session):
    first = enqueue(s, "p1")
    enqueue(s, "p2")
    assert lanes.enqueue(s, promotion="p1", project="shop", environment="prod", time=at(9)) == first
    assert queue(s) == ["p1", "p2"]


def test_who_has_left_queues_again_at_the_end(s: Session):
    enqueue(s, "p1")
    enqueue(s, "p2")
    lanes.set_status(s, "p1", "left", number=4, code="superseded")
    back = lanes.enqueue(s, promotion="p1", project="shop", environment="prod", time=at(9))
    assert queue(s) == ["p2", "p1"]
    assert (back.status, back.number, back.code, back.queued_at) == ("waiting", None, None, at(9))


@pytest.mark.parametrize("status", ["admitted", "refused", "done"])
def test_who_is_past_waiting_does_not_queue_again(s: Session, status: str):
    enqueue(s, "p1")
    lanes.set_status(s, "p1", status, number=1)
    assert lanes.enqueue(s, promotion="p1", project="shop", environment="prod", time=NOW).status == status


def test_the_admitted_one_is_the_holder(s: Session):
    enqueue(s, "p1")
    assert lanes.holder(s, "shop", "prod") is None
    lanes.set_status(s, "p1", "admitted", number=7)
    held = lanes.holder(s, "shop", "prod")
    assert (held.promotion, held.number) == ("p1", 7)
    assert queue(s) == []


def test_the_place_is_given_to_one_only(s: Session):
    enqueue(s, "p1")
    enqueue(s, "p2")
    lanes.set_status(s, "p1", "admitted", number=1)
    with pytest.raises(IntegrityError, match="queue_one_admitted"):
        lanes.set_status(s, "p2", "admitted", number=2)
    s.rollback()


def test_a_number_stays_when_the_status_moves_on(s: Session):
    enqueue(s, "p1")
    lanes.set_status(s, "p1", "admitted", number=7)
    assert lanes.set_status(s, "p1", "done").number == 7


def test_who_is_in_no_queue_has_no_status(s: Session):
    assert lanes.get(s, "p1") is None
    with pytest.raises(NotFound):
        lanes.set_status(s, "p1", "left")


def test_numbers_count_from_1_for_each_environment(s: Session):
    assert [lanes.next_number(s, "shop", "prod") for _ in range(3)] == [1, 2, 3]
    assert lanes.next_number(s, "shop", "dev") == 1


def test_locking_a_lane_spends_no_number(s: Session):
    lanes.lock(s, "shop", "prod")
    assert lanes.next_number(s, "shop", "prod") == 1


def test_busy_lanes_are_those_where_somebody_waits_or_holds(s: Session):
    for id, environment in (("p1", "prod"), ("p2", "dev"), ("p3", "staging"), ("p4", "prod")):
        enqueue(s, id, environment)
    lanes.set_status(s, "p2", "admitted", number=1)
    lanes.set_status(s, "p3", "done")
    assert sorted(lanes.busy(s)) == [("shop", "dev"), ("shop", "prod")]


def test_numbers_are_never_given_twice(database: Database):
    given = together(database, lambda s, n: lanes.next_number(s, "shop", "prod"))
    assert sorted(given) == list(range(1, 21))


def test_positions_are_never_given_twice(database: Database):
    with database.session() as s:
        for n in range(20):
            seeds.promotion(s, f"p{n}")
    together(database, lambda s, n: lanes.enqueue(s, promotion=f"p{n}", project="shop", environment="prod", time=NOW))
    with database.session() as s:
        waiting = lanes.waiting(s, "shop", "prod")
    assert len({place.position for place in waiting}) == len(waiting) == 20


def test_one_promotion_queued_by_two_stands_once(database: Database):
    with database.session() as s:
        seeds.promotion(s, "p1")
    places = together(
        database, lambda s, n: lanes.enqueue(s, promotion="p1", project="shop", environment="prod", time=NOW)
    )
    assert len({place.position for place in places}) == 1


def test_a_locked_lane_keeps_others_out_until_the_end(database: Database):
    entered = threading.Event()

    def other() -> None:
        with database.session() as s:
            lanes.lock(s, "shop", "prod")
            entered.set()

    thread = threading.Thread(target=other)
    with database.session() as s:
        lanes.lock(s, "shop", "prod")
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()
