"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.durations import MAX_SECONDS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5.0), ("10m", 600.0), ("1h30m", 5400.0), ("1m500ms", 60.5), ("2d", 172_800.0), ("0s", 0.0)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 s", "-5s", "1.5s", "30m1h", "5s5s", "5s\n", "5sm", "١s", "400d", "9" * 40 + "s"]
)
def test_another_notation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|year"):
        parse_duration(text)


@given(st.integers(0, int(MAX_SECONDS) * 1000))
def test_the_shortest_notation_reads_back(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000
