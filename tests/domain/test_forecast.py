"""What targets say would change: no difference is passed over, no value shown that may be secret, no more told than is read."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.forecast import MOST, WIDTH, bounded, change, differences

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
NAMED = st.lists(st.fixed_dictionaries({"name": NAMES, "value": st.integers(0, 2)}), max_size=3)
VALUES = st.recursive(
    st.integers(0, 2) | st.text(max_size=2) | NAMED,
    lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_there_is_a_difference_just_where_two_are_not_the_same(old: Any, new: Any) -> None:
    assert bool(list(differences(old, new))) == (_plain(old) != _plain(new))


def _plain(value: Any) -> Any:
    """Named things mean the same in any order, and what is not there is as good as nothing."""
    if isinstance(value, list) and value and all(isinstance(one, dict) and "name" in one for one in value):
        named = {one["name"]: one for one in value}
        value = (
            {n: {k: v for k, v in one.items() if k != "name"} for n, one in named.items()}
            if len(named) == len(value)
            else value
        )
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, dict) else value


def test_lists_of_what_has_a_name_are_compared_by_name() -> None:
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    new = {"env": [{"name": "B", "value": "3"}, {"name": "A", "value": "1"}]}
    assert list(differences(old, new)) == [("env.B.value", "2", "3")]


@pytest.mark.parametrize(
    ("old", "new", "shows", "said"),
    [
        ("a", "b", True, "x: a -> b"),
        (None, 2, True, "x: nothing -> 2"),
        (0, False, True, "x: 0 -> False"),
        ("hush", "quiet", False, "x changes"),
        ("", "quiet", False, "x comes"),
        ({"A": "hush"}, {}, False, "x goes"),
    ],
)
def test_what_is_not_to_be_shown_is_told_without_its_values(old: Any, new: Any, shows: bool, said: str) -> None:
    assert change("x", old, new, shows=shows) == said


@given(st.lists(st.text(max_size=2 * WIDTH), max_size=2 * MOST))
def test_lines_stay_lines_and_are_no_more_than_are_read(lines: list[str]) -> None:
    said = bounded(lines)
    assert len(said) <= MOST + 1
    assert all(len(line) <= WIDTH and line.isprintable() for line in said)
    left = len(lines) - MOST
    assert said[MOST:] == ((f"and {left} more",) if left > 0 else ())
