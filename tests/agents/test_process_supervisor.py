"""What a supervisor does when ordered by claims high and low."""

import os
import signal
from collections.abc import Iterator

import pytest

from agents.process_host.control import Control
from agents.process_host.errands import file_of, how_ended
from agents.process_host.records import Run, RunSpec
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from tests.fixtures.process import kill_all, supervisor_of
from tests.targets.bench import Bench, eventually, nobeat

pytestmark = pytest.mark.process

LOW, HIGH = Claim(1, 1), Claim(2, 1)


@pytest.fixture
def control(process_bench: Bench) -> Iterator[Control]:
    """A supervisor of an empty target on which the low claim lies."""
    folder = process_bench.harness.folder(process_bench.address)
    folder.take({})
    folder.claim(LOW)
    control = Control(folder, nobeat)
    control.ensure()
    yield control
    kill_all(folder)


def sleeper(claim: Claim, *argv: str, grace: float = 1.0) -> RunSpec:
    """A component that does nothing."""
    labels = {"fence": str(claim), "digest": "d", "config": "c", "release": "r"}
    home = "/nonexistent-home"
    return RunSpec("web", argv or ("/bin/sleep", "1000"), "/", home, {"PATH": "/bin"}, (), grace, labels)


def start(control: Control, claim: Claim, *argv: str) -> Run:
    spec = sleeper(claim, *argv)
    home = control._folder.component("web") / "home"
    run = control.start(claim, RunSpec(**{**_fields(spec), "home": str(home)})).slots["web"].run
    assert run is not None
    return run


def _fields(spec: RunSpec) -> dict[str, object]:
    return {name: getattr(spec, name) for name in RunSpec.__dataclass_fields__}


def raise_claim(control: Control) -> None:
    control._folder.claim(HIGH)


def test_a_lower_claim_may_order_nothing(control: Control) -> None:
    run = start(control, LOW)
    raise_claim(control)
    for order in (
        lambda: control.start(LOW, sleeper(LOW)),
        lambda: control.stop(LOW, "web", run.number, 0),
        lambda: control.restore(LOW, "web", 0),
        lambda: control.adopt(LOW, "web", run.number),
        lambda: control.confirm(LOW, "web", run.number),
        lambda: control.remove(LOW, "web", 0),
        lambda: control.shut_down(LOW, 0),
    ):
        with pytest.raises(FenceLost):
            order()
    assert control.status().slots["web"].run == run


def test_a_claim_that_gave_way_may_take_back_its_own(control: Control) -> None:
    run = start(control, LOW)
    raise_claim(control)
    assert control.undo(LOW, "web", run.number, 1).slots["web"].run is None


def test_but_not_what_a_higher_one_has_adopted(control: Control) -> None:
    run = start(control, LOW)
    raise_claim(control)
    control.adopt(HIGH, "web", run.number)
    assert control.undo(LOW, "web", run.number, 1).slots["web"].run.process == run.process


def test_orders_name_a_run_not_a_component(control: Control) -> None:
    first = start(control, LOW)
    control.stop(LOW, "web", first.number, 1)
    second = start(control, LOW)
    assert control.stop(LOW, "web", first.number, 1).slots["web"].run == second
    with pytest.raises(Unavailable):
        control.adopt(LOW, "web", first.number)


def test_restoring_starts_what_was_confirmed_as_it_was(control: Control) -> None:
    first = start(control, LOW)
    control.confirm(LOW, "web", first.number)
    control.stop(LOW, "web", first.number, 1)
    raise_claim(control)
    start(control, HIGH)
    restored = control.restore(HIGH, "web", 1).slots["web"].run
    assert (restored.spec, restored.holder) == (first.spec, str(HIGH))


def test_what_ends_at_once_is_started_ever_more_slowly(control: Control) -> None:
    start(control, LOW, "/bin/false")
    assert eventually(lambda: control.status().slots["web"].run.exits == 3)
    assert control.status().slots["web"].run.last_exit == "exit code 1"


def test_a_signal_without_a_name_ends_it_as_any_other(control: Control) -> None:
    start(control, LOW, "/bin/sh", "-c", "kill -35 $$")
    assert eventually(lambda: control.status().slots["web"].run.exits == 2)
    assert control.status().slots["web"].run.last_exit == "signal 35"


def test_an_errands_time_runs_on_when_its_supervisor_is_killed(control: Control) -> None:
    folder = control._folder
    spec = RunSpec(**{**_fields(sleeper(LOW)), "home": str(folder.component("web") / "home")})
    control.errand(LOW, "web.pre.x", spec, 2.0, {})
    os.kill(supervisor_of(folder).pid, signal.SIGKILL)
    assert eventually(lambda: supervisor_of(folder) is None)
    control.ensure()
    path = file_of(folder, LOW, "web.pre.x")
    assert eventually(lambda: how_ended(path) is not None)
    assert how_ended(path) == "did not end within 2 s, ended, nobody saw how"


def test_what_cannot_be_executed_says_so_in_its_log(control: Control) -> None:
    start(control, LOW, "/bin/nothing-there")
    log = control._folder.log("web")
    assert eventually(lambda: "cannot execute /bin/nothing-there" in log.read_text())


def test_what_cannot_even_be_prepared_is_refused_and_forgotten(control: Control) -> None:
    home = control._folder.component("web") / "home"
    spec = RunSpec(**{**_fields(sleeper(LOW)), "home": str(home), "cwd": "/nonexistent"})
    with pytest.raises(Refused, match="nonexistent"):
        control.start(LOW, spec)
    assert control.status().slots["web"].run is None


def test_a_second_supervisor_leaves_at_once(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    before = control._folder.pidfile.read_text()
    monkeypatch.setattr("agents.process_host.control.PATIENCE", 0.5)
    control._folder.socket.unlink()
    with pytest.raises(Unavailable):
        control.ensure()
    assert control._folder.pidfile.read_text() == before
