"""The order of targets and of components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalogue import Strategy, StrategyType
from fairlead.domain.nearest import did_you_mean, nearest
from fairlead.domain.waves import start_order, waves

ROLLING = StrategyType.ROLLING


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Strategy(), (("a", "b", "c"),)),
        (Strategy(ROLLING, batch=1), (("a",), ("b",), ("c",))),
        (Strategy(ROLLING, batch=2), (("a", "b"), ("c",))),
        (Strategy(ROLLING, batch=9), (("a", "b", "c"),)),
    ],
)
def test_targets_change_in_batches(strategy: Strategy, expected: tuple[tuple[str, ...], ...]) -> None:
    assert waves(["a", "b", "c"], strategy) == expected


@given(st.lists(st.text(), unique=True), st.integers(1, 5))
def test_every_target_is_in_one_wave_in_the_order_declared(targets: list[str], batch: int) -> None:
    found = waves(targets, Strategy(ROLLING, batch=batch))
    assert [target for wave in found for target in wave] == targets


@given(st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9))))
def test_a_component_starts_after_what_it_depends_on(graph: dict[int, set[int]]) -> None:
    acyclic = {str(name): [str(n) for n in needs if n < name] for name, needs in graph.items()}
    order = start_order(acyclic)
    assert sorted(order) == sorted(acyclic)
    assert all(order.index(n) < order.index(name) for name in acyclic for n in acyclic[name] if n in acyclic)


def test_names_decide_where_dependencies_do_not() -> None:
    assert start_order({"web": ["api"], "api": [], "db": []}) == ("api", "db", "web")


def test_a_close_name_is_offered() -> None:
    assert nearest("stagign", ["dev", "staging", "prod"]) == ("staging",)
    assert did_you_mean("stagign", ["dev", "staging"]) == "; did you mean staging?"


def test_without_a_close_name_the_valid_ones_are_listed() -> None:
    assert did_you_mean("zzz", ["dev", "prod"]) == "; there is dev, prod"
    assert did_you_mean("zzz", []) == ""
