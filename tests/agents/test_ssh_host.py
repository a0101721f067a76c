"""SSH hosts under fire: connections that break or fall silent in the middle, hosts that lack something, what is hostile in names."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.ssh_host.host import SshHost
from fairlead.adapters.images import ImageStore
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from tests.fixtures.ssh import DEPLOY, PASSWORD, Sshd, SshProcessHarness
from tests.targets.bench import Bench, ask, eventually, nobeat, with_config
from tests.targets.harness import Tally

pytestmark = [pytest.mark.ssh, pytest.mark.process]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")

SILENCE = "8s"
"""A little more than what lies between two signs of life."""


@pytest.fixture
def make_bench(sshd: Sshd, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """A target on a server of its own, which a test may break. `path`: PATH there; `options`: changed ones."""
    benches: list[Bench] = []

    def make(path: str = "", more: str = "", **options: Any) -> Bench:
        server = Sshd(sshd.folder, more, path)
        server.start()
        harness = SshProcessHarness(tmp_path / f"host-{server.port}", server)
        harness.options |= options
        benches.append(Bench(harness))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()
        bench.harness.stop()
        bench.harness.sshd.stop()


class At:
    """Fail points of a worker to whom something happens at a place."""

    def __init__(self, place: str, happens: Callable[[], object]) -> None:
        self._place, self._happens = place, happens

    def reach(self, name: str) -> None:
        if name == self._place:
            self._happens()


def interrupted(
    bench: Bench, place: str, happens: Callable[[], object], number: int = 1, version: str = "1.0.0"
) -> Code:
    """Apply while something happens; the code of what was raised."""
    executor, spec = bench.harness.executor(At(place, happens)), bench.of(version)
    executor.prepare(spec, nobeat)
    with pytest.raises(Unavailable) as lost:
        executor.apply(spec, Claim(number, 1), nobeat)
    return lost.value.code


@pytest.mark.parametrize("place", ["after_claim", "after_stop_old", "after_create"])
def test_a_connection_lost_in_the_middle_is_taken_up_where_it_was(make_bench: Callable[..., Bench], place: str) -> None:
    bench = make_bench()
    assert interrupted(bench, place, bench.harness.sshd.cut) == Code.SSH_CONNECTION_LOST
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    assert bench.runs(bench.of("1.0.0"))
    assert bench.tally() == Tally(1, 1)


@pytest.mark.parametrize("place", ["after_stop_old", "after_create"])
def test_a_half_open_connection_is_found_out(make_bench: Callable[..., Bench], place: str) -> None:
    bench = make_bench(silence_timeout=SILENCE)
    assert interrupted(bench, place, bench.harness.sshd.freeze) == Code.SSH_SILENT
    bench.harness.sshd.cut()
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    assert bench.runs(bench.of("1.0.0"))
    assert bench.tally() == Tally(1, 1)


def test_a_server_killed_in_the_middle_leaves_what_the_next_attempt_mends(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.apply(bench.of("1.0.0"), 1)
    code = interrupted(bench, "after_stop_old", bench.harness.sshd.stop, 2, "2.0.0")
    assert code == Code.SSH_CONNECTION_LOST
    assert not bench.harness.executor().observe(bench.address).reachable
    bench.harness.sshd.start()
    bench.apply(bench.of("2.0.0"), 2, attempt=2)
    assert bench.runs(bench.of("2.0.0"))
    assert bench.tally() == Tally(2, 2)


def test_applications_do_not_notice_when_the_server_goes(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.apply(bench.of("1.0.0"), 1)
    before = ask(bench)["pid"]
    bench.harness.sshd.stop()
    assert ask(bench)["pid"] == before
    bench.harness.sshd.start()
    assert bench.runs(bench.of("1.0.0"))


def refusal(bench: Bench) -> FairleadError:
    with pytest.raises(FairleadError) as raised:
        bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    return raised.value


def folder_with(folder: Path, **programs: str) -> str:
    """A folder for PATH, with scripts in it."""
    folder.mkdir()
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_a_host_without_python_is_refused(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    error = refusal(make_bench(folder_with(tmp_path / "bin")))
    assert (type(error), error.code) == (Refused, Code.PYTHON_MISSING)


def real(version: str) -> str:
    """A Python of this version on this machine; where there is none the test is skipped."""
    found = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")]
    for program in filter(None, found):
        told = subprocess.run(
            [program, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=False
        )
        if told.returncode == 0:
            return told.stdout.strip()
    pytest.skip(f"there is no python{version} here")


@pytest.mark.parametrize("version", ["3.6", "3.8"])
def test_a_host_whose_python_is_too_old_is_refused(
    make_bench: Callable[..., Bench], tmp_path: Path, version: str
) -> None:
    error = refusal(make_bench(folder_with(tmp_path / "bin", python3=f'exec {real(version)} "$@"')))
    assert (error.code, error.detail.count(f"Python {version}")) == (Code.PYTHON_MISSING, 1), error.detail


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.12", "3.13"])
def test_every_python_from_3_9_on_will_do(make_bench: Callable[..., Bench], tmp_path: Path, version: str) -> None:
    bench = make_bench(folder_with(tmp_path / "bin", python3=f'exec {real(version)} "$@"') + ":/usr/bin:/bin")
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    with pytest.raises(Refused) as failed:
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}), 2)
    assert failed.value.code == Code.START_FAILED
    assert bench.runs(bench.of("1.0.0"))
    bench.harness.executor().retire(bench.of("1.0.0"), Claim(3, 1), nobeat)
    assert bench.see() == {}


def test_a_sudo_that_wants_a_password_is_refused(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    """The `sudo` here is a double: it refuses as the real one does without a terminal."""
    error = refusal(make_bench(folder_with(tmp_path / "bin", sudo="exit 1") + ":/usr/bin:/bin", sudo=True))
    assert (type(error), error.code) == (Refused, Code.SUDO_REFUSED)


def test_with_sudo_all_is_done_by_root(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    """The `sudo` here is a double: it takes only the words that we may use, notes that it was asked, and changes nobody's user."""
    script = f'[ "$1 $2" = "-n --" ] || exit 1; shift 2; echo asked >> {tmp_path}/asked; exec "$@"'
    bench = make_bench(folder_with(tmp_path / "bin", sudo=script) + ":/usr/bin:/bin", sudo=True)
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    assert (tmp_path / "asked").exists()


def test_a_program_that_dies_under_sudo_is_no_missing_python(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    """The `sudo` here is a double: it takes our words off and notes who runs."""
    script = f'shift 2; echo $$ > {tmp_path}/pid; exec "$@"'
    bench = make_bench(folder_with(tmp_path / "bin", sudo=script) + ":/usr/bin:/bin", sudo=True)
    die = lambda: os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)  # noqa: E731
    assert interrupted(bench, "after_claim", die) == Code.SSH_CONNECTION_LOST


def test_a_folder_that_others_may_write_to_is_refused(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    folder = bench.harness.hosts / "host"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert refusal(bench).code == Code.FOLDER_UNSAFE


@root_only
@pytest.mark.parametrize("size", ["64k", "1m"], ids=["before our program is there", "before the image is there"])
def test_a_full_disk_has_a_name_of_its_own(make_bench: Callable[..., Bench], tmp_path: Path, size: str) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)], check=True)  # noqa: S607
    bench = make_bench(root=str(folder))
    large = bench.harness.with_files("large", {"large": os.urandom(700_000).hex()})
    try:
        with pytest.raises(Unavailable) as full:
            bench.harness.executor().prepare(bench.spec(bench.component(large)), nobeat)
        assert full.value.code == Code.TARGET_FULL
        assert not list(folder.glob("releases/*"))
    finally:
        bench.harness.sshd.stop()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def test_of_a_log_of_50_megabytes_only_the_end_is_read(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    print_much = (
        "import time; [print('x' * 1023) for _ in range(51200)]; print('the end', flush=True); time.sleep(1000)"
    )
    component = bench.component(bench.harness.image("1.0.0"))
    spec = bench.spec(with_config(component, health=None, command=("python3", "-c", print_much)), deadline=60)
    bench.apply(spec, 1)
    said = lambda: bench.harness.executor().logs(bench.address, "web", 5)  # noqa: E731
    assert eventually(lambda: said().endswith("the end"), 60)
    assert len(said()) <= 64 * 1024


def test_what_is_hostile_in_values_arrives_as_it_was(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    hostile = "a b'c\"d\\e$(touch f)`g`\n%h;i|j&k>l*m å\u2028é\x7f"
    bench = make_bench(root=str(tmp_path / "it's $(a) `root` %n\u00e9w"))
    spec = bench.of("1.0.0", {"GREETING": hostile})
    executor = bench.harness.executor()
    try:
        executor.prepare(spec, nobeat)
        executor.apply(spec, Claim(1, 1), nobeat)
        assert ask(bench)["env"]["GREETING"] == hostile
    finally:
        executor.retire(spec, Claim(2, 1), nobeat)


@root_only
def test_an_ordinary_user_runs_applications_as_himself(ssh_folder: Path, sshd: Sshd) -> None:
    harness = SshProcessHarness(ssh_folder / "of-deploy", sshd, "deploy")
    (harness.hosts / "host").mkdir(parents=True)
    os.chown(harness.hosts / "host", DEPLOY, DEPLOY)
    harness.options |= {"key": "", "password": "env://PASSWORD"}
    bench, executor = (
        Bench(harness),
        SshHost(ImageStore(harness.layouts), None, sshd.secrets(**{"env://PASSWORD": PASSWORD})),
    )
    try:
        executor.prepare(bench.of("1.0.0"), nobeat)
        executor.apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
        assert ask(bench)["uid"] == DEPLOY
    finally:
        bench.close()
