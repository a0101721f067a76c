"""When a difference is drift, and when putting it right has to wait or stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalogue import DriftRule
from fairlead.domain.drift import Attempt, Kind, Looks, in_vain, is_news, look_again, next_attempt

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
RULE = DriftRule(every=300.0, per_hour=2, give_up_after=3)


@dataclass(frozen=True)
class Seen:
    kind: Kind
    component: str | None = "web"


WRONG, MISSING, BLIND = Seen(Kind.WRONG_DIGEST), Seen(Kind.MISSING), Seen(Kind.UNREACHABLE, None)
OTHER = Seen(Kind.MISSING, "api")


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def looks(*each: Sequence[Seen]) -> Looks[Seen]:
    found: Looks[Seen] = Looks()
    for number, seen in enumerate(each):
        found = look_again(found, seen, minute(number))
    return found


@pytest.mark.parametrize(
    ("each", "drift", "since"),
    [
        ([[WRONG]], (), 0),
        ([[WRONG], [WRONG]], (WRONG,), 0),
        ([[], [WRONG], [WRONG]], (WRONG,), 1),
        ([[WRONG], [MISSING]], (MISSING,), 0),  # the same component, otherwise wrong
        ([[WRONG], [OTHER]], (), 0),  # another component: seen once
        ([[WRONG], [WRONG, OTHER]], (WRONG,), 0),
        ([[WRONG], [], [WRONG]], (), 2),
        ([[WRONG], [WRONG], []], (), None),
        ([[BLIND], [BLIND]], (), None),
        ([[WRONG], [BLIND], [WRONG]], (WRONG,), 0),  # nothing was seen in between
        ([[WRONG], [WRONG], [BLIND]], (WRONG,), 0),
    ],
)
def test_what_has_been_seen_twice_in_a_row_is_drift(
    each: list[list[Seen]], drift: tuple[Seen, ...], since: float | None
) -> None:
    found = looks(*each)
    assert (found.drift, found.since) == (drift, None if since is None else minute(since))


findings = st.lists(st.builds(Seen, st.sampled_from(list(Kind)), st.sampled_from(["web", "api"])), max_size=3)


@given(st.lists(findings, max_size=6), findings)
def test_drift_is_always_part_of_what_was_seen_last_and_never_unreachable(
    before: list[list[Seen]], last: list[Seen]
) -> None:
    found = looks(*before, last)
    assert set(found.drift) <= set(found.seen)
    assert all(seen.kind is not Kind.UNREACHABLE for seen in found.drift)
    assert (found.since is None) == (not found.seen)


@given(st.lists(findings, max_size=6), findings)
def test_a_look_twice_taken_is_drift_and_a_clean_one_ends_it(before: list[list[Seen]], last: list[Seen]) -> None:
    twice = looks(*before, last, last)
    if all(seen.kind is not Kind.UNREACHABLE for seen in last):
        assert set(twice.drift) == set(last)
    assert look_again(twice, [], NOON) == Looks()


def test_only_what_differs_otherwise_is_news() -> None:
    assert not is_news([WRONG, OTHER], [OTHER, WRONG])
    assert is_news([WRONG], [MISSING])
    assert is_news([], [WRONG])


def tried(*at: float, succeeded: bool = True) -> list[Attempt]:
    """Attempts that took a minute each."""
    return [Attempt(minute(each), minute(each + 1), succeeded) for each in at]


@pytest.mark.parametrize(
    ("attempts", "since", "now", "expected"),
    [
        ([], 0, 5, (True, None, False)),
        ([Attempt(minute(0))], 0, 5, (False, None, False)),  # one is under way
        (tried(0), 10, 15, (True, None, False)),
        (tried(0, 20), 30, 35, (False, 60, False)),  # two in an hour: the next one at one o'clock
        (tried(0, 20), 30, 61, (True, None, False)),
        (tried(0, 20, 61), 70, 75, (False, None, True)),  # three in a row in vain
        (tried(0, 20, 61), 300, 305, (True, None, False)),  # the last one helped for hours
        (tried(0, 20, 61, succeeded=False), 300, 305, (False, None, True)),  # it never did
    ],
)
def test_it_is_put_right_now_later_or_not_any_more(
    attempts: list[Attempt], since: float, now: float, expected: tuple[bool, float | None, bool]
) -> None:
    goes_on, at, stopped = expected
    answer = next_attempt(RULE, attempts, minute(since), minute(now))
    assert (answer.now, answer.at, answer.stopped) == (goes_on, None if at is None else minute(at), stopped)


def test_where_looks_are_rare_calm_lasts_longer() -> None:
    rare = DriftRule(every=6 * 3600.0)
    assert in_vain(rare, tried(0), minute(6 * 60)) == 1
    assert in_vain(RULE, tried(0), minute(6 * 60)) == 0


@given(
    gaps=st.lists(st.floats(1, 600), max_size=30),
    per_hour=st.integers(1, 5),
    give_up_after=st.integers(1, 5),
    succeeded=st.booleans(),
)
def test_whoever_obeys_never_tries_more_than_the_rule_says(
    gaps: list[float], per_hour: int, give_up_after: int, succeeded: bool
) -> None:
    rule = DriftRule(per_hour=per_hour, give_up_after=give_up_after)
    made: list[Attempt] = []
    now = 0.0
    for gap in gaps:
        now += gap
        if next_attempt(rule, made, minute(now), minute(now)).now:
            made += tried(now, succeeded=succeeded)
    times = [attempt.asked for attempt in made]
    assert all(sum(end - timedelta(hours=1) < time <= end for time in times) <= per_hour for end in times)
    assert succeeded or len(made) <= give_up_after
