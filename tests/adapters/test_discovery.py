"""Targets out of Docker's contexts and SSH's configuration."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.adapters.discovery import docker_contexts, ssh_hosts
from fairlead.domain.blocks import is_name
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.naming import name_from

CONFIG = """\
Host *
    User deploy
Host web-1
    HostName web-1.example.com
    Port 2222
    IdentityFile /keys/web
    ProxyJump ops@gate.example.com
Host Web_2 *.internal
    HostName 10.0.0.2
"""


def context(folder: Path, id: str, name: str, host: str, *, tls: bool = False) -> None:
    meta = folder / "contexts" / "meta" / id
    meta.mkdir(parents=True)
    meta.joinpath("meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if tls:
        keys = folder / "contexts" / "tls" / id / "docker"
        keys.mkdir(parents=True)
        for file in ("ca.pem", "cert.pem", "key.pem"):
            keys.joinpath(file).write_text("x")


def test_contexts_become_docker_hosts(tmp_path: Path) -> None:
    context(tmp_path, "1", "Prod EU", "ssh://deploy@prod.example.com")
    context(tmp_path, "2", "build", "tcp://build.example.com:2376", tls=True)
    context(tmp_path, "3", "odd", "npipe:////./pipe/docker")
    context(tmp_path, "4", "none", "")
    found = docker_contexts(tmp_path)
    blocks = {target.name: target.block for target in found.targets}
    assert blocks["prod-eu"]["endpoint"] == "ssh://deploy@prod.example.com"
    assert blocks["build"]["docker"]["tls"]["ca"].endswith("tls/2/docker/ca.pem")
    assert {target.name: bool(target.unfit) for target in found.targets} == {
        "prod-eu": False,
        "build": False,
        "odd": True,
    }
    assert set(found.passed_over) == {"none"}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"Name": 7}', '{"Endpoints": []}', '{"Endpoints": {"docker": "x"}}', "\udcff"]
)
def test_a_context_that_is_none_is_refused_by_its_file(tmp_path: Path, text: str) -> None:
    context(tmp_path, "1", "prod", "tcp://10.0.0.1:2376")
    meta = tmp_path / "contexts" / "meta" / "1" / "meta.json"
    meta.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match=r"meta\.json") as refusal:
        docker_contexts(tmp_path)
    assert refusal.value.code == Code.DOCUMENT_MALFORMED


def test_hosts_of_ssh_become_ssh_hosts_and_patterns_do_not(tmp_path: Path) -> None:
    tmp_path.joinpath("config").write_text(CONFIG)
    found = {target.name: target for target in ssh_hosts(tmp_path / "config").targets}
    assert set(found) == {"web-1", "web-2"}
    assert found["web-1"].block == {
        "type": "ssh_host",
        "endpoint": "ssh://deploy@web-1.example.com:2222",
        "ssh": {"key": "file:///keys/web", "jump": ["ssh://ops@gate.example.com"]},
    }
    assert found["web-2"].block["ssh"] == {"agent": True}
    assert [target.unfit for target in found.values()] == [(), ()]


@pytest.mark.parametrize(
    ("said", "jumps"),
    [
        ("gate", ["ssh://ops@gate.example:2200"]),
        ("eve@gate:22", ["ssh://eve@gate.example"]),
        ("ssh://gate,far.example", ["ssh://ops@gate.example:2200", "ssh://far.example"]),
        ("none", None),
    ],
)
def test_a_jump_host_may_be_named_as_it_is_in_the_same_configuration(
    tmp_path: Path, said: str, jumps: list[str] | None
) -> None:
    gate = "Host gate\n  HostName gate.example\n  User ops\n  Port 2200\n"
    (tmp_path / "config").write_text(f"{gate}Host web\n  HostName web.example\n  ProxyJump {said}\n")
    web = next(target for target in ssh_hosts(tmp_path / "config").targets if target.name == "web")
    assert web.block["ssh"].get("jump") == jumps


def test_a_configuration_of_ssh_is_read_and_nothing_else(tmp_path: Path) -> None:
    """`Match` as such is understood; what would run a command or ask the network is not done, and said."""
    ran = tmp_path / "ran"
    said = f"""\
CanonicalizeHostname always
Include conf.d/*
Host = web-1
Match host web-1
  Port 2222
Match host web-1 exec "touch {ran}"
  Port 9999
Host web-2
"""
    tmp_path.joinpath("config").write_text(said)
    found = ssh_hosts(tmp_path / "config")
    assert [target.block["endpoint"] for target in found.targets] == ["ssh://web-1:2222", "ssh://web-2"]
    assert list(found.passed_over) == ["Include conf.d/*", f'Match host web-1 exec "touch {ran}"']
    assert not ran.exists()


@pytest.mark.parametrize(("read", "file"), [(docker_contexts, "."), (ssh_hosts, "config")])
def test_where_there_is_nothing_it_says_so(tmp_path: Path, read, file: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path / file)
    assert refused.value.code is Code.FILE_MISSING


@given(st.text())
def test_a_name_that_is_made_is_one(text: str) -> None:
    made = name_from(text)
    assert made is None or is_name(made)
