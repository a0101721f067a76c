"""The laws of layers: maps merge, all else replaces, null deletes, and every value says where it came from."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.merging import Traced, compose, merge, origins, overlay

NAMES = st.sampled_from(["a", "b", "c/d", "~"])
LEAVES = st.one_of(
    st.integers(0, 3), st.text("xyz", max_size=2), st.lists(st.integers(0, 3), max_size=2), st.booleans()
)


def maps(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.recursive(leaves, lambda below: st.dictionaries(NAMES, below, max_size=3), max_leaves=8)
    return st.dictionaries(NAMES, inner, max_size=4)


BASES, PATCHES = maps(LEAVES), maps(LEAVES | st.none())


VARIABLES = st.dictionaries(NAMES, LEAVES | st.none(), max_size=3)
SHAPED = st.fixed_dictionaries({}, optional={"env": VARIABLES, "secrets": VARIABLES, "command": LEAVES | st.none()})
"""What layers say of components: what is a map in one is a map in all."""


def holds_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(map(holds_null, value.values())))


@given(BASES)
def test_an_empty_layer_changes_nothing_and_over_nothing_all_is_kept(base: dict[str, Any]) -> None:
    assert merge(base, {}) == base
    assert merge({}, base) == base


@given(BASES, PATCHES)
def test_laying_a_layer_twice_is_laying_it_once(base: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge(base, patch)
    assert merge(once, patch) == once


@given(SHAPED, SHAPED, SHAPED)
def test_two_layers_are_one_composed(base: dict[str, Any], first: dict[str, Any], then: dict[str, Any]) -> None:
    base = merge({}, base)
    assert merge(merge(base, first), then) == merge(base, compose(first, then))


@given(SHAPED, SHAPED, SHAPED)
def test_composing_is_associative(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert compose(compose(a, b), c) == compose(a, compose(b, c))


@given(BASES, PATCHES)
def test_no_null_is_left_and_what_is_not_named_stays(base: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge(base, patch)
    assert not holds_null(merged)
    assert {n: v for n, v in merged.items() if n not in patch} == {n: v for n, v in base.items() if n not in patch}


@given(BASES, PATCHES)
def test_a_leaf_of_the_later_layer_is_what_it_says_and_lists_are_replaced(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    merged = merge(base, patch)
    for name, value in patch.items():
        if value is None:
            assert name not in merged
        elif not isinstance(value, dict):
            assert merged[name] == value


def plain(tree: Any) -> Any:
    return tree.value if isinstance(tree, Traced) else {name: plain(inner) for name, inner in tree.items()}


@given(BASES, PATCHES, PATCHES)
def test_tracing_makes_just_what_merging_makes(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert plain(overlay([("a", a), ("b", b), ("c", c)])) == merge(merge(a, b), c)


@given(BASES, PATCHES)
def test_a_value_comes_from_the_last_layer_that_said_it(base: dict[str, Any], patch: dict[str, Any]) -> None:
    for at, traced in origins(overlay([("base", base), ("patch", patch)])):
        said: Any = {"base": base, "patch": patch}[traced.source]
        for step in at.split("/")[1:]:
            said = said[step.replace("~1", "/").replace("~0", "~")]
        assert said == traced.value


def test_neither_layer_is_changed() -> None:
    base, patch = {"a": {"b": 1}}, {"a": {"b": None, "c": 2}}
    assert merge(base, patch) == {"a": {"c": 2}}
    assert (base, patch) == ({"a": {"b": 1}}, {"a": {"b": None, "c": 2}})
