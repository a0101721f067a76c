"""The parts of SSH hosts that need no connection: our program, units of systemd, what a kernel says of ports."""

import ast
import errno
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import paramiko
import pytest

from agents.process_host.folder import TargetFolder
from agents.ssh_host import bundle, engine, remote, systemd
from agents.ssh_host.connection import Connection
from agents.ssh_host.engine import dial_command, free, listening
from agents.ssh_host.options import read_endpoint, read_options
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable

pytestmark = pytest.mark.ssh


def test_the_program_is_the_same_whenever_it_is_packed() -> None:
    first = bundle.bundle()
    bundle.bundle.cache_clear()
    assert bundle.bundle() == first
    assert len(first.content) < 200_000


def test_the_program_is_written_for_python_3_9() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle.bundle().content)) as archive:
        sources = {name: archive.read(name).decode() for name in archive.namelist()}
    for name, source in sources.items():
        ast.parse(source, name, feature_version=(3, 9))
    ast.parse(bundle.boot(), feature_version=(3, 4))


@pytest.mark.parametrize("module", ["agents.ssh_host.session", "agents.process_host.supervisor"])
def test_the_program_has_all_that_it_imports_and_nothing_else(tmp_path: Path, module: str) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle.bundle().content)) as archive:
        archive.extractall(tmp_path)
    check = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; import {module}"
    subprocess.run([sys.executable, "-I", "-c", check], check=True)


FOLDER = TargetFolder(Path('/srv/50% of "it\'s" $HOME/shop-prod-prod-1'))


def test_a_unit_keeps_the_supervisor_and_lets_applications_live(tmp_path: Path) -> None:
    text = systemd.render(FOLDER, ["/usr/bin/python3", "-I", "/p", "keep", str(FOLDER.path)], "multi-user.target")
    lines = text.splitlines()
    assert {"KillMode=process", "Restart=on-failure", "WantedBy=multi-user.target"} <= set(lines)
    [command] = [line for line in lines if line.startswith("ExecStart=")]
    assert command.endswith(r'"keep" "/srv/50%% of \"it' + "'" + r's\" $$HOME/shop-prod-prod-1"')
    assert "WantedBy=default.target" in systemd.render(FOLDER, ["/p"], "default.target")


def test_systemd_itself_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / systemd.unit_name(FOLDER)
    unit.write_text(systemd.render(FOLDER, [sys.executable, "-I", "/p", "keep", str(FOLDER.path)], "multi-user.target"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unit.name not in told.stderr, told.stderr


def test_without_systemd_a_supervisor_detaches_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(systemd, "RUNNING", tmp_path / "nothing")
    assert systemd.restarting() is None


def test_with_systemd_a_unit_is_written_enabled_and_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`systemctl` is a double that takes note of its words."""
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(systemd, "_systemctl", lambda *words: said.append(words) or True)
    monkeypatch.setattr(systemd, "units", lambda: tmp_path / "units")
    keeping, name = systemd.Keeping(Path("/program"), systemd.UNIT), systemd.unit_name(FOLDER)
    assert keeping.launch(FOLDER)
    assert said == [("daemon-reload",), ("enable", name), ("start", name)]
    assert keeping.launch(FOLDER)
    assert said[3:] == [("enable", name), ("start", name)]
    keeping.forget(FOLDER)
    assert said[5:] == [("disable", name), ("daemon-reload",)]
    assert list((tmp_path / "units").iterdir()) == []


class Talking:
    """A double: a connection, and the channel that it opens, to an end that says some lines, then for ever that it is alive."""

    peer, options = "me@host", read_options({})

    def __init__(self, *lines: str) -> None:
        self._lines = [f"{line}\n".encode() for line in lines]

    def run(self, command: list[str]) -> "Talking":
        return self

    def settimeout(self, seconds: float) -> None: ...

    def send(self, data: bytes) -> int:
        return len(data)

    def recv(self, most: int) -> bytes:
        return self._lines.pop(0) if self._lines else b'{"alive": 1}\n'


def test_who_is_alive_and_does_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    there = remote.Remote(Talking('{"hello": 1, "platform": "linux/amd64"}'))  # type: ignore[arg-type]
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    for wait in (there.fitness, lambda: remote.Remote(Talking())):  # type: ignore[arg-type]
        with pytest.raises(Unavailable) as late:
            wait()
        assert late.value.code == Code.SSH_SILENT


def test_a_disk_of_the_workers_that_is_full_may_have_room_later() -> None:
    def fill(file: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(Unavailable):
        remote.RemoteStage(None, None).layer("sha256:0", "", fill)  # type: ignore[arg-type]


def test_what_the_library_of_the_line_raises_is_a_lost_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_Api", lambda dial: io.BytesIO())
    connection = Connection(read_endpoint("ssh://me@host"), read_options({}), None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable) as lost, engine.engine_behind(connection):
        raise paramiko.SSHException("Key-exchange timed out")
    assert lost.value.code == Code.SSH_CONNECTION_LOST


TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 0100007F:0016 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1 1
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0 0 0
"""


def test_only_sockets_that_listen_take_a_port() -> None:
    assert listening(TABLES) == {8080, 80}


@pytest.mark.parametrize(
    ("table", "bytes"),
    [
        ("Filesystem 1024-blocks\n/dev/a b 9 5 4 56% /\n", 4096),
        ("H\n/dev/a 9 5 0 100% /\n", 0),
        ("", None),
        ("H\n- - -\n", None),
    ],
)
def test_the_room_is_that_of_the_one_row(table: str, bytes: int | None) -> None:
    assert free(table) == bytes


def test_the_engine_is_where_docker_finds_it_unless_we_are_told() -> None:
    assert dial_command("") == ["docker", "system", "dial-stdio"]
    assert dial_command("/a b") == ["docker", "--host", "unix:///a b", "system", "dial-stdio"]
