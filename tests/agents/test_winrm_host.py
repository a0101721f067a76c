"""WinRM hosts on the double: every way to log in, and for each fault its own code and nothing done twice."""

import dataclasses
import itertools
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.winrm_host.connecting import connector
from agents.winrm_host.host import WinrmHost
from agents.winrm_host.options import read_options
from agents.winrm_host.outcomes import NotStarted, OutcomeUnknown
from agents.winrm_host.scripts import script
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.doubles.winrm_double import WinrmDouble, wsman
from tests.doubles.winrm_double.windows import Service
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.certificates import DAY, Authority
from tests.fixtures.images import demo_files, make_layout
from tests.fixtures.winrm import PASSWORD, USER, LoginSecrets, WinrmHarness, serving
from tests.targets.bench import Bench, nobeat, with_config, with_secrets
from tests.targets.harness import Tally

_names = itertools.count(1)


@pytest.fixture
def bench(winrm_bench: Bench) -> Bench:
    return winrm_bench


@pytest.fixture
def double(winrm_double_harness: WinrmHarness) -> WinrmDouble:
    return winrm_double_harness.double


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("winrm"), "authority")


Hosts = Callable[..., WinrmDouble]


@pytest.fixture
def https(tmp_path: Path, authority: Authority, winrm_double_harness: WinrmHarness) -> Iterator[Hosts]:
    """Hosts that serve https. By default each shows a certificate that is good."""
    made = []

    def make(shown=None, client=None) -> WinrmDouble:
        tls = serving(authority, shown or authority.sign(f"host{next(_names)}"), client)
        made.append(WinrmDouble(tmp_path / f"drive{next(_names)}", tls, basic=f"{USER}:{PASSWORD}"))
        return made[-1]

    yield make
    for host in made:
        host.close()


def look(bench: Bench, endpoint: str, password: str = PASSWORD, **options: Any) -> FairleadError | None:
    """Why one cannot so much as look at a host; None when one can."""
    said = {**bench.options, **options}
    address = bench.address.model_copy(update={"endpoint": endpoint, "options": said})
    executor = WinrmHost(ImageStore(Path("/nowhere")), secrets=LoginSecrets(None, password))
    try:
        executor.read_sticker(address)
    except FairleadError as error:
        assert not executor.observe(address).reachable
        return error
    return None


@pytest.mark.parametrize(
    "options", [{"auth": "ntlm"}, {"auth": "negotiate"}, {"auth": "basic"}, {"auth": "ntlm", "encrypt": True}], ids=str
)
def test_one_logs_in_over_https(bench: Bench, https: Hosts, authority: Authority, options: dict[str, Any]) -> None:
    host = https()
    assert look(bench, host.endpoint, ca=str(authority.file), **options) is None
    assert bool(host.sealed) == ("encrypt" in options)
    assert bool(host.plain) == ("encrypt" not in options)


def test_one_logs_in_by_a_certificate_and_by_no_other(bench: Bench, https: Hosts, authority: Authority) -> None:
    mine, other = authority.sign("deploy"), authority.sign("another")
    host = https(client=mine)
    by = {"auth": "certificate", "ca": str(authority.file)}
    assert look(bench, host.endpoint, certificate=str(mine.file), key=str(mine.key), **by) is None
    refusal = look(bench, host.endpoint, certificate=str(other.file), key=str(other.key), **by)
    assert refusal is not None
    assert refusal.code == Code.WINRM_CREDENTIALS_REFUSED


def test_over_http_every_message_is_sealed(bench: Bench, double: WinrmDouble) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    assert double.plain == 0
    assert double.sealed


@pytest.mark.parametrize("fault", ["expired", "another authority", "no such file"])
def test_a_host_that_is_not_whom_we_know_is_refused(
    bench: Bench, https: Hosts, authority: Authority, tmp_path: Path, fault: str
) -> None:
    shown = authority.sign("expired", -DAY) if fault == "expired" else None
    other = Authority(tmp_path, "other").file if fault == "another authority" else tmp_path / "nothing"
    host = https(shown)
    refusal = look(bench, host.endpoint, ca=str(authority.file if shown else other))
    assert isinstance(refusal, Refused)
    assert refusal.code == Code.CERTIFICATE_REFUSED
    assert host.ran == []


def test_another_password_is_refused(bench: Bench, double: WinrmDouble) -> None:
    refusal = look(bench, double.endpoint, password="guessed")
    assert isinstance(refusal, Refused)
    assert refusal.code == Code.WINRM_CREDENTIALS_REFUSED


@pytest.mark.parametrize("library", ["gssapi", "krb5"])
def test_kerberos_without_its_libraries_is_refused(
    bench: Bench, double: WinrmDouble, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    refusal = look(bench, double.endpoint, auth="kerberos")
    assert isinstance(refusal, Refused)
    assert refusal.code == Code.WINRM_KERBEROS_MISSING
    assert "fairlead[kerberos]" in str(refusal.hint)


@pytest.mark.parametrize(
    ("verb", "number", "code"),
    [
        ("Create", wsman.DENIED, Code.TARGET_DENIED),
        ("Create", wsman.TOO_MANY_SHELLS, Code.WINRM_BUSY),
        ("Command", wsman.TOO_MANY_COMMANDS, Code.WINRM_BUSY),
        ("Receive", wsman.NO_SHELL, Code.TARGET_UNREACHABLE),
    ],
)
def test_what_a_host_does_not_take_has_a_code(
    bench: Bench, double: WinrmDouble, verb: str, number: int, code: Code
) -> None:
    def no(action: str) -> None:
        if action == verb:
            raise wsman.Fault(number, "no")

    double.faults.fault, double.ran = no, []
    refusal = look(bench, double.endpoint)
    assert refusal is not None
    assert refusal.code == code
    assert double.ran == []


@pytest.mark.parametrize("name", ["look", "write", "unpack", "claim", "order", "watch", "sticker"])
def test_an_answer_that_was_lost_is_read_back_and_nothing_is_done_twice(
    bench: Bench, double: WinrmDouble, name: str
) -> None:
    double.faults.lose = [name]
    spec = bench.of(f"lost-{name}")
    bench.apply(spec, 1)
    bench.harness.executor().write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    assert double.faults.lose == []
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def test_when_nothing_comes_back_the_outcome_is_unknown_and_the_next_attempt_finds_it(
    bench: Bench, double: WinrmDouble
) -> None:
    spec = bench.of("1.0.0")
    double.faults.lose = ["order"] * 3
    with pytest.raises(Unavailable) as error:
        bench.apply(spec, 1)
    assert error.value.code == Code.WINRM_OUTCOME_UNKNOWN
    bench.apply(spec, 1, attempt=2)
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def test_an_order_that_was_broken_off_midway_is_done_once_all_the_same(
    bench: Bench, double: WinrmDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service is made already when the session ends."""
    start, broken = double.windows.start, list[str]()

    def break_off(target: str, service: Service) -> None:
        if not broken:
            broken.append(service.name)
            double._lost.set()
            raise RuntimeError("the session has ended")
        start(target, service)

    monkeypatch.setattr(double.windows, "start", break_off)
    bench.apply(bench.of("1.0.0"), 1)
    [left] = [name for name in double.windows.services if f"-{bench.target}." in name]
    assert broken
    assert left not in broken
    assert bench.runs(bench.of("1.0.0"))


def test_a_script_that_takes_too_long_is_an_unknown_outcome(bench: Bench, double: WinrmDouble) -> None:
    double.faults.hold = threading.Event()
    connect = connector(double.endpoint, read_options(bench.options), LoginSecrets(None))
    with pytest.raises(OutcomeUnknown):
        connect().run(script("look"), 0.0, nobeat, Root="C:\\x", Target="t", Owner="o")
    double.faults.hold.set()


@pytest.mark.parametrize("verb", ["Create", "Receive"])
def test_a_host_that_falls_silent_is_given_up(bench: Bench, double: WinrmDouble, verb: str) -> None:
    asked, ever = [], threading.Event()

    def fall_silent(action: str) -> None:
        if action == verb:
            asked.append(action)
            ever.wait()

    double.faults.fault = fall_silent
    options = dataclasses.replace(read_options(bench.options), silence_timeout=0.3)
    with pytest.raises(NotStarted) as outcome:
        connector(double.endpoint, options, LoginSecrets(None))()
    ever.set()
    assert outcome.value.code == Code.TARGET_UNREACHABLE
    assert len(asked) == (1 if verb == "Create" else 2)


def test_what_fails_on_the_host_says_how(bench: Bench, double: WinrmDouble) -> None:
    double.faults.breaks = {"claim": "Access to the path is denied."}
    with pytest.raises(Unavailable) as error:
        bench.apply(bench.of("1.0.0"), 1)
    assert error.value.code == Code.WINRM_SCRIPT_FAILED
    assert "Access to the path is denied." in error.value.detail


@pytest.mark.parametrize("words", ["Welcome to the server!", "[]", ""])
def test_an_answer_that_is_none_of_ours_is_no_answer(bench: Bench, double: WinrmDouble, words: str) -> None:
    double.faults.babbles = {"look": words}
    refusal = look(bench, double.endpoint)
    assert isinstance(refusal, Unavailable)
    assert refusal.code == Code.WINRM_SCRIPT_FAILED


@pytest.mark.parametrize("faults", [1, 100])
def test_a_copy_that_arrives_otherwise_is_sent_once_more(bench: Bench, double: WinrmDouble, faults: int) -> None:
    double.faults.garble, double.ran = faults, []
    spec = bench.of(f"garbled-{faults}")
    if faults == 1:
        bench.apply(spec, 1)
        assert bench.runs(spec)
        assert double.ran.count("unpack") == 2
        return
    with pytest.raises(Unavailable) as error:
        bench.apply(spec, 1)
    assert error.value.code == Code.WINRM_COPY_DAMAGED
    assert not release(double, spec).exists()


def test_a_copy_goes_on_where_it_was_interrupted(
    bench: Bench, double: WinrmDouble, winrm_double_harness: WinrmHarness
) -> None:
    spec = large(bench, winrm_double_harness)

    def give_up() -> None:
        if double.ran.count("write") == 3:  # the first one asks what is there
            raise Unavailable(Code.CANCELLED, "killed")

    double.ran = []
    with pytest.raises(Unavailable):
        bench.apply(spec, 1, beat=give_up)
    double.ran = []
    bench.harness.executor().prepare(spec, nobeat)
    assert double.ran.count("write") == 2  # one more that asks, and the third piece of three
    assert (release(double, spec) / "large").stat().st_size == 1_050_000


def test_a_full_disk_has_its_code(bench: Bench, double: WinrmDouble) -> None:
    double.windows.free = 10
    with pytest.raises(Unavailable) as error:
        bench.apply(bench.of("full"), 1)
    assert error.value.code == Code.TARGET_FULL


def test_a_host_tells_of_itself(bench: Bench, double: WinrmDouble) -> None:
    double.windows.free = 50 * 1024**2
    facts = bench.harness.executor().check(bench.address)
    assert facts.version == "Windows 10.0.17763.0, PowerShell 5.1.17763.6292"
    assert (facts.free, facts.writable, facts.capabilities) == (50 * 1024**2, True, ("services",))


def test_an_old_powershell_is_refused(bench: Bench, double: WinrmDouble) -> None:
    double.windows.powershell = "4.0"
    refusal = look(bench, double.endpoint)
    assert refusal is not None
    assert refusal.code == Code.POWERSHELL_TOO_OLD


@pytest.mark.parametrize("command", ["bin/other.exe", "../serve.exe", "C:serve.exe", "\\serve.exe", "D:\\x.exe"])
def test_a_program_that_is_not_there_is_refused_before_any_change(bench: Bench, command: str) -> None:
    spec = bench.of("1.0.0")
    other = spec.model_copy(update={"components": (with_config(spec.components[0], command=(command,)),)})
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(other, nobeat)
    assert refusal.value.code == Code.START_FAILED
    assert bench.tally() == Tally(0, 0)


def test_the_folder_of_another_target_is_left_alone(bench: Bench, winrm_double_harness: WinrmHarness) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    (winrm_double_harness.path(bench.address) / "owner.json").write_text('{"project": "theirs"}')
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0"), 2)
    assert refusal.value.code == Code.FOREIGN_WORKLOAD
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().logs(bench.address, "web", 10)
    assert refusal.value.code == Code.FOREIGN_WORKLOAD


def test_no_log_of_ours_holds_a_secret(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    safe = MemorySecrets()
    component = with_secrets(bench.component(bench.harness.image("1.0.0")), TOKEN=safe.put("env://T", "pssst-4711"))
    with caplog.at_level(logging.DEBUG):
        bench.apply(bench.spec(component), 1, secrets=safe)
    assert caplog.records
    assert "pssst-4711" not in caplog.text
    assert PASSWORD not in caplog.text


def test_no_shell_is_left_behind_whatever_happens(bench: Bench, double: WinrmDouble) -> None:
    before = set(double.wsman.shells)  # those of connections that broke in other tests end by themselves after a while
    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Refused):
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}), 2)
    assert set(double.wsman.shells) == before


def test_what_was_confirmed_starts_with_the_machine_and_is_the_only_one(bench: Bench, double: WinrmDouble) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("2.0.0"), 2)
    [service] = [s for s in double.windows.services.values() if f"-{bench.target}." in s.name]
    assert (service.start_mode, service.recovers) == ("Automatic", True)
    double.windows.stop(service)
    seen = bench.see()["web"]
    assert seen.health == Health.UNHEALTHY
    assert "Stopped" in (seen.detail or "")


def large(bench: Bench, harness: WinrmHarness) -> TargetSpec:
    """Of what cannot be packed smaller than three pieces."""
    noise = "".join(chr(0x4E00 + (i * 7919) % 20000) for i in range(350_000))
    files = [*demo_files("large").items(), ("bin/serve.exe", "played"), ("large", noise)]
    made = make_layout(harness.app, "large", dict(files), {"Cmd": ["bin/serve.exe"]})
    return bench.spec(bench.component(harness.image("1.0.0")).model_copy(update={"digest": made.digest}))


def release(double: WinrmDouble, spec: TargetSpec) -> Path:
    digest = spec.components[0].digest.removeprefix("sha256:")
    return double.windows.path(f"C:\\ProgramData\\Fairlead\\releases\\{digest}")
