"""What the catalogue may say of hooks, and where they are run."""

from dataclasses import replace
from typing import Any

import pytest

from fairlead.domain import target_kinds
from fairlead.domain.blocks import Block
from fairlead.domain.catalogue import TargetType
from fairlead.domain.catalogue_rules import read as read_catalogue
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds.hooks import hooks_of, section
from tests.domain.documents import good_with

IMAGE = "registry.example:5000/shop/tools@sha256:" + "a" * 64
DRAIN = {"name": "drain", "command": ["lb", "drain"]}
WINRM = {"user": "deploy", "password": "env://PASSWORD"}
FULL = {"name": "warm", "command": ["warm"], "timeout": "5m", "image": IMAGE}


def read(said: object) -> tuple[dict[str, Any], list[Code]]:
    flaws: list[Flaw] = []
    return section(Block(said, "", flaws)), [flaw.code for flaw in flaws]


@pytest.mark.parametrize("said", [{}, {"pre": [DRAIN]}, {"pre": [DRAIN, FULL], "post": [FULL]}])
def test_the_normal_form_reads_back_as_itself(said: dict[str, Any]) -> None:
    assert read(said) == (said, [])


def test_what_is_usual_is_not_said() -> None:
    assert read({"pre": [{**DRAIN, "timeout": "60s"}], "post": []}) == ({"pre": [DRAIN]}, [])


@pytest.mark.parametrize(
    ("hook", "code"),
    [
        ({"command": ["x"]}, Code.MISSING_FIELD), ({"name": "x"}, Code.MISSING_FIELD), ({"name": "x", "command": []}, Code.MISSING_FIELD),
        ({"name": "x", "command": [""]}, Code.MISSING_FIELD), ({"name": "x", "command": "rm -rf /"}, Code.BAD_VALUE),
        ({**DRAIN, "name": "a b"}, Code.BAD_NAME),
        ({**DRAIN, "timeout": "2d"}, Code.BAD_DURATION), ({**DRAIN, "image": "shop/tools:1.0"}, Code.BAD_VALUE),
        ({**DRAIN, "shell": True}, Code.UNKNOWN_FIELD),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(hook: dict[str, Any], code: Code) -> None:
    assert code in read({"pre": [hook]})[1]


def test_two_of_one_name_cannot_be_told_apart() -> None:
    assert read({"post": [DRAIN, DRAIN]})[1] == [Code.BAD_VALUE]


def test_they_stand_in_the_order_in_which_they_are_written() -> None:
    hooks = hooks_of("web", {"hooks": {"pre": [FULL, DRAIN]}}, "pre")
    assert [(hook.id, hook.timeout, hook.image) for hook in hooks] == [
        ("web.pre.warm", 300.0, IMAGE),
        ("web.pre.drain", 60.0, ""),
    ]


@pytest.mark.parametrize(
    ("target", "hook", "codes"),
    [
        ({"type": "compose_host", "endpoint": "unix:///s"}, FULL, set()),
        ({"type": "ecs_service", "endpoint": "https://ecs.eu-west-1.amazonaws.com"}, FULL, set()),
        ({"type": "nomad_job", "endpoint": "http://n:4646"}, FULL, set()),
        ({"type": "winrm_host", "endpoint": "https://h", "winrm": WINRM}, DRAIN, set()),
        ({"type": "winrm_host", "endpoint": "https://h", "winrm": WINRM}, FULL, {Code.NOT_SUPPORTED_YET}),
        ({"type": "ssh_host", "endpoint": "ssh://h", "ssh": {"agent": True}}, DRAIN, set()),
        ({"type": "ssh_host", "endpoint": "ssh://h", "ssh": {"agent": True, "runtime": "docker"}}, FULL, set()),
        ({"type": "ssh_host", "endpoint": "ssh://h", "ssh": {"agent": True}}, FULL, {Code.NOT_SUPPORTED_YET}),
        ({"type": "docker_host", "endpoint": "unix:///s"}, FULL, set()),
    ],
)  # fmt: skip
def test_who_has_hooks_goes_only_where_they_are_run(
    target: dict[str, Any], hook: dict[str, Any], codes: set[Code]
) -> None:
    document = good_with("environments/prod/config/components", {"web": {"hooks": {"pre": [hook]}}})
    document["targets"]["prod-1"] = target
    assert {flaw.code for flaw in read_catalogue(document).flaws} == codes


def test_they_are_refused_on_a_type_that_runs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(target_kinds.KINDS[TargetType.PROCESS_HOST], sections=())
    monkeypatch.setitem(target_kinds.KINDS, TargetType.PROCESS_HOST, kind)
    [(code, _)] = target_kinds.objections(TargetType.PROCESS_HOST, {"hooks": {"pre": [DRAIN]}}, {})
    assert code == Code.NOT_SUPPORTED_YET
