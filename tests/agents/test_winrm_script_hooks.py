"""The scripts `hook` and `runner`, run by a real PowerShell, each in its own process (tests/doubles/windows_double)."""

import json
import time
from pathlib import Path
from typing import Any

from agents.winrm_host import scripts
from tests.doubles.windows_double import turned
from tests.fixtures.powershell import OWNER, WindowsHost, runs

NASTY = 'it\'s "q" $env:PATH `n %PATH% ü漢🙂\nsecond=line'
PATIENCE = 120


def begin(
    host: WindowsHost, hook: str, arguments: str, claim: str = "1.1", program: str = "/bin/sh", **values: Any
) -> Any:
    """A hook of this program with these arguments, as one line."""
    told = {"program": program, "arguments": arguments, "folder": str(host.root), "timeout": 60000, "late": "late, "}
    spec = json.dumps(told | {key: values.pop(key) for key in ("timeout",) if key in values})
    runner = turned(scripts.script(scripts.RUNNER).text)
    return ask(host, hook, claim, "begin", Spec=spec, Runner=runner, **values)


def ask(host: WindowsHost, hook: str = "", claim: str = "1.1", do: str = "look", **values: Any) -> Any:
    return host.call("hook", Claim=claim, Do=do, Hook=hook, Lines=100, Most=100000, **values)


def ended(host: WindowsHost, hook: str) -> tuple[str, str]:
    """How it ended, and what it printed."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        said = ask(host, hook)
        if said["end"] is not None:
            return said["end"], said["text"]
        time.sleep(0.2)
    raise AssertionError(f"{hook} does not end")


def first_line(file: Path) -> str:
    """As soon as it is whole."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if file.exists() and file.read_text().endswith("\n"):
            return file.read_text().splitlines()[0]
        time.sleep(0.2)
    raise AssertionError(f"nothing comes into {file}")


def folder(host: WindowsHost, hook: str) -> Path:
    return host.folder / "hooks" / f"1.{hook}"


def test_a_command_has_its_environment_and_its_two_streams_come_into_one_log(windows_host: WindowsHost) -> None:
    script = "pwd; printenv A; echo warned >&2; printenv FAIRLEAD_HOOK || echo none; cat; sleep 0.1; echo last; exit 3"
    begin(windows_host, "web.pre.x", f'-c "{script}"', Names=["A"], Values=[NASTY])
    end, text = ended(windows_host, "web.pre.x")
    assert end == "exit code 3"
    assert sorted(text.split("\n")) == sorted([str(windows_host.root), *NASTY.split("\n"), "warned", "none", "last"])
    assert text.endswith("last")


def test_what_it_is_given_lies_in_no_file(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", '-c "true"', Names=["A"], Values=["a secret"])
    assert ended(windows_host, "web.pre.x") == ("exit code 0", "")
    assert all(b"a secret" not in path.read_bytes() for path in windows_host.root.rglob("*") if path.is_file())


def test_a_command_that_takes_too_long_ends_with_all_that_it_began(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", '-c "sleep 600 & echo $!; wait"', timeout=1500)
    end, text = ended(windows_host, "web.pre.x")
    assert end == "late, exit code 137"
    assert not runs(int(text))
    assert windows_host.windows.told("taskkill")[-1].endswith(" /T /F")


def test_what_it_leaves_behind_does_not_hold_it_up(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", '-c "sleep 600 & echo begun"')
    assert ended(windows_host, "web.pre.x") == ("exit code 0", "begun")


def test_a_program_that_is_not_there_is_said_to_be_not(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", "", program="/no such program")
    assert ended(windows_host, "web.pre.x")[0].startswith("could not be run: ")


def test_a_hook_is_begun_once(windows_host: WindowsHost) -> None:
    count = '-c "echo x >> count"'
    begin(windows_host, "web.pre.x", count)
    begin(windows_host, "web.pre.x", count)
    ended(windows_host, "web.pre.x")
    begin(windows_host, "web.pre.x", count)
    assert (windows_host.root / "count").read_text() == "x\n"


def test_one_that_cannot_be_begun_has_ended(windows_host: WindowsHost) -> None:
    windows_host.ask("[WindowsDouble.Management]::Answer = 8")
    assert begin(windows_host, "web.pre.x", "")["end"] == "could not be begun (error 8)"


def test_one_whose_process_is_gone_has_ended_unseen(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", '-c "sleep 600"')
    number, born = (folder(windows_host, "web.pre.x") / "process").read_text().split()
    (folder(windows_host, "web.pre.x") / "process").write_text(f"{number} {int(born) + 1}")
    assert ask(windows_host, "web.pre.x")["end"] == "ended, nobody saw how"
    windows_host.ask(f"Stop-Process -Id {number} -Force")


def test_what_earlier_deployments_left_is_ended_and_forgotten(windows_host: WindowsHost) -> None:
    begin(windows_host, "web.pre.x", '-c "sleep 600 & echo $!; wait"')
    child = first_line(folder(windows_host, "web.pre.x") / "log")
    assert windows_host.call("claim", Owner=OWNER, Claim="2.1")["hooks"] == ["1.web.pre.x"]
    ask(windows_host, claim="2.1", do="forget")
    assert list((windows_host.folder / "hooks").iterdir()) == []
    assert not runs(int(child))
