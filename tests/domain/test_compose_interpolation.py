"""Variables of compose files are resolved as Compose does it, but for what has no value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.compose.interpolation import BadExpression, Reference, escape, interpolate, unescape

KNOWN = {"A": "one", "EMPTY": "", "MONEY": "5$ ${A}", "PW": Reference("THE_PW")}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("$A-${A}", "one-one"),
        ("$$A", "$$A"),
        ("$MONEY", "5$$ $${A}"),
        ("${EMPTY}", ""),
        ("${A:-x}${EMPTY-x}${EMPTY:-x}${NO-x}${NO:-x}", "onexxx"),
        ("${A:?x}${EMPTY?x}", "one"),
        ("${A:+x}${EMPTY:+x}${EMPTY+x}${NO+x}", "xx"),
        ("${NO:-${A}}", "one"),
        ("${NO:-a${NO:-}b}c", "abc"),
        ("${NO:-$$}", "$$"),
        ("${NO:-{{.Name}}", "{{.Name}"),
        ("x${PW}y", "x${THE_PW}y"),
        ("${PW:-default}", "${THE_PW}"),
        ("${PW:+yes}", "yes"),
    ],
)
def test_what_an_expression_becomes(text: str, result: str) -> None:
    assert interpolate(text, KNOWN.get) == result


@pytest.mark.parametrize(
    "text",
    ["$NO", "${NO}", "${NO:?it is missing}", "${EMPTY:?x}", "$", "$5", "${", "${A", "${}", "${A!}", "${1}", "${A:=x}"],
)
def test_what_has_no_value_or_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        interpolate(text, KNOWN.get)


def test_expressions_do_not_stand_in_each_other_for_ever() -> None:
    with pytest.raises(BadExpression, match="too deep"):
        interpolate("${NO:-" * 400 + "}" * 400, KNOWN.get)


@given(st.text())
def test_a_value_comes_through_as_it_is(value: str) -> None:
    assert unescape(interpolate("${V}", {"V": value}.get)) == value
    assert interpolate(escape(value), {}.get) == escape(value)
