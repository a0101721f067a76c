"""What the catalogue may say of SSH hosts."""

from typing import Any

import pytest

from agents.ssh_host.options import read_endpoint, read_options
from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds.ssh_host import KIND

KEY = {"key": "file:///k"}


def read(value: object) -> tuple[dict[str, Any], list[Flaw]]:
    flaws: list[Flaw] = []
    return KIND.options(Block(value, "", flaws)), flaws


ALL = {
    "runtime": "docker", "key": "file:///k", "passphrase": "env://P", "certificate": "env://C", "password": "vault://a/b#c",
    "known_hosts": "/k", "socket": "/s", "host_keys": ["h ssh-ed25519 AAAA", "@revoked * ssh-rsa AAAA== x"],
    "jump": ["ssh://a@b", "ssh://b:22"], "agent": True, "sudo": True, "connect_timeout": "5s", "silence_timeout": "1m",
    "sessions": 9,
}  # fmt: skip


@pytest.mark.parametrize("said", [KEY, {"agent": True}, {"password": "env://P"}, {**KEY, "root": "/r"}, ALL])
def test_what_is_good_reads_back_as_itself(said: dict[str, Any]) -> None:
    normal, flaws = read(said)
    assert flaws == []
    assert read(normal) == (normal, [])
    assert normal == {"runtime": "process", **said}


def test_what_is_usual_is_not_said() -> None:
    usual = {
        "connect_timeout": "10s",
        "silence_timeout": "30000ms",
        "sessions": 4,
        "sudo": False,
        "jump": [],
        "root": "",
    }
    assert read({**KEY, **usual}) == read(KEY)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("key", "secret", Code.BAD_VALUE), ("password", "plain text", Code.BAD_VALUE), ("root", "relative", Code.BAD_VALUE),
        ("root", "/a\nb", Code.BAD_VALUE), ("root", "/", Code.BAD_VALUE), ("root", "/a/../b", Code.BAD_VALUE),
        ("socket", "/s", Code.BAD_VALUE), ("allow", ["host_paths"], Code.BAD_VALUE), ("keep", 3, Code.BAD_VALUE),
        ("jump", ["b"], Code.BAD_VALUE), ("jump", ["ssh://-oProxyCommand=x"], Code.BAD_VALUE),
        ("host_keys", ["nonsense"], Code.BAD_VALUE), ("host_keys", ["a b c\nd e f"], Code.BAD_VALUE),
        ("runtime", "kubernetes", Code.BAD_VALUE), ("sessions", 0, Code.BAD_VALUE), ("silence_timeout", "1s", Code.BAD_DURATION),
        ("sudo", "yes", Code.BAD_VALUE), ("user", "x", Code.UNKNOWN_FIELD), ("key", None, Code.MISSING_FIELD),
    ],
)  # fmt: skip
def test_what_is_bad_is_a_flaw(name: str, value: object, code: Code) -> None:
    _, flaws = read({**KEY, name: value})
    assert [flaw.code for flaw in flaws] == [code]


@pytest.mark.parametrize(
    "good", ["ssh://h", "ssh://u@h", "ssh://u.v-w@h.example:2222", "ssh://u@[::1]:65535", "ssh://u@10.0.0.1"]
)
def test_an_endpoint_names_user_host_and_port(good: str) -> None:
    assert KIND.endpoint.fullmatch(good)
    peer = read_endpoint(good)
    assert peer.host in {"h", "h.example", "::1", "10.0.0.1"}


@pytest.mark.parametrize(
    "bad",
    ["h", "ssh://", "ssh://-h", "ssh://-u@h", "ssh://u:p@h", "ssh://h:0", "ssh://h:65536", "ssh://h/x", "ssh://a b", "ssh://h\n", "ssh://u@@h"],
)  # fmt: skip
def test_what_names_no_host_is_no_endpoint(bad: str) -> None:
    assert not KIND.endpoint.fullmatch(bad)


def test_all_that_is_read_arrives() -> None:
    options = read_options(read(ALL)[0])
    assert (options.connect_timeout, options.silence_timeout, options.sessions) == (5.0, 60.0, 9)
    assert (options.jump, options.runtime, options.sudo) == (("ssh://a@b", "ssh://b:22"), "docker", True)


def test_a_host_is_known_as_openssh_knows_it() -> None:
    assert read_endpoint("ssh://u@h").known_as == "h"
    assert read_endpoint("ssh://u@h:2222").known_as == "[h]:2222"


@pytest.mark.parametrize("name", ["passphrase", "certificate"])
def test_what_belongs_to_a_key_needs_one(name: str) -> None:
    _, flaws = read({"agent": True, name: "env://X"})
    assert [(flaw.code, flaw.pointer) for flaw in flaws] == [(Code.MISSING_FIELD, f"/{name}")]
