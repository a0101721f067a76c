"""`fairlead evidence verify`: exit 0, 1 or 2, every rule named, and nothing but two files needed."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fairlead.cli.evidence import app
from fairlead.evidence import bundle as bundles
from tests.evidence import world as w


@pytest.fixture
def files(tmp_path):
    (tmp_path / "trust.json").write_text(json.dumps(w.trust()))
    (tmp_path / "bundle.json").write_bytes(bundles.write(w.told(w.succeeded).bundle(since=5)))
    return tmp_path


def _run(folder, *more, bundle="bundle.json", trust="trust.json"):
    return CliRunner().invoke(app, ["verify", str(folder / bundle), "--trust", str(folder / trust), *more])


def test_a_genuine_bundle_exits_0_and_names_every_rule(files):
    said = _run(files)
    assert said.exit_code == 0, said.output
    assert "verified: promotion abcdefghijkl, 1.1.0 into prod, succeeded" in said.stdout
    assert all(f"{rule}: " in said.stdout for rule in ("limits", "signature", "inclusion", "approval", "outcome"))


def test_it_says_what_is_only_the_decision_keys_word(files):
    said = _run(files).stdout
    assert "Only the decision key's word stands for this:" in said
    assert "its voter then in sre" in said


def test_a_changed_bundle_exits_1_and_names_the_rules(files):
    document = json.loads((files / "bundle.json").read_bytes())
    document["envelopes"][0]["index"] += 1
    (files / "bundle.json").write_text(json.dumps(document))
    said = _run(files)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (1, "NOT VERIFIED: inclusion")


def test_what_is_no_bundle_exits_1_too(files):
    (files / "bundle.json").write_bytes(b"hello")
    said = _run(files)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (1, "NOT VERIFIED: format")


def test_an_unfinished_promotion_is_incomplete(files):
    world = w.World()
    world.decide()
    (files / "bundle.json").write_bytes(bundles.write(world.bundle()))
    said = _run(files)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (1, "incomplete, not verified: outcome")


def test_the_report_as_json(files):
    report = json.loads(_run(files, "--json").stdout)
    assert (report["verified"], report["incomplete"], report["failed"]) == (True, False, [])
    assert {rule["status"] for rule in report["rules"]} == {"ok"}


def test_it_continues_an_older_checkpoint_or_bundle(files):
    world = w.told(w.succeeded)
    (files / "older.txt").write_text(world.checkpoint(5))
    (files / "older.json").write_bytes(bundles.write({**world.bundle(), "checkpoint": world.checkpoint(5)}))
    (files / "forged.txt").write_text(
        w.told(w.rolled_back, tamper={"release": lambda d: d["predicate"].update(x=1)}).checkpoint(5)
    )
    assert [
        _run(files, "--since", str(files / name)).exit_code for name in ("older.txt", "older.json", "forged.txt")
    ] == [0, 0, 1]


UNREADABLE = {
    "no bundle": {"bundle": "nothing"},
    "a folder": {"bundle": "."},
    "no trust file": {"trust": "nothing"},
    "a trust file that is none": {"trust": "bundle.json"},
}


@pytest.mark.parametrize("paths", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_exits_2(files, paths):
    said = _run(files, **paths)
    assert said.exit_code == 2
    assert said.stdout == ""


@pytest.mark.parametrize("text", ["hello", "{}", ""])
def test_an_older_checkpoint_that_is_none_exits_2(files, text):
    (files / "older").write_text(text)
    assert _run(files, "--since", str(files / "older")).exit_code == 2


def test_a_bundle_larger_than_is_taken_is_not_read_whole(files):
    with (files / "bundle.json").open("wb") as file:
        file.truncate(10**12)
    said = _run(files)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (1, "NOT VERIFIED: limits")


def test_neither_store_nor_engine_nor_network_is_loaded():
    program = "import sys, fairlead.cli.evidence; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )
    unwanted = {"temporalio", "sqlalchemy", "sqlmodel", "psycopg", "fastapi", "httpx", "docker", "fairlead.store"}
    assert not loaded & unwanted
