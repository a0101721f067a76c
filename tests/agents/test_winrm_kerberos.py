"""Tickets for WinRM hosts, by MIT's KDC and its libraries on both sides; the host is the double."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents.winrm_host.host import WinrmHost
from fairlead.adapters.images import ImageStore
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from tests.doubles.winrm_double import WinrmDouble, server
from tests.fire.clocks import Clock, compiler
from tests.fixtures.certificates import Authority
from tests.fixtures.docker import need
from tests.fixtures.kerberos import HOST, OTHER, OTHER_HOST, REALM, Kdc, KerberosHarness, found_by
from tests.fixtures.winrm import PASSWORD, REFERENCE, USER, LoginSecrets, known_users, serving
from tests.targets.bench import Bench, eventually, nobeat

BY_PASSWORD = {"user": f"deploy@{REALM}", "password": REFERENCE}


@pytest.fixture
def bench(kerberos_bench: Bench) -> Bench:
    return kerberos_bench


@pytest.fixture
def double(kerberos_harness: KerberosHarness) -> WinrmDouble:
    double = kerberos_harness.double
    double.ran, double.logins = [], []
    return double


def look(bench: Bench, endpoint: str = "", typed: str = PASSWORD, **options: Any) -> FairleadError | None:
    """Why one cannot so much as look at a host; None when one can."""
    said = {"auth": "kerberos", "hostname": HOST, **options}
    at = {"options": said, "endpoint": endpoint or bench.address.endpoint}
    executor = WinrmHost(ImageStore(Path("/nowhere")), secrets=LoginSecrets(None, typed))
    try:
        executor.read_sticker(bench.address.model_copy(update=at))
    except FairleadError as error:
        return error
    return None


@pytest.fixture(autouse=True)
def no_ticket_stays(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever was put into memory has gone from there when all connections are closed."""
    import krb5

    names, new = list[bytes](), krb5.cc_new_unique

    def noted(*asked: Any) -> Any:
        cache = new(*asked)
        names.append(cache.name)
        return cache

    monkeypatch.setattr(krb5, "cc_new_unique", noted)
    yield
    context = krb5.init_context()
    for name in names:
        with pytest.raises(krb5.Krb5Error):
            krb5.cc_get_principal(context, krb5.cc_resolve(context, b"MEMORY:" + name))


def test_a_release_goes_there_and_every_message_is_sealed(
    bench: Bench, double: WinrmDouble, kdc: Kdc, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsealed, wire = server._Connection._unsealed, list[bytes]()
    monkeypatch.setattr(server._Connection, "_unsealed", lambda self, body: wire.append(body) or unsealed(self, body))
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    assert set(double.logins) == {("kerberos", f"deploy@{REALM}")}
    assert double.plain == 0
    assert wire
    assert not any(b"Envelope" in body for body in wire)
    assert not (kdc.folder / "tickets").exists()


@pytest.mark.parametrize("encrypt", [False, True])
def test_one_logs_in_over_https(bench: Bench, kdc: Kdc, tmp_path: Path, encrypt: bool) -> None:
    authority = Authority(tmp_path, "authority")
    host = WinrmDouble(tmp_path / "drive", serving(authority, authority.sign("host")))
    assert look(bench, host.endpoint, ca=str(authority.file), encrypt=encrypt, **BY_PASSWORD) is None
    assert (bool(host.sealed), bool(host.plain)) == (encrypt, not encrypt)
    host.close()


@pytest.mark.parametrize("user", [f"other@{REALM}", ""])
def test_a_ticket_that_lies_with_the_worker_will_do(bench: Bench, double: WinrmDouble, kdc: Kdc, user: str) -> None:
    kdc.kinit(f"other@{REALM}")
    assert look(bench, user=user) is None
    kdc.run("kdestroy")
    assert double.logins == [("kerberos", f"other@{REALM}")]


def test_so_will_a_keytab_of_the_workers_own(bench: Bench, double: WinrmDouble, kdc: Kdc) -> None:
    with found_by({"KRB5_CLIENT_KTNAME": f"FILE:{kdc.robots}", "KRB5CCNAME": "MEMORY:robots"}):
        assert look(bench, user=f"robot@{REALM}") is None
    assert double.logins == [("kerberos", f"robot@{REALM}")]


@pytest.mark.parametrize("service", ["", "HTTP"])
def test_the_name_of_the_host_in_kerberos_can_be_said(
    bench: Bench, double: WinrmDouble, kdc: Kdc, service: str
) -> None:
    before = len(kdc.log.read_text())
    assert look(bench, service=service, **BY_PASSWORD) is None
    assert f"for {service or 'host'}/{HOST}@{REALM}" in kdc.log.read_text()[before:]


def away(kdc: Kdc, tmp_path: Path) -> None:
    kdc.stop()


def ahead(kdc: Kdc, tmp_path: Path, seconds: int = 3600) -> None:
    need(None if compiler() else "no C compiler here, which makes the clock")
    clock = Clock(tmp_path)
    clock.jump(seconds)
    kdc.stop()
    kdc.start(**clock.settings)


def behind(kdc: Kdc, tmp_path: Path) -> None:
    ahead(kdc, tmp_path, -3600)


def expired(kdc: Kdc, tmp_path: Path) -> None:
    kdc.kinit(f"other@{REALM}", "-l", "1s")
    assert eventually(lambda: not good_ticket(kdc), 60)


def good_ticket(kdc: Kdc) -> bool:
    try:
        kdc.run("klist", "-s")
    except AssertionError:
        return False
    return True


def other_key(kdc: Kdc, tmp_path: Path) -> None:
    kdc.run("kadmin.local", "-r", REALM, "cpw", "-randkey", f"HTTP/{HOST}")


def nothing(kdc: Kdc, tmp_path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        (nothing, {**BY_PASSWORD, "typed": "guessed"}, Code.WINRM_CREDENTIALS_REFUSED),
        (nothing, {**BY_PASSWORD, "user": f"nobody@{REALM}"}, Code.WINRM_CREDENTIALS_REFUSED),
        (nothing, {**BY_PASSWORD, "hostname": "win-2.one.test"}, Code.WINRM_SERVICE_UNKNOWN),
        (nothing, {**BY_PASSWORD, "hostname": OTHER_HOST}, Code.WINRM_SERVICE_UNKNOWN),
        (nothing, {**BY_PASSWORD, "user": "deploy@NOWHERE.TEST"}, Code.WINRM_KDC_UNREACHABLE),
        (nothing, {**BY_PASSWORD, "user": "deploy@UNHEARD.TEST"}, Code.WINRM_KDC_UNREACHABLE),
        (nothing, {}, Code.WINRM_KERBEROS_MISSING),
        (nothing, {"user": f"other@{REALM}"}, Code.WINRM_KERBEROS_MISSING),
        (expired, {}, Code.WINRM_KERBEROS_MISSING),
        (expired, {"user": f"other@{REALM}"}, Code.WINRM_KERBEROS_MISSING),
        (away, BY_PASSWORD, Code.WINRM_KDC_UNREACHABLE),
        (ahead, BY_PASSWORD, Code.WINRM_CLOCK_SKEW),
        (behind, BY_PASSWORD, Code.WINRM_CLOCK_SKEW),
        (other_key, {**BY_PASSWORD, "service": "HTTP"}, Code.WINRM_CREDENTIALS_REFUSED),
    ],
)
def test_every_fault_has_its_code(
    bench: Bench,
    double: WinrmDouble,
    kdc: Kdc,
    tmp_path: Path,
    fault: Callable[[Kdc, Path], None],
    options: dict[str, Any],
    code: Code,
) -> None:
    fault(kdc, tmp_path)
    refusal = look(bench, **options)
    (kdc.folder / "tickets").unlink(missing_ok=True)
    if fault in (away, ahead, behind):
        kdc.stop()
        kdc.start()
    assert refusal is not None
    assert isinstance(refusal, Unavailable if code is Code.WINRM_KDC_UNREACHABLE else Refused)
    assert refusal.code == code
    assert double.ran == []


def test_logins_of_several_users_and_realms_do_not_see_each_other(bench: Bench, double: WinrmDouble) -> None:
    hosts = {REALM: HOST, OTHER: OTHER_HOST}
    users = [f"{name}@{realm}" for realm in hosts for name in ("deploy", "other")] * 5

    def come_in(user: str) -> FairleadError | None:
        return look(bench, user=user, password=REFERENCE, hostname=hosts[user.partition("@")[2]])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(come_in, users)) == [None] * len(users)
    assert sorted(name for _, name in double.logins) == sorted(users)


@pytest.mark.parametrize(
    ("user", "kdc_is_there", "by"),
    [(f"deploy@{REALM}", True, "kerberos"), (f"deploy@{REALM}", False, "ntlm"), (USER, True, "ntlm")],
)
def test_negotiate_is_kerberos_where_it_can_be_had_else_ntlm(
    bench: Bench, double: WinrmDouble, kdc: Kdc, tmp_path: Path, user: str, kdc_is_there: bool, by: str
) -> None:
    with known_users(tmp_path, f"deploy@{REALM}"):
        if not kdc_is_there:
            kdc.stop()
        before = len(kdc.log.read_text())
        refusal = look(bench, auth="negotiate", user=user, password=REFERENCE)
        if not kdc_is_there:
            kdc.start()
    assert refusal is None
    assert double.logins == [(by, user)]
    assert ("AS_REQ" in kdc.log.read_text()[before:]) == (by == "kerberos")


def test_a_krb5_conf_that_cannot_be_read_leaves_ntlm_only(bench: Bench, double: WinrmDouble, tmp_path: Path) -> None:
    (tmp_path / "krb5.conf").write_text("[libdefaults\n = }")
    with known_users(tmp_path), found_by({"KRB5_CONFIG": str(tmp_path / "krb5.conf")}):
        refusal = look(bench, **BY_PASSWORD)
        assert look(bench, auth="negotiate", user=USER, password=REFERENCE) is None
    assert refusal is not None
    assert refusal.code == Code.WINRM_KERBEROS_MISSING
    assert double.logins == [("ntlm", USER)]


def test_the_password_is_nowhere(bench: Bench, double: WinrmDouble, kdc: Kdc, caplog: pytest.LogCaptureFixture) -> None:
    before = set(kdc.folder.iterdir())
    with caplog.at_level(logging.DEBUG):
        bench.apply(bench.of("1.0.0"), 1)
        refusal = look(bench, user=f"nobody@{REALM}", password=REFERENCE)
    commands = [str(process.info["cmdline"]) for process in psutil.process_iter(["cmdline"])]
    evidence = bench.harness.executor().apply(bench.of("2.0.0"), Claim(2, 1), nobeat)
    seen = [
        caplog.text,
        str(refusal),
        str(evidence),
        bench.harness.traces(bench.address),
        kdc.log.read_text(),
        *commands,
    ]
    assert not any(PASSWORD in text for text in seen)
    assert caplog.records
    assert set(kdc.folder.iterdir()) == before
