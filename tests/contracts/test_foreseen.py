"""What would change on a target, by what is seen there."""

from typing import Any

import pytest

from fairlead.contracts.foreseen import foreseen
from fairlead.contracts.target import TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.health import Health
from tests.contracts.test_compare import INDEX, OTHER, WEB, seen


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "web stays as it is"),
        ({"health": Health.MISSING}, "web is new"),
        ({"digest": OTHER}, f"web is replaced: runs {OTHER}, not {INDEX}"),
        ({"config": OTHER}, "web is replaced: its configuration is another"),
        ({"digest": None}, "web is replaced: nobody can say what runs"),
        (
            {"health": Health.UNHEALTHY, "detail": "answers 500"},
            "web runs already, and is not healthy: web answers 500",
        ),
    ],
)
def test_what_is_seen_says_what_would_change(changes: dict[str, Any], line: str) -> None:
    assert foreseen([WEB], seen(**changes)).lines == (line,)


def test_what_is_not_wanted_goes() -> None:
    assert foreseen([], seen()).lines == ("web goes",)


def test_a_target_that_cannot_be_reached_says_nothing() -> None:
    with pytest.raises(Unavailable) as raised:
        foreseen([WEB], TargetObservation(target="a", reachable=False, detail="no route"))
    assert (raised.value.code, raised.value.detail) == (Code.TARGET_UNREACHABLE, "no route")
