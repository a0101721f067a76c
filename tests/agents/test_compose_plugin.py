"""The plugin is told everything, finds nothing out, and does not outlive who started it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.compose_host import plugin
from agents.compose_host.plugin import Compose, Project
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from tests.targets.bench import eventually, nobeat

PROJECT = Project("p", "unix:///run/x.sock", "services: {}\n", {"FAIRLEAD_SECRET_web__PW": "hush"})
Script = Callable[[str], Path]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Something in the plugin's place that does as it is told."""

    def write(text: str) -> Path:
        path = tmp_path / "docker-compose"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write


def test_nothing_of_the_workers_environment_reaches_it(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPOSE_FILE", "/elsewhere.yml")
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere")
    seen = tmp_path / "seen"
    Compose(script(f'env > {seen}; echo "$@" > {seen}.argv; cat > {seen}.file; pwd > {seen}.cwd')).create(
        PROJECT, nobeat
    )
    told = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert told["FAIRLEAD_SECRET_web__PW"] == "hush"
    assert told.keys() <= {
        "PATH",
        "DOCKER_HOST",
        "DOCKER_CONFIG",
        "HOME",
        "FAIRLEAD_SECRET_web__PW",
        "PWD",
        "_",
        "SHLVL",
    }
    assert told["DOCKER_CONFIG"] == told["HOME"] != os.environ.get("HOME")
    assert "hush" not in Path(f"{seen}.argv").read_text()
    assert Path(f"{seen}.file").read_text() == PROJECT.file


def test_how_it_ended_is_told_with_its_last_words(script: Script) -> None:
    ended = Compose(script("yes a-lot-of-words | head -c 50000000; echo; echo the end; exit 3")).create(PROJECT, nobeat)
    assert ended.code == 3
    assert ended.words.endswith("the end")
    assert len(ended.words) <= 2000


def test_where_its_words_were_cut_no_half_of_a_secret_is_left(script: Script) -> None:
    secret = "x" * 1995
    ended = Compose(script(f"echo before; echo {secret}; echo end")).create(PROJECT, nobeat)
    assert ended.words == "end"


def test_a_worker_without_a_place_for_files_tries_again(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(Unavailable) as error:
        Compose(script("")).create(PROJECT, nobeat)
    assert error.value.code == Code.COMPOSE_UNAVAILABLE


def test_what_takes_too_long_is_ended(script: Script) -> None:
    with pytest.raises(Unavailable):
        Compose(script("exec sleep 600")).up(PROJECT, nobeat, 0.1)


def test_a_watch_that_raises_ends_it(script: Script, tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def cancel() -> None:
        if pid.exists() and pid.read_text():
            raise Unavailable(Code.CANCELLED, "cancelled")

    with pytest.raises(Unavailable):
        Compose(script(f"echo $$ > {pid}; exec sleep 600")).up(PROJECT, cancel, 60)
    assert not Path("/proc", pid.read_text().strip()).exists()


def test_without_a_plugin_the_worker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "FOLDERS", ())
    monkeypatch.setenv("HOME", str(tmp_path))
    for compose in (Compose(), Compose(tmp_path / "nowhere")):
        with pytest.raises(Unavailable) as error:
            compose.validate(PROJECT, nobeat)
        assert error.value.code == Code.COMPOSE_UNAVAILABLE


def test_the_users_plugin_is_found_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    own = tmp_path / ".docker/cli-plugins/docker-compose"
    own.parent.mkdir(parents=True)
    own.touch(0o755)
    assert plugin.find() == own


def test_it_dies_with_the_worker(script: Script, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = script(f"echo $$ > {pid}; exec sleep 600")
    code = (
        "from pathlib import Path\nfrom agents.compose_host.plugin import Compose, Project\n"
        f"Compose(Path({str(program)!r})).up(Project('p', 'unix:///x', '', {{}}), lambda: None, 600)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    worker = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent.parent.parent, env=environment)
    try:
        assert eventually(lambda: pid.exists() and pid.read_text().strip() != "", 60)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert eventually(lambda: not Path("/proc", pid.read_text().strip()).exists(), 30)
