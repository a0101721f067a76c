"""What the facts that a target tells of itself mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.fitness import LEAST_ROOM, ROOM, SKEW, TargetFacts, judge
from fairlead.domain.grades import Grade

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def grades(**facts: Any) -> dict[str, Grade]:
    return {found.check: found.grade for found in judge(TargetFacts(**facts), NOW, NOW + SECOND)}


@pytest.mark.parametrize(
    ("facts", "check", "grade"),
    [
        ({}, "connects", Grade.OK),
        ({"version": "Linux"}, "version", Grade.OK),
        ({"time": NOW - SKEW}, "clock", Grade.OK),
        ({"time": NOW - SKEW - SECOND}, "clock", Grade.FAILED),
        ({"time": NOW + SECOND + SKEW}, "clock", Grade.OK),
        ({"time": NOW + 2 * SECOND + SKEW}, "clock", Grade.FAILED),
        ({"free": ROOM}, "disk", Grade.OK),
        ({"free": ROOM - 1}, "disk", Grade.WARNING),
        ({"free": LEAST_ROOM - 1}, "disk", Grade.FAILED),
        ({"writable": True, "folder": "/srv"}, "rights", Grade.OK),
        ({"writable": False, "folder": "/srv"}, "rights", Grade.FAILED),
        ({"restart": "unit"}, "restart", Grade.OK),
        ({"restart": "not_lingering"}, "restart", Grade.WARNING),
        ({"restart": "no_manager"}, "restart", Grade.WARNING),
        ({"capabilities": ("containers",)}, "capabilities", Grade.OK),
    ],
)
def test_each_fact_is_judged(facts: dict[str, Any], check: str, grade: Grade) -> None:
    assert grades(**facts)[check] is grade


def test_what_is_not_told_is_not_judged() -> None:
    assert set(grades()) == {"connects", "version"}


@given(st.builds(TargetFacts, free=st.none() | st.integers(0, 2**50), writable=st.none() | st.booleans()))
def test_whatever_is_wrong_says_what_mends_it(facts: TargetFacts) -> None:
    assert all(found.fix for found in judge(facts, NOW, NOW) if found.grade is not Grade.OK)
