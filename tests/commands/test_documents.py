"""Untrusted YAML into a plain tree."""

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fairlead.commands.documents import MAX_BYTES, MAX_DEPTH, read_document
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

TEXT = """\
project: shop
people:
  ana: {groups: [sre, dev]}
  ben:
    groups:
    - dev
"""


def test_a_tree_knows_where_everything_stands() -> None:
    document = read_document(TEXT)
    assert document.root == {
        "project": "shop",
        "people": {"ana": {"groups": ["sre", "dev"]}, "ben": {"groups": ["dev"]}},
    }
    assert document.places["/people/ana"] == (3, 3)
    assert document.places["/people/ana/groups/1"] == (3, 23)
    assert document.places["/people/ben/groups/0"] == (6, 7)


def test_what_is_not_there_stands_where_it_is_missing_from() -> None:
    assert read_document(TEXT).place("/people/ana/keys/0") == (3, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("5", 5),
        ("-3", -3),
        ("1.5", 1.5),
        ("yes", "yes"),
        ("NO", "NO"),
        ("off", "off"),
        ("1.10", "1.10"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("0o7", "0o7"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("12345678901234567890", "12345678901234567890"),
        ("<<", "<<"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_scalars_mean_what_people_expect(text: str, value: Any) -> None:
    found = read_document(f"key: {text}").root["key"]
    assert (found, type(found)) == (value, type(value))


DEEP = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.DOCUMENT_MALFORMED),
        ("# only a comment", Code.DOCUMENT_MALFORMED),
        ("a: [1", Code.DOCUMENT_MALFORMED),
        ("a: b: c", Code.DOCUMENT_MALFORMED),
        ("a: 1\n---\nb: 2", Code.DOCUMENT_MALFORMED),
        ("a: &x 1\nb: *x", Code.DOCUMENT_MALFORMED),
        ("a: *x", Code.DOCUMENT_MALFORMED),
        ("a: !!python/object/apply:os.system [id]", Code.DOCUMENT_MALFORMED),
        ("a: !!str 5", Code.DOCUMENT_MALFORMED),
        ("? [a, b]\n: 1", Code.DOCUMENT_MALFORMED),
        ("? {a: b}\n: 1", Code.DOCUMENT_MALFORMED),
        ('a: "\\0"', Code.DOCUMENT_MALFORMED),
        ("a: \x00", Code.DOCUMENT_MALFORMED),
        ('a: "\\ud800"', Code.DOCUMENT_MALFORMED),
        ("a: \ud800", Code.DOCUMENT_MALFORMED),
        (b"a: \xff", Code.DOCUMENT_MALFORMED),
        ("a: 1".encode("utf-16"), Code.DOCUMENT_MALFORMED),
        ("a: 1\nb: 2\na: 3", Code.DUPLICATE_KEY),
        ('{"a": 1, "a": 2}', Code.DUPLICATE_KEY),
        (DEEP, Code.DOCUMENT_TOO_DEEP),
        ("[" * 400_000, Code.DOCUMENT_TOO_DEEP),
        ("- " * 400_000, Code.DOCUMENT_TOO_DEEP),
        ("{a: " * 200_000, Code.DOCUMENT_TOO_DEEP),
        ("a: " + "x" * MAX_BYTES, Code.DOCUMENT_TOO_LARGE),
        ("[" + "1," * 60_000 + "1]", Code.DOCUMENT_TOO_LARGE),
    ],
    ids=range(25),
)
def test_what_is_no_plain_bounded_document_is_refused(text: str | bytes, code: Code) -> None:
    with pytest.raises(BadInput) as refused:
        read_document(text)
    assert refused.value.code is code


def test_a_refusal_says_where() -> None:
    with pytest.raises(BadInput) as refused:
        read_document("a: 1\nb: 2\na: 3")
    assert (refused.value.flaws[0].line, refused.value.flaws[0].column) == (3, 1)


def test_a_byte_order_mark_and_tabs_in_json_are_fine() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1").root == {"a": 1}
    assert read_document('{\n\t"a":\t[1, true, null]\n}').root == {"a": [1, True, None]}


plain = st.text(st.characters(codec="utf-8", exclude_characters="\0", max_codepoint=0xFFFF), max_size=8)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-999_999, 999_999) | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=12,
)


@given(trees)
def test_json_reads_as_json(tree: Any) -> None:
    assert read_document(json.dumps(tree)).root == tree


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(st.dictionaries(printable, st.lists(printable | st.integers(-999, 999) | st.booleans() | st.none())))
def test_what_pyyaml_writes_reads_back(tree: Any) -> None:
    assert read_document(yaml.safe_dump(tree, sort_keys=False)).root == tree


@given(st.text() | st.binary())
def test_nothing_but_a_refusal_comes_out_of_garbage(text: str | bytes) -> None:
    with suppress(BadInput):
        read_document(text)
