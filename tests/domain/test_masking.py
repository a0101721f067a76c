"""What leaves us holds no secret, however it is written there."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.masking import MASK, SHORTEST, mask, mask_all

SECRET = "p4ss w/rd+ü\n\"sechs\" & 'sieben'"

TEXT = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), max_size=60)
VALUE = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=SHORTEST, max_size=20)


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr(SECRET),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_it_is_masked_however_it_is_written(written: str) -> None:
    assert mask(f"<{written}>", [SECRET]).replace("=", "") in {
        f"<{MASK}>",
        f"<'{MASK}'>",
        f"<{MASK}{MASK}>",
        f'<"{MASK}">',
    }


@pytest.mark.parametrize("user", ["a", "ab", "abc"])
def test_basic_authorisation_tells_no_password(user: str) -> None:
    header = base64.b64encode(f"{user}:correct-horse-battery".encode()).decode()
    said = mask(f"authorization: Basic {header}", ["correct-horse-battery"])
    assert MASK in said
    assert len(said) < len(f"authorization: Basic {header}") - 20


def test_lines_of_a_key_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAA\n-----END KEY-----\n"
    assert mask("log: MC4CAQAwBQYDK2VwBCIEIAAA\n", [key]) == f"log: {MASK}\n"


def test_the_longest_goes_first() -> None:
    assert mask("secret-and-more", ["secret", "secret-and-more"]) == MASK


def test_what_is_short_is_left() -> None:
    assert mask("a no is a no", ["no", ""]) == "a no is a no"


@given(TEXT, TEXT, VALUE)
def test_no_value_is_left(before: str, after: str, value: str) -> None:
    assert value not in mask(before + value + after, [value])


@given(TEXT, VALUE)
def test_masking_twice_is_masking_once(text: str, value: str) -> None:
    once = mask(text, [value])
    assert mask(once, [value]) == once


@given(TEXT)
def test_without_secrets_nothing_changes(text: str) -> None:
    assert mask(text, []) == text


def test_documents_are_masked_throughout() -> None:
    said = {"log": ["it is hunter22", {"hunter22": 5}], "pair": ("hunter22", None)}
    assert mask_all(said, ["hunter22"]) == {"log": [f"it is {MASK}", {MASK: 5}], "pair": (MASK, None)}
