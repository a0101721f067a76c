"""Process hosts under fire: what is killed, stopped, altered or in the way."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents.process_host.processes import Identity, family, identify, is_alive
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from fairlead.domain.health import Health
from tests.fixtures.process import ProcessHarness, applications_of, kill_all
from tests.targets.bench import Bench, ask, eventually, nobeat
from tests.targets.harness import free_port

pytestmark = pytest.mark.process


def kill(process: Identity, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(process.pid, number)
    assert eventually(lambda: not is_alive(process))


def application(bench: Bench) -> Identity:
    (process,) = applications_of(bench.harness.folder(bench.address))
    return process


def events(bench: Bench) -> list[str]:
    return [line["event"] for line in bench.harness.journal(bench.address)]


def test_a_killed_application_is_started_again(process_bench: Bench) -> None:
    spec = process_bench.of("1.0.0")
    process_bench.apply(spec, 1)
    before = process_bench.see()["web"]
    kill(application(process_bench))
    assert eventually(lambda: process_bench.runs(spec))
    after = process_bench.see()["web"]
    assert (after.restarts, after.fence, after.created) == (1, "1.1", before.created)
    assert after.instance != before.instance
    assert events(process_bench) == ["started", "ended", "started"]


WORKER = """
import sys, time
from pathlib import Path
from agents.process_host.host import ProcessHost
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim
import os, signal

class StopAt:
    def reach(self, name):
        if name == sys.argv[4]:
            os.kill(os.getpid(), signal.SIGSTOP)

host = ProcessHost(Path(sys.argv[1]), ImageStore(Path(sys.argv[2])), StopAt())
try:
    host.apply(TargetSpec.model_validate_json(sys.stdin.read()), Claim.parse(sys.argv[3]), lambda: None)
except FairleadError as error:
    print(error.code, flush=True)
else:
    print("applied", flush=True)
if sys.argv[4] == "linger":
    time.sleep(600)
"""


def worker(bench: Bench, spec: TargetSpec, claim: str, then: str) -> "subprocess.Popen[str]":
    """A worker in a process group of its own, as systemd or a shell would start it."""
    harness = bench.harness
    command = [sys.executable, "-c", WORKER, str(harness.hosts), str(harness.layouts), claim, then]
    environment = {**os.environ, "SECRET_OF_THE_WORKER": "1"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )
    process.stdin.write(spec.model_dump_json())
    process.stdin.close()
    return process


def test_killing_the_workers_whole_process_group_leaves_applications_running(process_bench: Bench) -> None:
    spec = process_bench.of("1.0.0")
    process = worker(process_bench, spec, "1.1", "linger")
    assert process.stdout.readline() == "applied\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process_bench.runs(spec)
    kill(application(process_bench))
    assert eventually(lambda: process_bench.runs(spec))


@pytest.mark.parametrize("place", ["after_claim", "after_stop_old", "after_create"])
def test_an_older_worker_that_was_stopped_and_woken_changes_nothing(process_bench: Bench, place: str) -> None:
    process_bench.apply(process_bench.of("1.0.0"), 1)
    older = worker(process_bench, process_bench.of("2.0.0"), "2.1", place)
    assert eventually(lambda: Path(f"/proc/{older.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", 60)
    newest = process_bench.of("3.0.0")
    process_bench.apply(newest, 3)
    before = process_bench.see()
    os.kill(older.pid, signal.SIGCONT)
    assert older.stdout.read() == "fence_lost\n"
    older.wait()
    assert process_bench.runs(newest)
    assert process_bench.see() == before


def test_one_that_cannot_come_back_does_not_keep_the_others_from_it(process_bench: Bench) -> None:
    def both(version: str, env: dict[str, str]) -> TargetSpec:
        other = process_bench.component(process_bench.harness.image(f"{version}-other"), env, "other", port)
        return process_bench.spec(process_bench.component(process_bench.harness.image(version)), other)

    port = free_port()
    old = both("gone", {})
    process_bench.apply(old, 1)
    tree = process_bench.harness.folder(process_bench.address).releases / old.components[0].digest.partition(":")[2]
    shutil.rmtree(tree)
    with pytest.raises(Refused) as refusal:
        process_bench.apply(both("2.0.0", {"CRASH": "1"}), 2)
    assert refusal.value.fields["component"] == "other"
    assert refusal.value.fields["restored"] == {"web": "started again, but start_failed", "other": "healthy again"}


def test_without_its_supervisor_nothing_is_ok_and_a_new_one_adopts_what_runs(process_bench: Bench) -> None:
    spec = process_bench.of("1.0.0")
    process_bench.apply(spec, 1)
    running = application(process_bench)
    kill(process_bench.harness.supervisor(process_bench.address))
    seen = process_bench.see()["web"]
    assert (seen.health, seen.digest) == (Health.UNVERIFIABLE, None)
    assert process_bench.runs(spec)
    assert application(process_bench) == running
    kill(running)
    assert eventually(lambda: process_bench.runs(spec))


def test_when_both_were_killed_nothing_runs_and_the_next_look_brings_it_back(process_bench: Bench) -> None:
    spec = process_bench.of("1.0.0")
    process_bench.apply(spec, 1)
    kill_all(process_bench.harness.folder(process_bench.address))
    assert process_bench.see()["web"].health == Health.MISSING
    assert eventually(lambda: process_bench.runs(spec))


def test_a_supervisor_told_to_terminate_takes_its_applications_along(process_bench: Bench) -> None:
    process_bench.apply(process_bench.of("1.0.0"), 1)
    running = application(process_bench)
    kill(process_bench.harness.supervisor(process_bench.address), signal.SIGTERM)
    assert not is_alive(running)


def test_apply_goes_on_where_the_supervisor_was_killed(process_bench: Bench) -> None:
    process_bench.apply(process_bench.of("1.0.0"), 1)
    kill(process_bench.harness.supervisor(process_bench.address))
    process_bench.apply(process_bench.of("2.0.0"), 2)
    assert process_bench.runs(process_bench.of("2.0.0"))
    assert len(applications_of(process_bench.harness.folder(process_bench.address))) == 1


def test_a_lower_claim_is_refused_after_a_restart_of_everything(process_bench: Bench) -> None:
    process_bench.apply(process_bench.of("2.0.0"), 5)
    kill_all(process_bench.harness.folder(process_bench.address))
    with pytest.raises(FenceLost):
        process_bench.apply(process_bench.of("1.0.0"), 4)


def test_a_supervisor_that_does_not_answer_makes_nothing_ok(
    process_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.process_host.control.PATIENCE", 0.5)
    process_bench.apply(process_bench.of("1.0.0"), 1)
    supervisor = process_bench.harness.supervisor(process_bench.address)
    os.kill(supervisor.pid, signal.SIGSTOP)
    assert process_bench.see()["web"].health == Health.UNVERIFIABLE
    with pytest.raises(Unavailable):
        process_bench.apply(process_bench.of("2.0.0"), 2)
    os.kill(supervisor.pid, signal.SIGCONT)


def test_an_application_knows_only_its_configuration_and_is_nobody(process_bench: Bench) -> None:
    process = worker(process_bench, process_bench.of("1.0.0", {"GREETING": "hello"}), "1.1", "")
    assert process.stdout.read() == "applied\n"
    process.wait()
    told = ask(process_bench)
    known = {name: value for name, value in told["env"].items() if name != "LC_CTYPE"}  # Python sets it for itself
    assert known.keys() == {"PATH", "HOME", "PORT", "GREETING"}
    assert known["PORT"] == str(process_bench.port)
    supervisor = process_bench.harness.supervisor(process_bench.address)
    assert b"SECRET" not in Path(f"/proc/{supervisor.pid}/environ").read_bytes()
    assert told["uid"] == (65534 if os.geteuid() == 0 else os.geteuid())


def test_current_points_to_what_was_last_healthy(process_bench: Bench) -> None:
    current = process_bench.harness.folder(process_bench.address).component("web") / "current"
    process_bench.apply(process_bench.of("1.0.0"), 1)
    assert (current / "VERSION").read_text() == "1.0.0\n"
    with pytest.raises(Refused):
        process_bench.apply(process_bench.of("2.0.0", {"BROKEN": "1"}, deadline=0.5), 2)
    assert (current / "VERSION").read_text() == "1.0.0\n"
    process_bench.apply(process_bench.of("3.0.0"), 3)
    assert (current / "VERSION").read_text() == "3.0.0\n"


def test_a_good_answer_by_somebody_else_is_not_health(process_bench: Bench, process_harness: ProcessHarness) -> None:
    spec, neighbour = process_bench.of("1.0.0"), Bench(process_harness, port=process_bench.port)
    executor = process_harness.executor()
    executor.prepare(spec, nobeat)
    neighbour.apply(neighbour.of("1.0.0"), 1)
    try:
        with pytest.raises(Refused) as refusal:
            executor.apply(spec, Claim(1, 1), nobeat)
    finally:
        neighbour.close()
    assert refusal.value.code == Code.START_FAILED
    assert "in use" in str(refusal.value.fields["log"])


def test_the_second_of_two_failing_puts_both_back(process_bench: Bench) -> None:
    def both(version: str, env: dict[str, str] | None = None) -> TargetSpec:
        image = process_bench.harness.image(version)
        first = process_bench.component(image, name="api", port=ports[0])
        return process_bench.spec(first, process_bench.component(image, env), release=version, deadline=3.0)

    ports = [process_bench.port + 1]
    process_bench.apply(both("1.0.0"), 1)
    with pytest.raises(Refused) as refusal:
        process_bench.apply(both("2.0.0", {"CRASH": "1"}), 2)
    assert refusal.value.fields["restored"] == {"web": "healthy again", "api": "healthy again"}
    assert process_bench.runs(both("1.0.0"))


def test_without_a_health_check_running_on_is_healthy(process_bench: Bench) -> None:
    component = process_bench.component(process_bench.harness.image("1.0.0"))
    config = component.config.model_copy(update={"health": None})
    spec = process_bench.spec(component.model_copy(update={"config": config}))
    process_bench.apply(spec, 1)
    assert process_bench.runs(spec)


IGNORE = "import signal, subprocess, time; signal.signal(15, signal.SIG_IGN); subprocess.Popen(['sleep', '1000']); "


@pytest.mark.parametrize(
    "then", ["time.sleep(1000)", "signal.signal(15, signal.SIG_DFL); time.sleep(1000)"], ids=["leader", "child"]
)
def test_who_ignores_the_request_to_stop_is_killed(process_bench: Bench, then: str) -> None:
    component = process_bench.component(process_bench.harness.image("1.0.0"))
    changes = {"health": None, "stop_grace": 0.3, "command": ("python3", "-c", IGNORE + then)}
    config = component.config.model_copy(update=changes)
    process_bench.apply(process_bench.spec(component.model_copy(update={"config": config})), 1)
    session = application(process_bench).pid
    assert eventually(lambda: len(members(session)) == 2)
    process_bench.apply(process_bench.of("2.0.0"), 2)
    assert members(session) == []


def members(session: int) -> list[int]:
    """Processes of a session that run."""
    return [pid for pid in family([session]) if identify(pid)]


def test_what_a_leader_left_behind_is_cleaned_up_though_both_it_and_the_supervisor_were_killed(
    process_bench: Bench,
) -> None:
    component = process_bench.component(process_bench.harness.image("1.0.0"))
    changes = {"health": None, "command": ("python3", "-c", IGNORE + "time.sleep(1000)")}
    config = component.config.model_copy(update=changes)
    process_bench.apply(process_bench.spec(component.model_copy(update={"config": config})), 1)
    leader = application(process_bench)
    assert eventually(lambda: len(members(leader.pid)) == 2)
    kill(process_bench.harness.supervisor(process_bench.address))
    kill(leader)
    (left,) = members(leader.pid)
    process_bench.see()
    assert eventually(lambda: identify(left) is None)


def test_retiring_ends_the_supervisor_and_leaves_claims(process_bench: Bench) -> None:
    spec = process_bench.of("1.0.0")
    process_bench.apply(spec, 1)
    folder, running = process_bench.harness.folder(process_bench.address), application(process_bench)
    executor = process_bench.harness.executor()
    executor.write_sticker(process_bench.address, process_bench.sticker(spec, "1.1"), Claim(1, 1))
    executor.retire(spec, Claim(2, 1), nobeat)
    assert not is_alive(running)
    assert process_bench.harness.supervisor(process_bench.address) is None
    assert executor.read_sticker(process_bench.address) is None
    assert os.listdir(folder.components) == []
    assert folder.list_claims() == [Claim(1, 1), Claim(2, 1)]
