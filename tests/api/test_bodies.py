"""JSON is read strictly, and what is read is what was sent."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bodies import MAX_DEPTH, read_json
from fairlead.domain.errors import BadInput

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_what_is_well_formed_is_read_as_it_is(value: object):
    assert read_json(json.dumps(value).encode()) == value


@given(st.binary())
def test_anything_else_is_refused_and_never_breaks(content: bytes):
    with suppress(BadInput):
        read_json(content)


@pytest.mark.parametrize(("depth", "fits"), [(MAX_DEPTH - 1, True), (MAX_DEPTH, True), (MAX_DEPTH + 1, False)])
def test_depth_is_limited_at_the_number_named(depth: int, fits: bool):
    text = b"[" * depth + b"]" * depth
    if fits:
        read_json(text)
        return
    with pytest.raises(BadInput) as caught:
        read_json(text)
    assert caught.value.code == "document_too_deep"


def test_a_key_with_nul_is_refused_too():
    with pytest.raises(BadInput) as caught:
        read_json(b'{"a": {"b\\u0000": 1}}')
    assert caught.value.flaws[0].pointer == "/a"


def test_what_is_not_json_is_told_by_line_and_column():
    with pytest.raises(BadInput) as caught:
        read_json(b'{\n  "a": x}')
    assert (caught.value.flaws[0].line, caught.value.flaws[0].column) == (2, 8)
