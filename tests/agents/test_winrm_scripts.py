"""Our scripts for Windows, run by a real PowerShell; what only Windows has is stood in for (tests/doubles/windows_double)."""

import fcntl
import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from agents.winrm_host import scripts
from tests.doubles.windows_double import WindowsDouble
from tests.fixtures.powershell import OWNER, TARGET, WindowsHost, archive, runs

NASTY = 'it\'s "q" $env:PATH $(1) `n %PATH% \\x\\ ü漢🙂\nsecond = line\ttab'
SLEEPS = '"/bin/sleep" 600'
HIGHER = "2.1"


def environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


@pytest.mark.parametrize("name", [*scripts.NAMES, scripts.RUNNER])
def test_powershell_itself_finds_nothing_wrong_in_a_script(windows_double: WindowsDouble, name: str) -> None:
    look = "param($Text) $e = $null; [void][Management.Automation.Language.Parser]::ParseInput($Text, [ref]$null, [ref]$e); $e.Count"
    assert windows_double.run(look, {"Text": scripts.script(name).text}).output == ["0"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("look", {"Owner": OWNER}),
        ("claim", {"Owner": OWNER, "Claim": "1.2"}),
        ("write", {"Name": "x"}),
        ("unpack", {"Name": "x", "Sha256": "0", "Image": "i", "Note": "{}"}),
        ("order", {"Claim": "1.1", "Operation": "1", "Do": "stop", "Component": "web", "Number": "1"}),
        ("watch", {"Component": "web"}),
        ("tail", {"Owner": OWNER, "Component": "web", "Lines": 1, "Most": 10}),
        ("sticker", {"Claim": "1.1", "Record": "{}"}),
        ("fit", {}),
        ("hook", {"Claim": "1.1", "Do": "look", "Hook": "web.pre.x"}),
    ],
)
def test_a_script_may_be_run_twice_and_each_time_writes_one_string(
    windows_host: WindowsHost, name: str, values: dict[str, Any]
) -> None:
    first, second = windows_host.call(name, **values), windows_host.call(name, **values)
    assert set(first) == set(second)
    assert "code" not in first


def test_the_table_above_has_them_all() -> None:
    [table] = [
        m for m in test_a_script_may_be_run_twice_and_each_time_writes_one_string.pytestmark if m.name == "parametrize"
    ]  # type: ignore[attr-defined]
    assert {name for name, _ in table.args[1]} == set(scripts.NAMES)


def test_a_text_arrives_as_it_was_sent(windows_host: WindowsHost) -> None:
    windows_host.call("sticker", Claim="1.1", Record=NASTY)
    assert (windows_host.folder / "stickers" / "1.1").read_bytes() == NASTY.encode()
    assert windows_host.call("look", Owner=OWNER)["sticker"] == NASTY


def test_the_root_is_closed_to_all_but_administrators_and_readers(windows_host: WindowsHost) -> None:
    rules = f"[WindowsDouble.Folders]::Of['{windows_host.root}']"
    assert windows_host.ask(f"{rules}.AreAccessRulesProtected; {rules}.KeepsInherited; {rules}.Entries").split(
        "\n"
    ) == [
        "True",
        "False",
        "S-1-5-18 FullControl ContainerInherit, ObjectInherit None Allow",
        "S-1-5-32-544 FullControl ContainerInherit, ObjectInherit None Allow",
        "S-1-5-11 ReadAndExecute ContainerInherit, ObjectInherit None Allow",
    ]


def test_a_root_of_somebody_elses_is_refused(windows_host: WindowsHost) -> None:
    windows_host.ask(f"[WindowsDouble.Folders]::Of['{windows_host.root}'].Owner = 'S-1-5-21-9'")
    assert windows_host.call("write", Name="x")["code"] == "folder_unsafe"


def test_a_full_disk_is_told_by_its_number(windows_host: WindowsHost) -> None:
    fails = "param($Root, $Target)\n# common\nAnswer { [WindowsDouble.Disk]::Fill() }"
    common = scripts.script("fit").text.partition("Answer {")[0].partition("param(")[2].partition("\n")[2]
    said = windows_host.windows.run(fails.replace("# common\n", common), {"Root": "r", "Target": "t"})
    assert json.loads(said.output[0])["code"] == "target_full"


@pytest.mark.parametrize("name", ["claim", "sticker", "order", "hook"])
def test_a_lower_claim_gives_way(windows_host: WindowsHost, name: str) -> None:
    windows_host.call("claim", Owner=OWNER, Claim="1.10")
    told = {"Owner": OWNER} if name == "claim" else {"Record": "{}"} if name == "sticker" else {"Do": "stop"}
    told |= {"Operation": "1", "Component": "web", "Number": "1"} if name == "order" else {}
    said = windows_host.call(name, Claim="1.9", **told)
    assert (said["code"], said["fields"]) == ("fence_lost", {"claim": "1.9", "highest": "1.10"})


@pytest.mark.parametrize("name", ["claim", "look", "tail"])
def test_what_belongs_to_others_is_left_to_them(windows_host: WindowsHost, name: str) -> None:
    told: dict[str, dict[str, Any]] = {"claim": {"Claim": "3.1"}, "tail": {"Component": "web", "Lines": 1, "Most": 1}}
    assert windows_host.call(name, Owner="another", **told.get(name, {}))["code"] == "foreign_workload"


def test_a_file_is_brought_in_pieces_without_a_gap(windows_host: WindowsHost) -> None:
    data = bytes(range(256))
    assert windows_host.call("write", Name="f", Offset="0", Data=data)["length"] == 256
    assert windows_host.call("write", Name="f", Offset="256", Data=data)["length"] == 512
    assert windows_host.call("write", Name="f", Offset="256", Data=data)["length"] == 512
    assert windows_host.call("write", Name="f", Offset="600", Data=data)["length"] == 512
    assert windows_host.call("write", Name="f")["length"] == 512
    assert (windows_host.root / "incoming" / "f").read_bytes() == data * 2


def test_what_arrived_as_something_else_is_thrown_away(windows_host: WindowsHost) -> None:
    windows_host.call("write", Name="f", Data=archive(a="1"))
    assert windows_host.call("unpack", Name="f", Sha256="0" * 64, Image="i", Note="{}") == {"matches": False}
    assert not (windows_host.root / "incoming" / "f").exists()
    assert not (windows_host.root / "releases").exists()


def test_an_image_is_unpacked_once_with_its_note(windows_host: WindowsHost) -> None:
    data = archive(**{"bin/a": "1"})
    told = {"Name": "f", "Sha256": hashlib.sha256(data).hexdigest(), "Image": "i", "Note": NASTY}
    windows_host.call("write", Name="f", Data=data)
    assert windows_host.call("unpack", **told) == {"matches": True}
    windows_host.call("write", Name="f", Data=b"another")
    assert windows_host.call("unpack", **told) == {"matches": True}
    assert (windows_host.root / "releases/i/bin/a").read_text() == "1"
    assert windows_host.call("look", Owner=OWNER, Images=["i", "j"])["images"] == {"i": NASTY}
    assert list((windows_host.root / "incoming").iterdir()) == []


def test_a_program_is_there_or_not(windows_host: WindowsHost) -> None:
    said = windows_host.call("look", Owner=OWNER, Programs=["/bin/sh", "/bin/no such"])
    assert said["programs"] == {"/bin/sh": True, "/bin/no such": False}


def test_a_service_has_all_that_it_was_given(windows_host: WindowsHost) -> None:
    run = windows_host.start(SLEEPS, Names=["A", "B"], Values=[NASTY, "x=y"], Spec=NASTY)["slots"]["web"]
    assert run["specs"] == {"1": NASTY}
    assert (run["run"]["number"], run["run"]["holder"], run["run"]["state"], run["kept"]) == (
        "1",
        "1.1",
        "Running",
        None,
    )
    given = environment(run["run"]["pid"])
    assert (given["A"], given["B"]) == (NASTY, "x=y")
    assert Path(given["FAIRLEAD_HOME"]).is_dir()
    assert Path(given["FAIRLEAD_LOGS"]).is_dir()


def test_its_key_is_closed_before_anything_is_in_it(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS, Names=["A"], Values=["secret"])
    key = f"[WindowsDouble.Registry]::LocalMachine.Keys['SYSTEM/CurrentControlSet/Services/fairlead.{TARGET}.web.1']"
    assert windows_host.ask(f"{key}.ClosedFirst") == "True"
    assert "S-1-5-11" not in windows_host.ask(f"{key}.Rules.Entries")


@pytest.mark.parametrize(("sid", "who"), [("", "LocalService"), ("S-1-5-19", "S-1-5-19")])
def test_whom_it_runs_as_may_write_to_its_folders(windows_host: WindowsHost, sid: str, who: str) -> None:
    windows_host.start(SLEEPS, Sid=sid)
    for folder in ("home", "runs/1/logs"):
        rules = f"[WindowsDouble.Folders]::Of['{windows_host.folder}/components/web/{folder}'].Entries"
        assert windows_host.ask(rules) == f"{who} Modify ContainerInherit, ObjectInherit None Allow"


def test_an_order_is_carried_out_once(windows_host: WindowsHost) -> None:
    assert windows_host.start(SLEEPS, Operation="1") == windows_host.start(SLEEPS, Operation="1")
    assert windows_host.start(SLEEPS, Operation="2")["slots"]["web"]["run"]["number"] == "2"


def test_only_the_last_hundred_orders_are_remembered(windows_host: WindowsHost) -> None:
    for number in range(120):
        file = windows_host.folder / "operations" / f"old{number}"
        file.touch()
        os.utime(file, (number, number))
    windows_host.order("stop", Number="1", Operation="new")
    left = {path.name for path in (windows_host.folder / "operations").iterdir()}
    assert left == {"new", *(f"old{number}" for number in range(21, 120))}


def test_whoever_comes_second_waits_for_the_first(windows_host: WindowsHost) -> None:
    waited: list[bool] = []
    with (windows_host.folder / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        first = threading.Timer(1, lambda: (waited.append(True), fcntl.flock(lock, fcntl.LOCK_UN)))
        first.start()
        windows_host.call("sticker", Claim="1.1", Record="{}")
        assert waited
        first.join()


def test_a_service_that_cannot_be_made_is_refused(windows_host: WindowsHost) -> None:
    windows_host.ask("$World.Refuses = 22")
    assert windows_host.start(SLEEPS)["code"] == "start_failed"


@pytest.mark.parametrize("at", ["StartService", "StopService", "Delete"])
def test_an_order_that_was_broken_off_is_carried_out_when_it_is_asked_for_again(
    windows_host: WindowsHost, at: str
) -> None:
    windows_host.start(SLEEPS)
    windows_host.ask(f"$World.Fails = '{at}'")
    told = {
        "Operation": "1",
        "Spec": "{}",
        "Path": SLEEPS,
        "Account": "x",
        "Component": "web",
        "Claim": "1.1",
        "Do": "start",
    }
    [error] = windows_host.say("order", **told).errors
    assert error.startswith("the connection to WMI is broken")
    windows_host.ask("$World.Fails = $null")
    run = windows_host.call("order", **told)["slots"]["web"]["run"]
    assert run["state"] == "Running"
    assert windows_host.ask("$World.Services.Keys") == f"fairlead.{TARGET}.web.{run['number']}"


def test_what_does_not_come_up_goes_and_the_one_before_runs_again(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS, Names=["A"], Values=["old"])
    windows_host.order("confirm", Number="1")
    windows_host.call("claim", Owner=OWNER, Claim=HIGHER)
    failed = windows_host.start('"/bin/false"', HIGHER)["slots"]["web"]
    assert (failed["run"]["number"], failed["kept"]) == ("2", "1")
    run = windows_host.order("restore", HIGHER)["slots"]["web"]["run"]
    assert (run["number"], run["holder"], run["state"]) == ("1", HIGHER, "Running")
    assert environment(run["pid"])["A"] == "old"
    assert windows_host.ask("$World.Services.Keys") == f"fairlead.{TARGET}.web.1"


def test_what_ended_by_itself_says_how(windows_host: WindowsHost) -> None:
    windows_host.start('"/bin/sh" -c "exit 7"')
    for _ in range(200):
        run = windows_host.call("watch", Component="web")["slots"]["web"]["run"]
        if not run["pid"]:
            break
    assert (run["state"], run["exit"]) == ("Stopped", 7)


def test_what_is_confirmed_begins_with_the_machine_and_the_one_before_goes(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS)
    windows_host.order("confirm", Number="1")
    windows_host.start(SLEEPS)
    assert windows_host.order("confirm", Number="2")["slots"]["web"]["kept"] == "2"
    assert (
        windows_host.ask("$World.Services.Values | ForEach-Object { $_.Name + $_.StartMode }")
        == f"fairlead.{TARGET}.web.2Automatic"
    )
    name = f"fairlead.{TARGET}.web.2"
    recovery = [
        f"failure {name} reset= 86400 actions= restart/1000/restart/5000/restart/30000",
        f"failureflag {name} 1",
    ]
    assert windows_host.windows.told("sc")[-2:] == recovery
    assert [path.name for path in (windows_host.folder / "components/web/runs").iterdir()] == ["2"]


@pytest.mark.parametrize("do", ["adopt", "confirm"])
def test_another_run_than_meant_is_neither_adopted_nor_confirmed(windows_host: WindowsHost, do: str) -> None:
    windows_host.start(SLEEPS)
    assert windows_host.order(do, Number="2")["code"] == "target_unreachable"


def test_what_is_adopted_is_the_new_claims(windows_host: WindowsHost) -> None:
    before = windows_host.start(SLEEPS)["slots"]["web"]["run"]
    windows_host.call("claim", Owner=OWNER, Claim=HIGHER)
    after = windows_host.order("adopt", HIGHER, Number="1")["slots"]["web"]["run"]
    assert after == {**before, "holder": HIGHER}


def test_who_gave_way_takes_back_only_its_own(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS)
    windows_host.call("claim", Owner=OWNER, Claim=HIGHER)
    assert windows_host.order("undo", Number="2")["slots"]["web"]["run"]["state"] == "Running"
    assert windows_host.order("undo", "1.0", Number="1")["slots"]["web"]["run"]["state"] == "Running"
    assert windows_host.order("undo", Number="1")["slots"]["web"]["run"] is None


def test_what_is_removed_leaves_nothing(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS)
    windows_host.order("confirm", Number="1")
    windows_host.start(SLEEPS)
    assert windows_host.order("remove")["slots"] == {}
    assert windows_host.ask("$World.Services.Count") == "0"
    assert not (windows_host.folder / "components/web").exists()


def test_others_in_the_way_are_stopped_first(windows_host: WindowsHost) -> None:
    windows_host.start(SLEEPS, Component="old")
    said = windows_host.start(SLEEPS, Instead=["old"])
    assert said["slots"]["old"]["run"] is None
    assert said["slots"]["web"]["run"]["state"] == "Running"


def test_whoever_does_not_stop_is_ended_with_all_that_it_began(windows_host: WindowsHost) -> None:
    pid = windows_host.start('"/bin/sh" -c "sleep 600 & echo $!; wait"')["slots"]["web"]["run"]["pid"]
    child = windows_host.ask(f"$World.Services['fairlead.{TARGET}.web.1'].Process.StandardOutput.ReadLine()")
    windows_host.ask("$World.Stubborn = $true")
    assert windows_host.order("stop", Number="1", Grace=0.1)["slots"]["web"]["run"] is None
    assert not runs(pid)
    assert not runs(int(child))
