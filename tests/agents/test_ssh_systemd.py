"""SSH hosts on which systemd runs: a target's supervisor is a unit of it, which is there again after whatever happens."""

import signal

import pytest

from agents.ssh_host import systemd
from fairlead.domain.fence import Claim
from tests.fixtures.systemd import Machine
from tests.targets.bench import Bench, ask, eventually, nobeat

pytestmark = [pytest.mark.ssh, pytest.mark.process]


def unit(bench: Bench) -> str:
    return systemd.unit_name(bench.harness.folder(bench.address))


def answers(bench: Bench) -> bool:
    try:
        return ask(bench)["version"] == "1.0.0"
    except OSError:
        return False


def test_a_supervisor_is_a_unit_and_outlives_who_logged_in(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    assert machine.systemctl("is-active", unit(systemd_bench)) == "active"
    assert machine.systemctl("is-enabled", unit(systemd_bench)) == "enabled"
    systemd_bench.harness.sshd.stop()
    assert answers(systemd_bench)


def test_a_supervisor_that_is_killed_comes_back_to_what_runs(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    before, main = ask(systemd_bench)["pid"], machine.main_process(unit(systemd_bench))
    main.send_signal(signal.SIGKILL)
    assert eventually(lambda: machine.main_process(unit(systemd_bench)) not in {main, None}, 60)
    assert ask(systemd_bench)["pid"] == before
    assert systemd_bench.runs(systemd_bench.of("1.0.0"))


def test_after_a_restart_of_the_machine_it_runs_though_nobody_looks(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    machine.crash()
    assert eventually(lambda: not answers(systemd_bench))
    machine.boot()
    assert eventually(lambda: answers(systemd_bench), 60)


def test_what_is_retired_leaves_no_unit(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    systemd_bench.harness.executor().retire(systemd_bench.address, Claim(2, 1), nobeat)
    assert not (machine.units / unit(systemd_bench)).exists()
    assert machine.systemctl("is-active", unit(systemd_bench)) == "inactive"
    assert not answers(systemd_bench)
