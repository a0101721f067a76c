"""Compose files are read with their aliases and merge keys, within bounds, and written so that nobody can take them for something else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.adapters.compose_yaml import MAX_DEPTH, MAX_NODES, read, write
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)
)
MERGES = "a: &a {k: v}\n" + "\n".join(
    f"m{i}: &m{i} {{<<: [*{'a' if i == 0 else f'm{i - 1}'}, *{'a' if i == 0 else f'm{i - 1}'}]}}" for i in range(40)
)


def test_aliases_and_merge_keys_are_written_out() -> None:
    text = "x-a: &a {restart: always, user: a}\nx-b: &b {user: b, tty: true}\nservices: {web: {<<: [*a, *b], image: x, list: [*a]}}"
    web = read(text)["services"]["web"]
    assert web == {
        "restart": "always",
        "user": "a",
        "tty": True,
        "image": "x",
        "list": [{"restart": "always", "user": "a"}],
    }


def test_the_own_key_goes_before_the_merged_one_wherever_it_stands() -> None:
    assert read("x: &x {a: 1}\ny: {a: 2, <<: *x}")["y"] == {"a": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("yes", "yes"),
        ("0x10", "0x10"),
        ("1.10", "1.10"),
        ("3", 3),
        ("true", True),
        ("'3'", "3"),
        ("", None),
    ],
)
def test_scalars_are_what_compose_takes_them_for(text: str, value: Any) -> None:
    assert read(f"v: {text}")["v"] == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (LAUGHS, Code.DOCUMENT_TOO_LARGE),
        (MERGES, Code.DOCUMENT_TOO_LARGE),
        ("a: " + "[" * 60 + "]" * 60, Code.DOCUMENT_TOO_DEEP),
        ("a: &a {b: *a}", Code.DOCUMENT_TOO_DEEP),
        ("a: " + "x" * 300_000, Code.DOCUMENT_TOO_LARGE),
        ("a: 1\na: 2", Code.DUPLICATE_KEY),
        ("- a", Code.DOCUMENT_MALFORMED),
        ("", Code.DOCUMENT_MALFORMED),
        ("a: [", Code.DOCUMENT_MALFORMED),
        ("a: 1\n---\nb: 2", Code.DOCUMENT_MALFORMED),
        ("{[a]: 1}", Code.DOCUMENT_MALFORMED),
        ("<<: 3", Code.DOCUMENT_MALFORMED),
        ('a: "\\0"', Code.DOCUMENT_MALFORMED),
        ("a: !!python/object/apply:os.system [id]", Code.DOCUMENT_MALFORMED),
        ("[" * 5000, Code.DOCUMENT_MALFORMED),
    ],
)
def test_what_is_not_taken(text: str, code: Code) -> None:
    with pytest.raises(BadInput) as refusal:
        read(text)
    assert refusal.value.code == code
    assert MAX_DEPTH < 60
    assert MAX_NODES < 100_000


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT.filter(lambda k: k != "<<"), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_TEXT.filter(lambda k: k != "<<"), _TREES, max_size=4))
def test_what_is_written_reads_back(tree: dict[str, Any]) -> None:
    assert read(write(tree)) == tree


@pytest.mark.parametrize(
    "text", ["0o17", "yes", "on", "22:22", "1e3", "~", "2026-01-01", "=", "<<", ".inf", "null", "y"]
)
def test_what_others_might_read_differently_is_quoted(text: str) -> None:
    assert write({"a": text}) == f'a: "{text}"\n'
