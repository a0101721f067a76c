"""What a component may say of its container, and the one notation in which it is kept."""

from typing import Any

import pytest

from fairlead.domain.blocks import Block
from fairlead.domain.catalogue_rules import read as read_catalogue
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds.docker_section import section
from tests.domain.documents import good_with

ALL: dict[str, Any] = {
    "replicas": 3, "order": "stop_first", "restart": "on-failure:3", "user": "app:staff", "cpus": "1.5", "memory": "512m",
    "pids": 100, "read_only": True, "no_new_privileges": True, "cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"],
    "networks": {"backend": "own", "edge.net": "external"}, "extra_hosts": {"db.internal": "10.0.0.7", "host": "host-gateway"},
    "ulimits": {"nofile": "1024:4096"}, "volumes": ["/etc/app:/etc/app:ro", "data:/var/lib/data"], "tmpfs": ["/run", "/tmp"],
    "log": {"driver": "json-file", "options": {"max-size": "10m"}},
}  # fmt: skip
BESIDE = {"role": "sidecar", "beside": "web"}
ONCE = {"role": "migration", "timeout": "5m"}


def read(said: object) -> tuple[dict[str, Any], list[Code]]:
    flaws: list[Flaw] = []
    return section(Block(said, "", flaws)), [flaw.code for flaw in flaws]


@pytest.mark.parametrize("said", [{}, ALL, ONCE, BESIDE, {"secrets": "files"}])
def test_the_normal_form_reads_back_as_itself(said: dict[str, Any]):
    assert read(said) == (said, [])


@pytest.mark.parametrize(
    ("said", "normal"),
    [
        ({"cpus": 2.50}, {"cpus": "2.5"}), ({"cpus": "10"}, {"cpus": "10"}), ({"memory": "2048MiB"}, {"memory": "2g"}),
        ({"memory": "1536M"}, {"memory": "1536m"}), ({"cap_drop": ["cap_net_raw", "NET_RAW"]}, {"cap_drop": ["NET_RAW"]}),
        ({"ulimits": {"nofile": 1024}}, {"ulimits": {"nofile": "1024:1024"}}), ({"tmpfs": ["/b", "/a"]}, {"tmpfs": ["/a", "/b"]}),
        ({"ulimits": {"core": -1}}, {"ulimits": {"core": "-1:-1"}}), ({"timeout": "90s", "role": "init"}, {"timeout": "1m30s", "role": "init"}),
        ({"role": "service", "secrets": "env", "replicas": 1, "order": "auto", "restart": "unless-stopped", "read_only": False, "log": {}}, {}),
    ],
)  # fmt: skip
def test_two_ways_to_say_it_are_one(said: dict[str, Any], normal: dict[str, Any]):
    assert read(said) == (normal, [])


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("role", "sidekick", Code.BAD_VALUE), ("replicas", 0, Code.BAD_VALUE), ("cpus", "0", Code.BAD_VALUE), ("cpus", "NaN", Code.BAD_VALUE),
        ("cpus", "1.234", Code.BAD_VALUE), ("memory", "1k", Code.BAD_VALUE), ("memory", "5 apples", Code.BAD_VALUE), ("user", "a b", Code.BAD_VALUE),
        ("restart", "sometimes", Code.BAD_VALUE), ("restart", "no:3", Code.BAD_VALUE), ("cap_add", ["net admin"], Code.BAD_VALUE),
        ("networks", {"backend": "mine"}, Code.BAD_VALUE), ("networks", {"Back End": "own"}, Code.BAD_VALUE),
        ("networks", ["backend"], Code.BAD_VALUE), ("extra_hosts", {"db": "db.example"}, Code.BAD_VALUE),
        ("ulimits", {"nofile": "many"}, Code.BAD_VALUE), ("ulimits", {"nofiles": "1:2"}, Code.BAD_VALUE),
        ("ulimits", {"nofile": "9:2"}, Code.BAD_VALUE), ("ulimits", {"nofile": "-1:2"}, Code.BAD_VALUE),
        ("cap_add", ["NET_BIND"], Code.BAD_VALUE),
        ("volumes", ["data"], Code.BAD_VALUE), ("volumes", ["data:relative"], Code.BAD_VALUE), ("volumes", ["/a/../b:/c"], Code.BAD_VALUE),
        ("volumes", ["a:/c", "b:/c"], Code.BAD_VALUE), ("volumes", ["a:/c:rw"], Code.BAD_VALUE), ("tmpfs", ["tmp"], Code.BAD_VALUE),
        ("log", {"options": {"max-size": "1m"}}, Code.MISSING_FIELD), ("read_only", "yes", Code.BAD_VALUE), ("privileged", True, Code.UNKNOWN_FIELD),
        ("timeout", "5s", Code.BAD_VALUE),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(key: str, value: object, code: Code):
    assert read({key: value})[1] == [code]


@pytest.mark.parametrize(("key", "value"), [("replicas", 2), ("order", "stop_first"), ("restart", "always")])
def test_what_runs_once_is_no_service(key: str, value: object):
    assert read({"role": "init", key: value})[1] == [Code.BAD_VALUE]


def test_secrets_cannot_be_written_where_nothing_can():
    assert read({"read_only": True, "secrets": "files"})[1] == [Code.BAD_VALUE]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"role": "sidecar"}, Code.MISSING_FIELD), ({"beside": "web"}, Code.MISSING_FIELD), ({**BESIDE, "replicas": 2}, Code.BAD_VALUE),
        ({**BESIDE, "networks": {"a": "own"}}, Code.BAD_VALUE),
    ],
)  # fmt: skip
def test_a_sidecar_is_beside_somebody_and_has_his_network(said: dict[str, Any], code: Code):
    assert read(said)[1] == [code]


@pytest.mark.parametrize(
    ("main", "said", "sound"),
    [
        ("api", {}, True),
        ("apx", {}, False),
        ("api", {"replicas": 2}, False),
        ("api", {"role": "init"}, False),
        ("worker", {}, False),
    ],
)
def test_there_must_be_one_service_to_be_beside(main: str, said: dict[str, Any], sound: bool):
    document = good_with("components/worker", {"repository": "localhost:5000/w", "docker": {**BESIDE, "beside": main}})
    document["components"]["api"] = {"repository": "localhost:5000/api", "docker": said}
    del document["targets"]["prod-2"]["config"]["ports"]["api"]
    assert (read_catalogue(document).flaws == ()) == sound


def flaws_of(said: dict[str, Any], **component: Any) -> list[Code]:
    document = good_with("components/worker", {"repository": "localhost:5000/shop/worker", "docker": said, **component})
    return [flaw.code for flaw in read_catalogue(document).flaws]


def test_a_host_port_is_one_containers():
    assert flaws_of({"replicas": 2}) == []
    assert Code.BAD_VALUE in flaws_of({"replicas": 2}, ports=["1:1"])
    assert Code.BAD_VALUE in flaws_of({"role": "init"}, health={"port": 1})


@pytest.mark.parametrize(
    "said", [{"volumes": ["/etc:/e"]}, {"cap_add": ["SYS_ADMIN"]}], ids=["host_paths", "capabilities"]
)
def test_rights_on_the_host_are_the_targets_to_give(said: dict[str, Any], request: pytest.FixtureRequest):
    rule = request.node.callspec.id
    document = good_with("components/web/docker", said)
    assert {flaw.code for flaw in read_catalogue(document).flaws} == {Code.CONTAINER_UNSAFE}
    for target in ("prod-1", "prod-2"):
        document["targets"][target]["docker"] = {"allow": [rule]}
    assert read_catalogue(document).flaws == ()


def test_what_every_container_may_needs_no_leave():
    assert (
        read_catalogue(good_with("components/web/docker", {"cap_add": ["NET_RAW"], "volumes": ["data:/d"]})).flaws == ()
    )
