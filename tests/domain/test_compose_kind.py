"""What the catalogue says of Compose hosts."""

from typing import Any

import pytest

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds import KINDS, SECTIONS
from fairlead.domain.target_kinds.compose_host import KIND, SECTION, options, section


def read(reader: Any, said: dict[str, Any]) -> tuple[dict[str, Any], list[Code]]:
    flaws: list[Flaw] = []
    return reader(Block(said, "", flaws)), [flaw.code for flaw in flaws]


def test_a_component_says_which_service_of_which_file_it_is() -> None:
    said = {"file": "deploy/compose.yml", "service": "web"}
    assert read(section, said) == (said, [])
    assert SECTIONS[SECTION] is section
    assert SECTION in KINDS[next(kind for kind in KINDS if kind.value == "compose_host")].sections


@pytest.mark.parametrize("said", [{}, {"file": "compose.yml"}, {"service": "web"}, {"file": "", "service": "web"}])
def test_both_are_needed(said: dict[str, Any]) -> None:
    assert set(read(section, said)[1]) == {Code.MISSING_FIELD}


def test_options_have_one_normal_form() -> None:
    normal = {"profiles": ["a", "b"], "allow": ["privileged"]}
    assert read(options, {"profiles": ["b", "a", "b"], "allow": ["privileged"]}) == (normal, [])
    assert read(options, normal) == (normal, [])
    assert read(options, {}) == ({}, [])


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"allow": ["unpinned"]}, Code.BAD_VALUE),
        ({"allow": ["priviledged"]}, Code.BAD_VALUE),
        ({"profiles": "debug"}, Code.BAD_VALUE),
        ({"profile": ["debug"]}, Code.UNKNOWN_FIELD),
    ],
)
def test_what_cannot_be_asked_of_a_target(said: dict[str, Any], code: Code) -> None:
    assert read(options, said)[1] == [code]


@pytest.mark.parametrize(("text", "fits"), [("unix:///run/docker.sock", True), ("docker.sock", False), ("", False)])
def test_the_endpoint_is_an_engines(text: str, fits: bool) -> None:
    assert bool(KIND.endpoint.fullmatch(text)) == fits
