"""Whose turn it is in a lane."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.lane import FREEZE, HOLD, Restraint, Turn, Waiting, blockers, is_older, next_turn

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FROZEN = Restraint("f1", FREEZE, "sale", "ana", NOW, LATER)
HELD = Restraint("h1", HOLD, "1.2.0 went back", "fairlead", NOW)

plain = Waiting("plain", "1.1.0", 2)
through = Waiting("through", "1.1.0", 2, through_hold=True)
back = Waiting("back", "1.0.0", 1, is_rollback=True)
older = Waiting("older", "1.0.0", 1)


@pytest.mark.parametrize(
    ("waiting", "restraints", "codes"),
    [
        (plain, [], []),
        (plain, [FROZEN], ["frozen"]),
        (plain, [HELD], ["held"]),
        (plain, [FROZEN, HELD], ["frozen", "held"]),
        (through, [HELD], []),
        (through, [FROZEN, HELD], ["frozen"]),
        (back, [FROZEN, HELD], []),
    ],
)
def test_what_stops_whom(waiting: Waiting, restraints: list[Restraint], codes: list[str]) -> None:
    assert [blocker.code for blocker in blockers(waiting, restraints, NOW)] == codes


def test_a_freeze_holds_from_its_start_up_to_but_without_its_end() -> None:
    moments = [NOW - timedelta(microseconds=1), NOW, LATER - timedelta(microseconds=1), LATER]
    assert [bool(blockers(plain, [FROZEN], now)) for now in moments] == [False, True, True, False]


@pytest.mark.parametrize(
    ("waiting", "verified", "expected"),
    [(older, 2, True), (older, 1, False), (older, None, False), (back, 2, False)],
)
def test_an_older_release_is_one_created_before_the_one_verified_there(
    waiting: Waiting, verified: int | None, expected: bool
) -> None:
    assert is_older(waiting, verified) is expected


def test_first_come_first_served() -> None:
    assert next_turn([plain, through], [], None, NOW) == Turn("plain")


def test_who_may_pass_goes_before_who_may_not() -> None:
    assert next_turn([plain, through, back], [HELD], None, NOW).promotion == "through"
    assert next_turn([plain, through, back], [HELD, FROZEN], None, NOW).promotion == "back"


def test_the_older_one_is_thrown_out_at_its_turn() -> None:
    assert next_turn([older, plain], [], 2, NOW) == Turn("plain", refused=("older",))


def test_an_older_one_is_not_judged_while_it_is_kept_in_place() -> None:
    assert next_turn([older], [FROZEN], 2, NOW).refused == ()


def test_a_kept_head_says_why_and_until_when() -> None:
    turn = next_turn([plain], [FROZEN], None, NOW)
    assert (turn.promotion, turn.next_at) == (None, LATER)
    assert turn.blocked_by[0].details["reason"] == "sale"


def test_time_alone_does_not_end_a_hold() -> None:
    assert next_turn([plain], [FROZEN, HELD], None, NOW).next_at is None
    assert next_turn([plain, through], [FROZEN, HELD], None, NOW).next_at == LATER


anyone = st.builds(
    Waiting,
    promotion=st.text(min_size=1),
    release=st.just("r"),
    ordinal=st.integers(1, 5),
    is_rollback=st.booleans(),
    through_hold=st.booleans(),
)


@given(
    st.lists(anyone, unique_by=lambda w: w.promotion),
    st.lists(st.sampled_from([FROZEN, HELD])),
    st.none() | st.integers(1, 5),
)
def test_the_turn_is_of_the_first_that_nothing_stops(
    queue: list[Waiting], restraints: list[Restraint], verified: int | None
) -> None:
    turn = next_turn(queue, restraints, verified, NOW)
    free = [w.promotion for w in queue if not blockers(w, restraints, NOW) and not is_older(w, verified)]
    assert turn.promotion == (free[0] if free else None)
    assert turn.promotion not in turn.refused
