"""What the catalogue may say of WinRM hosts."""

from typing import Any

import pytest

from agents.winrm_host.options import read_endpoint, read_options
from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw
from fairlead.domain.target_kinds.winrm_host import KIND

LOGIN = {"user": "EXAMPLE\\deploy", "password": "env://P"}
ALL = {
    "auth": "ntlm", **LOGIN, "ca": "/ca.pem", "certificate": "/c.pem", "key": "/c.key", "service": "HTTP", "hostname": "win-1.example",
    "encrypt": True, "root": "D:\\Our Things\\Fairlead", "account": "EXAMPLE\\web$", "connect_timeout": "5s", "silence_timeout": "1m",
}  # fmt: skip


def read(value: object) -> tuple[dict[str, Any], list[Flaw]]:
    flaws: list[Flaw] = []
    return KIND.options(Block(value, "", flaws)), flaws


@pytest.mark.parametrize(
    "said", [LOGIN, {"auth": "kerberos"}, {"auth": "certificate", "certificate": "/c", "key": "/k"}, ALL]
)
def test_what_is_good_reads_back_as_itself(said: dict[str, Any]) -> None:
    assert read(said) == (said, [])


def test_what_is_usual_is_not_said() -> None:
    usual = {
        "auth": "negotiate",
        "root": "C:\\ProgramData\\Fairlead",
        "account": "local_service",
        "encrypt": False,
        "connect_timeout": "10s",
    }
    assert read({**LOGIN, **usual}) == read(LOGIN)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("auth", "credssp", Code.BAD_VALUE), ("password", "hunter2", Code.BAD_VALUE), ("password", None, Code.MISSING_FIELD),
        ("user", "a\nb", Code.BAD_VALUE), ("ca", "relative", Code.BAD_VALUE), ("root", "/srv", Code.BAD_VALUE),
        ("root", "C:\\a\\", Code.BAD_VALUE), ("root", "C:\\a<b", Code.BAD_VALUE), ("account", "EXAMPLE\\somebody", Code.BAD_VALUE),
        ("hostname", "a b", Code.BAD_VALUE), ("silence_timeout", "1s", Code.BAD_DURATION), ("shell", "cmd", Code.UNKNOWN_FIELD),
    ],
)  # fmt: skip
def test_what_is_bad_is_a_flaw(name: str, value: object, code: Code) -> None:
    _, flaws = read({**LOGIN, name: value})
    assert [flaw.code for flaw in flaws] == [code]
    assert "hunter2" not in flaws[0].detail


@pytest.mark.parametrize(
    ("said", "code"),
    [({"password": "env://P"}, Code.MISSING_FIELD), ({"user": "EXAMPLE\\deploy"}, Code.BAD_VALUE)],
)
def test_kerberos_knows_users_by_realm_and_no_password_without_one(said: dict[str, Any], code: Code) -> None:
    assert read({"auth": "kerberos", "user": "deploy@EXAMPLE.COM"})[1] == []
    assert [flaw.code for flaw in read({"auth": "kerberos", **said})[1]] == [code]


def test_who_makes_no_keys_cannot_encrypt_and_needs_https() -> None:
    _, flaws = read({**LOGIN, "auth": "basic", "encrypt": True})
    assert [flaw.code for flaw in flaws] == [Code.BAD_VALUE]
    for endpoint, bad in (("http://h", [Code.BAD_VALUE]), ("https://h", [])):
        found: list[Flaw] = []
        KIND.check(Block({}, "", found), endpoint, {"auth": "basic"})
        assert [flaw.code for flaw in found] == bad
    with pytest.raises(BadInput):
        read_endpoint("http://h", read_options({"auth": "basic"}))


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [("https://win-1.example", True), ("http://10.0.0.1:5985", True), ("https://[::1]:5986", True),
     ("win-1", False), ("https://u:p@h", False), ("https://h/wsman", False), ("ssh://h", False)],
)  # fmt: skip
def test_endpoints(endpoint: str, good: bool) -> None:
    assert bool(KIND.endpoint.fullmatch(endpoint)) == good


def test_ports_are_those_of_winrm() -> None:
    options = read_options({})
    assert [read_endpoint(url, options).port for url in ("https://h", "http://h", "https://h:1")] == [5986, 5985, 1]
