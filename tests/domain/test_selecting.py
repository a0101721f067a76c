"""Targets chosen by their labels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalogue import Target, TargetType
from fairlead.domain.catalogue_document import document
from fairlead.domain.catalogue_rules import read
from fairlead.domain.selecting import chosen, none_chosen
from tests.domain.documents import good_with

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)


def target(name: str, labels: dict[str, str]) -> Target:
    return Target(name, TargetType.PROCESS_HOST, f"process:{name}", labels)


TARGETS = st.lists(LABELS, max_size=6).map(
    lambda found: {name: target(name, labels) for name, labels in ((f"t{i}", each) for i, each in enumerate(found))}
)


def selecting(labels: dict[str, str]) -> Any:
    given_labels = good_with("targets/dev-1/labels", {"region": "eu", "tier": "1"})
    given_labels["environments"]["dev"]["targets"] = {"select": labels}
    return given_labels


@given(LABELS, TARGETS)
def test_just_those_with_all_the_labels_are_chosen_in_order(labels: dict[str, str], targets: dict[str, Target]) -> None:
    found = chosen(labels, targets)
    assert list(found) == sorted(found)
    assert {n for n in targets if all(targets[n].labels.get(k) == v for k, v in labels.items())} == set(found)


@given(LABELS, TARGETS)
def test_the_order_in_which_targets_are_written_is_nothing(labels: dict[str, str], targets: dict[str, Target]) -> None:
    assert chosen(labels, targets) == chosen(labels, dict(reversed(targets.items())))


def test_an_environment_takes_the_targets_it_selects_and_reads_back() -> None:
    read_once = read(selecting({"tier": "1", "region": "eu"}))
    assert read_once.flaws == ()
    environment = read_once.catalogue.environments["dev"]
    assert environment.targets == ("dev-1",)
    written = document(read_once.catalogue)
    assert written["environments"]["dev"]["targets"] == {"select": {"tier": "1", "region": "eu"}}
    assert document(read(written).catalogue) == written


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"regoin": "eu"}, "no target has a label 'regoin'; did you mean region?"),
        ({"region": "eu1"}, "no target has region=eu1; did you mean eu?"),
        ({"region": "eu", "tier": "2"}, "no target has tier=2; there is 1"),
        ({"region": "eu", "site": "ams"}, "no target has all of region=eu, site=ams"),
    ],
)
def test_choosing_nothing_is_refused_with_what_was_meant(labels: dict[str, str], says: str) -> None:
    flaws = [flaw for flaw in read(selecting(labels)).flaws if flaw.pointer.endswith("dev/targets/select")]
    assert [flaw.detail for flaw in flaws] == [says]


def test_without_any_labels_there_is_nothing_to_mean() -> None:
    assert none_chosen({"a": "b"}, {"t": target("t", {})}) == "no target has a label 'a'"
