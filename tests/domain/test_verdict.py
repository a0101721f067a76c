"""How several answers become one, and how the worst health is found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.health import Health, worst
from fairlead.domain.verdict import Decision, Verdict, combine, look_again_at, next_evaluation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALLOW = Verdict("freeze", Decision.ALLOW, (), "", "f", "p", NOW)
verdicts = st.lists(st.sampled_from(Decision).map(lambda decision: replace(ALLOW, decision=decision)))


@given(verdicts)
def test_only_allow_alone_allows(given_verdicts: list[Verdict]) -> None:
    allowed = all(verdict.decision is Decision.ALLOW for verdict in given_verdicts)
    assert (combine(given_verdicts) is Decision.ALLOW) == allowed


@given(verdicts)
def test_one_deny_denies(given_verdicts: list[Verdict]) -> None:
    assert combine([*given_verdicts, replace(ALLOW, decision=Decision.DENY)]) is Decision.DENY


def test_the_next_evaluation_is_the_earliest_of_those_that_do_not_allow() -> None:
    at = [NOW + timedelta(hours=hours) for hours in (1, 2, 3)]
    given_verdicts = [
        replace(ALLOW, next_evaluation_at=at[0]),
        replace(ALLOW, decision=Decision.PENDING, next_evaluation_at=at[2]),
        replace(ALLOW, decision=Decision.ERROR, next_evaluation_at=at[1]),
    ]
    assert next_evaluation(given_verdicts) == at[1]


BEFORE, SOON, LATE = (NOW + timedelta(minutes=minutes) for minutes in (-1, 1, 5))


@pytest.mark.parametrize(
    ("due", "votes_expire", "expected"),
    [
        (None, None, LATE),
        (SOON, None, SOON),
        (BEFORE, None, NOW),  # it became due while the last answer was written down
        (None, SOON, SOON),
        (None, BEFORE, LATE),
        (SOON, BEFORE, SOON),
    ],
)
def test_gates_are_asked_again_as_soon_as_they_may_answer_otherwise(
    due: datetime | None, votes_expire: datetime | None, expected: datetime
) -> None:
    assert look_again_at(NOW, due=due, votes_expire=votes_expire, latest=LATE) == expected


@given(st.lists(st.sampled_from(Health), min_size=1))
def test_the_worst_health_is_the_last_in_order(healths: list[Health]) -> None:
    assert worst(healths) == list(Health)[max(list(Health).index(h) for h in healths)]


def test_nothing_is_missing() -> None:
    assert worst([]) is Health.MISSING
