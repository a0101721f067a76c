"""The small parts of a process host: lookup, spawning, folders, logs."""

import asyncio
import dataclasses
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import cutting
from agents.process_host import housekeeping, processes, socket_path
from agents.process_host.folder import TargetFolder
from agents.process_host.lookup import DEFAULT_PATH, Lookup, User, host_ports, search_path
from agents.process_host.ports import foreign_listeners, is_served_by
from agents.process_host.records import Run, RunSpec, Slot, State, write_json
from agents.process_host.site import Site
from agents.process_host.spawn import spawn
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Refused
from fairlead.domain.fence import Claim, FenceLost
from tests.targets.bench import eventually
from tests.targets.harness import free_port

OURSELVES = User(None, None)
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("word", "found"),
    [("serve", "./serve"), ("./serve", "./serve"), ("/serve", "./serve"), ("bin/tool", "./bin/tool"), ("tool", "{path}/tool"),
     ("{path}/tool", "{path}/tool")],
)  # fmt: skip
def test_a_command_is_looked_up_in_the_tree_then_on_the_path(tmp_path: Path, word: str, found: str) -> None:
    tree, path = tmp_path / "tree", tmp_path / "path"
    for place in (tree / "serve", tree / "bin/tool", path / "tool", path / "serve"):
        program(place)
    lookup = Lookup(OURSELVES, (str(path),))
    assert lookup.argv((word.format(path=path), "-v"), tree, "web") == (found.format(path=path), "-v")


@pytest.mark.parametrize("command", [(), ("nothing",), ("../out",), ("tree/..",), ("closed",), ("folder",)])
def test_what_cannot_be_executed_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    tree = tmp_path / "tree"
    program(tmp_path / "out")
    program(tree / "closed", 0o644)
    (tree / "folder").mkdir()
    with pytest.raises(Refused) as refusal:
        Lookup(OURSELVES, ()).argv(command, tree, "web")
    assert refusal.value.code == Code.START_FAILED


@root_only
def test_a_program_that_the_applications_user_cannot_reach_is_passed_over(tmp_path: Path) -> None:
    closed, opened = program(tmp_path / "closed/tool"), program(tmp_path / "open/tool")
    link = tmp_path / "link/tool"
    link.parent.mkdir()
    link.symlink_to(closed)
    closed.parent.chmod(0o700)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o1 == 0:
            folder.chmod(0o711)
    lookup = Lookup(User.of(65534), tuple(str(p.parent) for p in (closed, link, opened)))
    assert lookup.argv(("tool",), tmp_path, "web") == (str(opened),)


@root_only
def test_the_outermost_closed_folder_on_the_way_is_found(tmp_path: Path) -> None:
    tree = tmp_path / "a/b/tree"
    tree.mkdir(parents=True)
    (tmp_path / "a").chmod(0o700)
    assert User.of(0).first_closed(tree) is None
    closed = User.of(65534).first_closed(tree)
    assert closed is not None
    assert tree.is_relative_to(closed)


def test_the_workers_path_comes_first_and_relative_folders_never() -> None:
    assert search_path("/a:.:bin::/usr/bin")[:2] == ("/a", "/usr/bin")
    assert set(DEFAULT_PATH.split(":")) < set(search_path("/a"))


def test_the_hosts_side_of_a_port_counts() -> None:
    assert host_ports(("8081:8080", "127.0.0.1:9:10", "7")) == (8081, 9, 7)


def sleeper(tmp_path: Path, *argv: str) -> RunSpec:
    return RunSpec("web", argv or ("/bin/sleep", "1000"), "/", str(tmp_path), {}, (), 1.0, {"fence": "1.1"})


def test_a_child_whose_start_was_never_written_down_does_not_start(tmp_path: Path) -> None:
    """As when the supervisor is killed between fork and journal: its end of the gate closes."""
    waiting = spawn(sleeper(tmp_path, "/bin/touch", str(tmp_path / "started")), tmp_path / "log", {})
    assert processes.is_alive(waiting.process)
    waiting._gate.close()
    assert eventually(lambda: not processes.is_alive(waiting.process))
    assert os.waitstatus_to_exitcode(os.waitpid(waiting.process.pid, 0)[1]) == 127
    assert not (tmp_path / "started").exists()


def test_a_child_that_may_go_becomes_the_application(tmp_path: Path) -> None:
    waiting = spawn(sleeper(tmp_path, "/bin/touch", str(tmp_path / "started")), tmp_path / "log", {})
    waiting.go()
    os.waitpid(waiting.process.pid, 0)
    assert (tmp_path / "started").exists()


def test_a_pid_is_nobody_without_its_start_time() -> None:
    me = processes.me()
    assert processes.is_alive(me)
    assert not processes.is_alive(processes.Identity(me.pid, me.started + 1, me.boot))
    assert not processes.is_alive(processes.Identity(me.pid, me.started, "another boot"))
    assert not processes.is_alive(None)


def test_what_a_leader_left_is_known_by_session_boot_and_environment(tmp_path: Path) -> None:
    script = "import os, time; os.fork() and os._exit(0); time.sleep(1000)"
    mark = {"HOME": str(tmp_path)}
    leader = subprocess.Popen([sys.executable, "-c", script], start_new_session=True, env=mark)
    born = processes.identify(leader.pid) or processes.Identity(leader.pid, 0, processes.me().boot)
    leader.wait()
    assert eventually(lambda: len(processes.family([leader.pid])) == 2)
    (left,) = processes.family([leader.pid]) - {leader.pid}
    for other in (
        lambda: processes.kill_remains(born, {"HOME": "/elsewhere"}),
        lambda: processes.kill_remains(dataclasses.replace(born, boot="another"), mark),
        lambda: processes.kill_remains(dataclasses.replace(born, started=2**62), mark),
    ):
        other()
        assert processes.identify(left)
    processes.kill_remains(born, mark)
    assert eventually(lambda: processes.identify(left) is None)


def test_who_listens_is_told_apart() -> None:
    port = free_port()
    assert foreign_listeners(port, []) == set()
    with socket.create_server(("127.0.0.1", port)):
        assert foreign_listeners(port, []) == {os.getpid()}
        assert foreign_listeners(port, [os.getpid()]) == set()
        assert is_served_by(port, os.getpid())
    assert not is_served_by(port, os.getpid())


CLAIMS = st.lists(st.builds(Claim, st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=8)


@given(CLAIMS)
@settings(deadline=None)
def test_of_any_claims_only_those_not_below_another_are_taken(
    tmp_path_factory: pytest.TempPathFactory, claims: list[Claim]
) -> None:
    folder = TargetFolder(tmp_path_factory.mktemp("claims") / "t")
    folder.take({})
    highest = Claim(0, 0)
    for claim in claims:
        if claim >= highest:
            folder.claim(claim)
            highest = claim
        else:
            with pytest.raises(FenceLost):
                folder.claim(claim)
    assert folder.list_claims()[-1] == highest == max(claims)


def test_a_sticker_of_a_lower_claim_never_covers_a_higher_ones(tmp_path: Path) -> None:
    folder = TargetFolder(tmp_path / "t")
    folder.take({})
    for claim in (Claim(1, 1), Claim(10, 1)):
        folder.claim(claim)
        folder.leave_sticker(claim, {"fence": str(claim)})
    write_json(folder.stickers / "9.1.json", {"fence": "9.1"})  # as by a worker that was stopped after its last look
    assert folder.sticker() == {"fence": "10.1"}


def test_what_lies_between_claims_is_no_claim(tmp_path: Path) -> None:
    folder = TargetFolder(tmp_path / "t")
    folder.take({})
    for name in ("1.1", "2", ".2.1", "2.1.json", "x.y", "3."):
        (folder.claims / name).touch()
    assert folder.list_claims() == [Claim(1, 1)]


def test_the_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = Run(3, sleeper(tmp_path), "2.1", created=1.0, since=2.0, exits=1, process=processes.me())
    state = State(7, {"web": Slot(run, sleeper(tmp_path)), "api": Slot()})
    write_json(tmp_path / "state.json", state.to_json())
    assert TargetFolder(tmp_path).read_state() == state


def test_the_tail_begins_with_the_run_and_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert housekeeping.tail(log, 0) == ""
    log.write_text("old\n" + "".join(f"line {n}\n" for n in range(1000)))
    assert housekeeping.tail(log, 4).splitlines() == [f"line {n}" for n in range(980, 1000)]
    log.write_text("old\nnew\n")
    assert housekeeping.tail(log, 4) == "new"
    assert housekeeping.tail(log, 10_000) == "old\nnew"


def test_where_text_was_cut_no_half_of_a_secret_is_left(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 50 + "the secret\nthe end\n")
    assert housekeeping.tail(log, 0, most=12) == "the end"
    assert housekeeping.tail(log, 0, most=4) == cutting.TOO_LONG
    assert housekeeping.tail(log, 61, most=8) == "the end"  # all that there is of this run


@given(st.text("ab\n", max_size=20), st.integers(1, 25))
def test_the_end_of_a_text_is_whole_lines_of_it(text: str, most: int) -> None:
    kept = cutting.end_of(text, most)
    assert kept == cutting.TOO_LONG or len(kept) <= most
    assert kept in (text, cutting.TOO_LONG) or text.endswith("\n" + kept)


def test_the_logs_of_errands_are_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "MAX_LOG", 10)
    monkeypatch.setattr(housekeeping, "EVERY", 0)
    folder = TargetFolder(tmp_path)
    folder.errands.mkdir()
    log = folder.errands / "1.web.pre.x.log"
    log.write_text("x" * 20)

    async def swept() -> None:
        sweeping = asyncio.ensure_future(housekeeping.sweep(folder))
        while log.stat().st_size:
            await asyncio.sleep(0.01)
        sweeping.cancel()

    asyncio.run(asyncio.wait_for(swept(), 60))


def test_a_process_that_we_may_not_look_at_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(*args: object, **more: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", hidden)
    assert processes.identify(1) is None


def test_a_folder_of_another_target_tells_and_takes_nothing(tmp_path: Path) -> None:
    ours = {"project": "a", "environment": "b-c", "target": "d"}
    theirs = {"project": "a-b", "environment": "c", "target": "d"}
    site = Site(tmp_path, Lookup(OURSELVES, ()))
    assert (site.read_sticker(ours), site.logs(ours, "web", 5)) == (None, "")
    TargetFolder(tmp_path / "a-b-c-d").take(theirs)
    for order in (
        lambda: site.read_sticker(ours),
        lambda: site.logs(ours, "web", 5),
        lambda: site.write_sticker(ours, {}, Claim(1, 1)),
        lambda: site.observe(ours),
    ):
        with pytest.raises(Conflict) as refusal:
            order()
        assert refusal.value.code == Code.FOREIGN_WORKLOAD


def test_a_log_that_grew_too_large_is_cut_under_its_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "MAX_LOG", 10)
    log = tmp_path / "log"
    with open(log, "a") as writer:
        writer.write("x" * 20)
        writer.flush()
        housekeeping.cut(log)
        writer.write("after")
    assert (log.read_text(), (tmp_path / "log.1").read_text()) == ("after", "x" * 20)


def test_sockets_may_lie_in_deep_folders_and_are_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / ("d" * 120) / "control.sock"
    path.parent.mkdir()
    with socket_path.bind(path), socket_path.reachable(path) as short, socket.socket(socket.AF_UNIX) as client:
        client.connect(short)
        assert path.stat().st_mode & 0o777 == 0o600


HEAVY = ("pydantic", "httpx", "psutil", "rfc8785", "docker")


@pytest.mark.parametrize("part", ["supervisor", "site"])
def test_what_runs_on_the_host_is_standard_library_only(part: str) -> None:
    """The supervisor lives for months beside applications, so it stays small; a host at the other end has nothing else."""
    check = f"import sys, agents.process_host.{part}; print([m for m in {HEAVY} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
