"""Short ids, relative times, and a command line that starts fast and whole."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli import main
from fairlead.cli.output import print_table, relative, say, short_ids, tell
from tests.activities.shop import NOW
from tests.cli.terminal import Terminal

IDS = st.sets(st.text("ab2", min_size=12, max_size=12))


@given(IDS)
def test_a_short_id_begins_its_own_id_only(ids: set[str]):
    short = short_ids(ids)
    assert set(short) == ids
    for id, prefix in short.items():
        assert [other for other in ids if other.startswith(prefix)] == [id]
        assert len(prefix) == 6 or any(other.startswith(prefix[:-1]) for other in ids - {id})


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (1, "in 1s"),
        (-59, "59s ago"),
        (-60, "1m ago"),
        (7200, "in 2h"),
        (-86_400, "1d ago"),
        (-400 * 86_400, "400d ago"),
    ],
)
def test_relative_times(seconds: float, text: str):
    assert relative(NOW + timedelta(seconds=seconds), NOW) == text


def test_starting_imports_nothing_slow():
    """Neither HTTP, tables, validation nor cryptography: commands that need them import them."""
    code = "import sys, json, fairlead.cli.main; json.dump(sorted(sys.modules), sys.stdout)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"httpx", "pydantic", "cryptography", "yaml", "rich.table", "rich.live", "sqlalchemy", "temporalio"}
    assert slow & set(json.loads(run.stdout)) == set()


def test_a_plugin_that_cannot_be_loaded_takes_only_itself_away(tmp_path, monkeypatch, capsys):
    class Broken:
        name, value = "broken", "nowhere:register"

        def load(self) -> None:
            raise ImportError("no module named nowhere")

    monkeypatch.setattr(main, "entry_points", lambda group: [Broken()])
    said = Terminal(tmp_path).run("config", "show", "--json")
    assert (said.code, "broken" in capsys.readouterr().err) == (0, True)


def test_the_commands_that_start_processes_have_joined(tmp_path):
    assert {"dev", "demo", "serve"} <= set(Terminal(tmp_path).run("--help").out.split())


def test_what_goes_into_a_file_is_not_cut(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    words = "awaiting_approval " * 8
    print_table(["promotion", "state"], [["fvpbydc5ucge", words]])
    assert words.strip() in capsys.readouterr().out


def test_whatever_is_shown_to_people_is_harmless(capsys: pytest.CaptureFixture[str]):
    hostile = "why \x1b]52;c;aGVq\x07"
    say(hostile)
    tell(hostile)
    print_table(["what"], [[hostile]])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert (said.out.count("x1b]52"), said.err.count("x1b]52")) == (2, 1)
