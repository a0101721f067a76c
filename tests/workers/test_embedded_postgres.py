"""The embedded Postgres: private, unprivileged, found again after any death of its starter."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fairlead.domain.errors import Unavailable
from fairlead.store.database import libpq_url
from workers.embedded_postgres import EmbeddedPostgres
from workers.unprivileged import NOBODY

pytestmark = pytest.mark.postgres
AS_ROOT = os.geteuid() == 0
Make = Callable[..., EmbeddedPostgres]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Servers on one folder, all stopped at the end."""
    made: list[EmbeddedPostgres] = []

    def one(**options: object) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(tmp_path / "pg", durable=False, **options))
        return made[-1]

    yield one
    for each in reversed(made):
        each.stop()
    note = tmp_path / "pg" / "place"
    if note.exists():
        shutil.rmtree(note.read_text())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One for those that only look."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("running") / "pg", durable=False)
    server.start()
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, query: str, role: str = "postgres") -> object:
    with psycopg.connect(libpq_url(server.url(role))) as connection:
        return connection.execute(query).fetchone()[0]


def test_it_starts_stops_and_starts_again_with_its_data(make: Make):
    server = make()
    server.start()
    with psycopg.connect(libpq_url(server.owner_url)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    port, url = server.port, server.owner_url
    server.stop()
    assert server.pid is None
    server.start()
    assert (server.port, server.owner_url) == (port, url)
    assert ask(server, "SELECT answer FROM kept") == 42


def test_starting_twice_is_starting_once(make: Make):
    server = make()
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid


def test_stopping_what_never_started_is_nothing(make: Make):
    make().stop()


@pytest.mark.parametrize("role", ["fairlead_owner", "fairlead_app"])
def test_our_roles_are_no_superusers(running: EmbeddedPostgres, role: str):
    rights = "rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication"
    assert ask(running, f"SELECT {rights} FROM pg_roles WHERE rolname = current_user", role) is False  # noqa: S608


def test_a_wrong_password_does_not_get_in(running: EmbeddedPostgres):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://fairlead_app:wrong@127.0.0.1:{running.port}/fairlead")


def test_it_listens_on_loopback_only(running: EmbeddedPostgres):
    assert ask(running, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(running, "SHOW unix_socket_directories") == ""


@pytest.mark.parametrize("role", ["postgres", "fairlead_owner", "fairlead_app"])
def test_passwords_are_for_our_eyes_only(running: EmbeddedPostgres, role: str):
    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((running.folder / "passwords.json").stat().st_mode) == 0o600
    password = running.url(role).split(":")[2].partition("@")[0]
    words = Path(f"/proc/{running.pid}/cmdline").read_bytes() + Path(f"/proc/{running.pid}/environ").read_bytes()
    assert password.encode() not in words


@pytest.mark.parametrize(("durable", "setting"), [(True, "on"), (False, "off")])
def test_it_is_durable_unless_told_otherwise(tmp_path: Path, durable: bool, setting: str):
    server = EmbeddedPostgres(tmp_path / "pg", durable=durable)
    server.start()
    try:
        assert [ask(server, f"SHOW {each}") for each in ("fsync", "full_page_writes")] == [setting] * 2
        assert ask(server, "SHOW synchronous_commit") == "on"  # what was committed outlives a kill -9 either way
    finally:
        server.stop()


def test_folders_above_keep_their_modes_and_owners(make: Make, tmp_path: Path):
    tmp_path.chmod(0o700)
    before = [(each.stat().st_mode, each.stat().st_uid) for each in tmp_path.parents]
    make().start()
    assert [(each.stat().st_mode, each.stat().st_uid) for each in tmp_path.parents] == before
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_server_left_by_a_killed_starter_is_adopted(make: Make, tmp_path: Path):
    script = (
        "import os, signal, pathlib, sys; from workers.embedded_postgres import EmbeddedPostgres\n"
        "EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False).start()\n"
        "os.kill(0, signal.SIGKILL)"  # its whole process group
    )
    command = [sys.executable, "-c", script, str(tmp_path / "pg")]
    killed = subprocess.run(command, start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    server = make()
    left = server.pid
    assert left is not None
    server.start()
    assert server.pid == left
    assert ask(server, "SELECT 1") == 1
    server.stop()
    assert server.pid is None


def test_a_killed_server_comes_back_where_it_was(make: Make):
    server = make()
    server.start()
    with psycopg.connect(libpq_url(server.owner_url)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    killed, url = server.pid, server.owner_url
    os.kill(killed, signal.SIGKILL)
    server.start()
    assert server.pid != killed
    assert server.owner_url == url
    assert ask(server, "SELECT answer FROM kept") == 42


def test_a_pid_that_now_belongs_to_somebody_else_is_not_taken_for_ours(make: Make, tmp_path: Path):
    server = make()
    server.start()
    data = Path(str(ask(server, "SHOW data_directory")))
    lines = (data / "postmaster.pid").read_text().splitlines()
    server.stop()
    (data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    assert server.pid is None
    server.start()
    assert server.pid not in (None, os.getpid())


def test_another_port_moves_it(make: Make):
    server = make()
    server.start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    moved = make(port=port)
    moved.start()
    assert moved.port == port
    assert ask(moved, "SHOW port") == str(port)


def test_a_port_that_is_taken_is_given_up_for_another(make: Make):
    server = make()
    server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)) as taken:
        server.start()
        assert server.port != taken.getsockname()[1]
        assert ask(server, "SELECT 1") == 1


def test_a_port_that_others_were_told_is_not_given_up(make: Make):
    server = make()
    server.start()
    server.keep_port()
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)), pytest.raises(Unavailable):
        server.start()
    server.start()
    assert ask(server, "SELECT 1") == 1


def test_a_given_port_that_is_taken_is_an_error_with_the_reason(make: Make):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable) as caught:
        make(port=taken.getsockname()[1]).start()
    assert "Address already in use" in caught.value.detail


def test_a_first_start_that_was_cut_off_is_begun_anew(make: Make, tmp_path: Path):
    half = tmp_path / "pg" / "data.00000000"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = make()
    server.start()
    assert ask(server, "SELECT 1") == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root has privileges to give up")
@pytest.mark.parametrize("namespaces", [True, False])
def test_root_runs_it_as_nobody(make: Make, namespaces: bool):
    server = make(namespaces=namespaces)
    server.start()
    status = Path(f"/proc/{server.pid}/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    inside_a_namespace = Path(f"/proc/{server.pid}/uid_map").read_text().split()[0] == str(NOBODY)
    assert inside_a_namespace or f"Uid:\t{NOBODY}" in status
    assert inside_a_namespace == namespaces
    assert effective.split()[1].strip("0") == ""


@pytest.mark.skipif(not AS_ROOT, reason="only root has privileges to give up")
def test_without_namespaces_it_finds_its_place_again(make: Make, tmp_path: Path):
    tmp_path.chmod(0o700)
    server = make(namespaces=False)
    server.start()
    place = ask(server, "SHOW data_directory")
    server.stop()
    again = make(namespaces=False)
    again.start()
    assert ask(again, "SHOW data_directory") == place
