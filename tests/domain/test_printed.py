"""What was printed is kept whole line by whole line, bounded, and never with a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.masking import MASK
from fairlead.domain.printed import WITHHELD, harmless, presentable

SECRET = "hunter2-hunter2"


def test_secrets_are_masked_and_the_last_lines_stay() -> None:
    text = f"starting\ntoken {SECRET}\nready\n"
    assert presentable(text, [SECRET], lines=2, most=1000) == f"token {MASK}\nready"


def test_what_cannot_be_masked_is_withheld() -> None:
    assert presentable("anything", None, lines=9, most=1000) == WITHHELD
    assert presentable("", None, lines=9, most=1000) == ""


def test_the_first_line_of_what_came_cut_goes() -> None:
    cut = f"{SECRET[4:]} half a secret\nready"
    assert presentable(cut, [SECRET], lines=9, most=len(cut)) == "ready"


def test_nothing_that_a_database_cannot_hold_stays() -> None:
    assert presentable("a\0b\udc80", (), lines=9, most=1000) == "ab?"


@given(st.text(max_size=300), st.integers(1, 10), st.integers(1, 200))
def test_it_is_never_more_than_was_asked_for(text: str, lines: int, most: int) -> None:
    shown = presentable(text, [SECRET], lines=lines, most=most)
    assert len(shown.splitlines()) <= lines
    assert len(shown) <= most


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("tab\tand\nline, hej å", "tab\tand\nline, hej å"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\rgone\x9b2K", "\\x1b[2J\\x0dgone\\x9b2K"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
    ],
)
def test_nothing_that_others_wrote_steers_a_terminal(written: str, shown: str):
    assert harmless(written) == shown
