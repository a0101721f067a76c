"""The parts of WinRM hosts that need no connection: scripts, packed trees, command lines."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from agents.process_host.records import RunSpec
from agents.winrm_host import scripts
from agents.winrm_host.orders import Orders, command_line
from agents.winrm_host.packing import flaw_of, pack
from agents.winrm_host.remote import Remote
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.ports import Beat
from tests.doubles.winrm_double import imitations
from tests.targets.bench import nobeat

PLAIN: dict[str, Any] = {"component": "web", "cwd": "", "home": "", "env": {}, "ports": (), "stop_grace": 1.0}
TOO_NEW = re.compile(r"\?\?|&&|\|\||\?\.|\?\[|-Parallel\b|Set-Service\b.*-BinaryPathName|Remove-Service\b")
"""What PowerShell 5.1 does not know, and the grammar lets pass."""

RULES = {
    r"ConvertTo-Json(?!.*-Depth \d)": "it would cut what lies deep",
    r"\b(Set|Add|Get|Out)-(Content|File)\b": "each version has another encoding of its own",
    r"\bInvoke-(WebRequest|RestMethod|Expression)\b": "one draws in Internet Explorer, the other runs what it is given",
    r"\b(Write-Host|Write-Output|Read-Host)\b": "a script writes one string, and nobody answers it",
    r"-AsHashtable|-AsByteStream|-SkipCertificateCheck|\$Is(Windows|Linux|CoreCLR)\b|\bclean *\{": "newer than 5.1",
    r"(?m)^\s*using |\bclass \w+ *[:{]": "read before the parameters are",
}
"""What a pattern finds must not be there, and why."""


def nodes(text: str) -> Iterator[Node]:
    """All that the grammar of PowerShell sees in it."""
    left = [Parser(Language(tree_sitter_powershell.language())).parse(text.encode()).root_node]
    while left:
        node = left.pop()
        yield node
        left += node.children


def flaws(text: str) -> list[str]:
    """What the grammar does not take."""
    return [f"line {node.start_point.row + 1}" for node in nodes(text) if node.is_error or node.is_missing]


def words(text: str, kind: str) -> set[str]:
    return {node.text.decode() for node in nodes(text) if node.type == kind and node.text}


@pytest.mark.parametrize("name", [*scripts.NAMES, scripts.RUNNER])
def test_a_script_is_one_that_powershell_5_1_can_read(name: str) -> None:
    text = scripts.script(name).text
    assert flaws(text) == []
    assert TOO_NEW.search(text) is None
    assert text.isascii()  # Windows PowerShell would take another encoding for granted


@pytest.mark.parametrize("name", scripts.NAMES)
def test_no_script_covers_a_parameter_of_its_own(name: str) -> None:
    # Names differ by more than case: in a block, `$images = @{}` hides what came in as $Images.
    own = (files("agents.winrm_host") / "scripts" / f"{name}.ps1").read_text()
    head, body = own.split("# common\n")
    given = {parameter.lower() for parameter in re.findall(r"\]\$(\w+)", head)}
    made = {
        variable.lower() for variable in re.findall(r"\$(\w+) *[-+]?=|foreach \(\$(\w+)", body) for variable in variable
    }
    assert not given & made


@pytest.mark.parametrize(("rule", "why"), RULES.items())
def test_all_scripts_keep_to_what_can_be_said_of_them(rule: str, why: str) -> None:
    assert [name for name in scripts.NAMES if re.search(rule, scripts.script(name).text)] == [], why


@pytest.mark.parametrize("name", [*scripts.NAMES, scripts.RUNNER])
def test_a_script_calls_nothing_by_an_alias(name: str) -> None:
    text = scripts.script(name).text
    called = words(text, "command_name") - words(text, "function_name")
    assert [command for command in called if not re.fullmatch(r"[A-Z][a-zA-Z]+-[A-Z][a-zA-Z0-9]+", command)] == []


def test_what_is_common_is_strict_and_silent() -> None:
    common = (files("agents.winrm_host") / "scripts" / "common.ps1").read_text()
    assert "Set-StrictMode -Version 2.0" in common
    for setting in ("$ErrorActionPreference = 'Stop'", "$ProgressPreference = 'SilentlyContinue'"):
        assert setting in common


def test_the_grammar_finds_what_is_broken() -> None:
    assert flaws("if ($true { 1 }")


def test_every_script_has_its_twin_in_the_double_with_the_same_parameters() -> None:
    for name in scripts.NAMES:
        text = scripts.script(name).text
        assert text.startswith(f"# fairlead:{name} v1\n")
        declared = re.search(r"^param\((.*?)\)\n", text, re.MULTILINE | re.DOTALL)
        assert declared is not None
        parameters = set(re.findall(r"\]\$(\w+)", declared[1])) - {"Root", "Target"}
        code = imitations.SCRIPTS[name].__code__
        known = set(code.co_varnames[1 : code.co_argcount])
        assert known <= parameters
        assert known == parameters or code.co_flags & 0x08  # the rest is taken as it comes
    assert set(imitations.SCRIPTS) == set(scripts.NAMES)


def test_no_value_is_ever_written_into_a_script() -> None:
    assert scripts.script("order").text == scripts.script("order").text
    assert "Invoke-Expression" not in "".join(scripts.script(name).text for name in scripts.NAMES)


@pytest.mark.parametrize(
    "path",
    ["a:b", "x/aux.txt", "COM1", "lpt¹", "a./b", "end ", 'q"', "a\\b", "tab\there", "what?", "x" * 161],
)
def test_what_means_something_else_on_windows_is_a_flaw(path: str) -> None:
    assert flaw_of(path)


@pytest.mark.parametrize("path", ["bin/web.exe", ".hidden", "auxiliary", "ü/漢 字.txt", "com10", "a..b"])
def test_what_is_a_name_there_is_none(path: str) -> None:
    assert flaw_of(path) is None


def test_a_tree_is_packed_into_the_same_bytes_and_comes_out_again(tmp_path: Path) -> None:
    (tmp_path / "t/empty").mkdir(parents=True)
    (tmp_path / "t/b.txt").write_text("b")
    (tmp_path / "t/a.txt").write_text("a")
    first, second = io.BytesIO(), io.BytesIO()
    assert pack(tmp_path / "t", first, nobeat) == pack(tmp_path / "t", second, nobeat)
    assert first.getvalue() == second.getvalue()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == ["a.txt", "b.txt", "empty/"] or sorted(archive.namelist()) == [
            "a.txt",
            "b.txt",
            "empty/",
        ]
        assert archive.read("a.txt") == b"a"


@pytest.mark.parametrize("bad", ["link", "case"])
def test_a_tree_that_cannot_be_there_is_refused(tmp_path: Path, bad: str) -> None:
    (tmp_path / "a").write_text("x")
    if bad == "link":
        (tmp_path / "b").symlink_to("a")
    else:
        (tmp_path / "A").write_text("y")
    with pytest.raises(Refused) as refusal:
        pack(tmp_path, io.BytesIO(), nobeat)
    assert refusal.value.code == Code.LAYER_UNSAFE


class Asked(Remote):
    """Takes orders down: how long each may take, and the grace of each component."""

    def __init__(self) -> None:
        self.orders: list[tuple[float, float]] = []

    def order(self, target: str, beat: Beat, seconds: float, **values: Any) -> Any:
        self.orders.append((seconds, values["Grace"]))
        return {"slots": {}}


def test_each_of_those_that_make_room_has_its_grace_and_the_order_has_time_for_all() -> None:
    remote = Asked()
    orders = Orders(remote, "t", "o", ("", ""), nobeat)
    runs = {"number": "1", "holder": "1.1", "created": 1, "started": None, "exits": 0, "pid": 0, "exit": None}
    specs = [RunSpec(argv=("x",), labels={}, **{**PLAIN, "component": name, "ports": (80,)}) for name in ("a", "b")]
    slots = {one.component: {"run": runs, "kept": None, "specs": {"1": json.dumps(asdict(one))}} for one in specs}
    orders.learn({"slots": slots})
    orders.start(Claim(2, 1), specs[0])
    orders.start(Claim(2, 1), specs[0])
    assert remote.orders == [(2.0, 1.0), (0.0, 0.0)]


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (("C:\\a b\\x.exe",), '"C:\\a b\\x.exe"'),
        (("C:\\x.exe", "--a", "b c", 'say "hi"', ""), '"C:\\x.exe" --a "b c" "say \\"hi\\"" ""'),
    ],
)
def test_a_command_line_is_one_that_windows_takes_apart_again(argv: tuple[str, ...], line: str) -> None:
    assert command_line(RunSpec(argv=argv, labels={}, **PLAIN)) == line
