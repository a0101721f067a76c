"""SSH hosts on which systemd runs: a target's supervisor is a unit of it, which is there again after whatever happens."""

import signal

import pytest

from agents.ssh_host import systemd
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import judge
from fairlead.domain.grades import Grade
from tests.fixtures.ssh import DEPLOY, ME
from tests.fixtures.systemd import Machine
from tests.targets.bench import Bench, ask, eventually, nobeat
from workers.clock import now

pytestmark = [pytest.mark.ssh, pytest.mark.process]

EVERYBODY = pytest.mark.parametrize("user", [ME, "deploy"])
"""`deploy` is an ordinary user who lingers."""


def unit(bench: Bench) -> str:
    return systemd.unit_name(bench.harness.folder(bench.address))


def answers(bench: Bench) -> bool:
    try:
        return ask(bench)["version"] == "1.0.0"
    except OSError:
        return False


@EVERYBODY
def test_a_supervisor_is_a_unit_and_outlives_who_logged_in(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    assert machine.systemctl("is-active", unit(systemd_bench)) == "active"
    assert machine.systemctl("is-enabled", unit(systemd_bench)) == "enabled"
    systemd_bench.harness.sshd.stop()
    assert answers(systemd_bench)


@EVERYBODY
def test_a_supervisor_that_is_killed_comes_back_to_what_runs(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    before, main = ask(systemd_bench)["pid"], machine.main_process(unit(systemd_bench))
    main.send_signal(signal.SIGKILL)
    assert eventually(lambda: machine.main_process(unit(systemd_bench)) not in {main, None}, 60)
    assert ask(systemd_bench)["pid"] == before
    assert systemd_bench.runs(systemd_bench.of("1.0.0"))


@EVERYBODY
def test_after_a_restart_of_the_machine_it_runs_though_nobody_looks(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    machine.crash()
    assert eventually(lambda: not answers(systemd_bench))
    machine.boot()
    assert eventually(lambda: answers(systemd_bench), 60)


@EVERYBODY
def test_what_is_retired_leaves_no_unit(machine: Machine, systemd_bench: Bench) -> None:
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    systemd_bench.harness.executor().retire(systemd_bench.address, Claim(2, 1), nobeat)
    assert not (machine.units / unit(systemd_bench)).exists()
    assert machine.systemctl("is-active", unit(systemd_bench)) == "inactive"
    assert not answers(systemd_bench)


ORDINARY = pytest.mark.parametrize("user", ["deploy"])


def restart(bench: Bench) -> Grade:
    """What a check finds about a restart of the machine."""
    facts = bench.harness.executor().check(bench.address)
    return next(found.grade for found in judge(facts, now(), now()) if found.check == "restart")


@ORDINARY
def test_a_user_who_does_not_linger_has_no_unit_and_is_told(machine: Machine, systemd_bench: Bench) -> None:
    assert restart(systemd_bench) is Grade.OK
    machine.say("loginctl", "disable-linger", machine.user)
    assert restart(systemd_bench) is Grade.WARNING
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    systemd_bench.harness.sshd.stop()
    assert answers(systemd_bench)
    assert not machine.units.exists()


@ORDINARY
def test_a_login_that_is_told_of_no_manager_finds_it_where_it_runs(machine: Machine, systemd_bench: Bench) -> None:
    """Without PAM nothing starts a manager either."""
    server = systemd_bench.harness.sshd
    server.stop()
    server.pam = "no"
    server.start()
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    assert machine.systemctl("is-active", unit(systemd_bench)) == "active"
    machine.say("systemctl", "stop", f"user@{DEPLOY}.service")
    assert restart(systemd_bench) is Grade.WARNING
    systemd_bench.harness.executor().retire(systemd_bench.address, Claim(2, 1), nobeat)
    assert [path for path in machine.units.rglob("*") if not path.is_dir()] == []


@ORDINARY
def test_nothing_is_begun_where_a_logout_kills_it(machine: Machine, systemd_bench: Bench) -> None:
    machine.say("loginctl", "disable-linger", machine.user)
    configure_logins(machine, "KillUserProcesses=yes")
    with pytest.raises(Refused) as refusal:
        systemd_bench.apply(systemd_bench.of("1.0.0"), 1)
    assert refusal.value.code == Code.LOGOUT_KILLS
    configure_logins(machine, f"KillExcludeUsers=root {machine.user}")
    systemd_bench.apply(systemd_bench.of("1.0.0"), 1)


def configure_logins(machine: Machine, line: str) -> None:
    script = f"mkdir -p /run/systemd/logind.conf.d && printf '[Login]\n%s\n' \"$0\" > /run/systemd/logind.conf.d/{line[:12]}.conf"
    machine.say("sh", "-c", script, line)
    machine.say("systemctl", "restart", "systemd-logind")
