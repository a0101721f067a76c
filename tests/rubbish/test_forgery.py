"""A real bundle, changed everywhere by somebody without a key: each change is refused and names its rule."""

import json
from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from fairlead.evidence import bundle as bundles
from tests.evidence import world as w
from tests.evidence.forging import names_of

GENUINE = bundles.write(w.told(w.rolled_back).bundle())
DOCUMENT = json.loads(GENUINE)
NO_SHRINKING = (Phase.explicit, Phase.generate)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, child in inner for place in ((*path, key), *places(child, (*path, key)))]


def other(value: Any) -> Any:
    """A value of the same type that is not the same."""
    if isinstance(value, str):
        return value[:-1] + ("A" if value[-1:] != "A" else "B")
    return value + 1 if isinstance(value, int) else type(value)()


def without_or_with(path: tuple[Any, ...], change: str) -> dict[str, Any]:
    """The document with one place removed or changed."""
    document = json.loads(GENUINE)
    *steps, last = path
    holder = document
    for step in steps:
        holder = holder[step]
    if change == "removed":
        del holder[last]
    else:
        holder[last] = other(holder[last])
    return document


@seed(500)
@settings(max_examples=500, deadline=None, phases=NO_SHRINKING, database=None)
@given(st.integers(0, len(GENUINE) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_refused(position: int, bit: int) -> None:
    data = bytearray(GENUINE)
    data[position] ^= 1 << bit
    report = w.judged(bytes(data))
    assert not report.verified
    assert report.failed


@pytest.mark.parametrize("change", ["removed", "changed"])
def test_every_field_of_a_bundle_matters(change: str) -> None:
    unnoticed = []
    for path in places(DOCUMENT):
        document = without_or_with(path, change)
        if document != DOCUMENT and not w.judged(document).failed:
            unnoticed.append(path)
    assert unnoticed == []


def inputs_of(name: str) -> int:
    """How many inputs a statement lists."""
    found: list[int] = []

    def look(document: dict[str, Any]) -> None:
        predicate = document["predicate"]
        found.append(len(predicate.get("inputs", predicate.get("inputAttestations", []))))

    w.told(w.rolled_back, tamper={name: look})
    return found[0]


def dropping(index: int) -> w.Tamper:
    """Leaves out one input, by whoever holds the key."""

    def drop(document: dict[str, Any]) -> None:
        predicate = document["predicate"]
        del (predicate["inputs"] if "inputs" in predicate else predicate["inputAttestations"])[index]

    return drop


INPUTS = [(name, index) for name in names_of(w.rolled_back) for index in range(inputs_of(name))]


@pytest.mark.parametrize(("name", "index"), INPUTS)
def test_every_input_is_required(name: str, index: int) -> None:
    report = w.judged(w.told(w.rolled_back, tamper={name: dropping(index)}).bundle())
    assert not report.verified
    assert report.failed
