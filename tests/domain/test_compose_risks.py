"""What `fairlead compose check` finds, and what of it a target may allow."""

from typing import Any

import pytest

from fairlead.domain.compose.risks import ALLOWABLE, RULES, Finding, Level, find, refuses

IMAGE = "r.example/db@sha256:" + "a" * 64
SAFE: dict[str, Any] = {
    "image": IMAGE,
    "restart": "always",
    "healthcheck": {"test": "true"},
    "cap_add": ["NET_BIND_SERVICE"],
    "security_opt": ["no-new-privileges:true"],
    "volumes": ["data:/data", "/anonymous", {"type": "tmpfs", "target": "/tmp"}],
    "ports": ["80"],
    "x-own": {"anything": 1},
}


def findings(service: dict[str, Any], **document: Any) -> list[Finding]:
    volumes = {"data": None, **document.pop("volumes", {})}
    return list(find({"services": {"db": {**SAFE, **service}}, "volumes": volumes, **document}, given=()))


def rules(service: dict[str, Any], **document: Any) -> list[str]:
    return [finding.rule for finding in findings(service, **document)]


def test_nothing_is_said_of_what_is_safe() -> None:
    assert findings({}, volumes={"data": None}, networks={"default": {}}, **{"x-own": 1}) == []


@pytest.mark.parametrize(
    ("service", "rule"),
    [
        ({"privileged": True}, "privileged"),
        ({"privileged": "true"}, "privileged"),
        ({"network_mode": "host"}, "host_network"),
        ({"network_mode": "container:other"}, "host_network"),
        ({"pid": "host"}, "host_namespace"),
        ({"ipc": "host"}, "host_namespace"),
        ({"userns_mode": "host"}, "host_namespace"),
        ({"volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"]}, "docker_socket"),
        ({"volumes": [{"type": "bind", "source": "/run/docker.sock", "target": "/s"}]}, "docker_socket"),
        ({"volumes": ["/:/host"]}, "docker_socket"),
        ({"volumes": ["/var/run/:/x"]}, "docker_socket"),
        ({"volumes": ["./conf:/conf"]}, "host_path"),
        ({"volumes": ["~/x:/x"]}, "host_path"),
        ({"volumes": ["/etc:/etc"]}, "host_path"),
        ({"volumes": ["${DIR}:/etc"]}, "host_path"),
        ({"volumes": [{"type": "bind", "source": "data", "target": "/x"}]}, "host_path"),
        ({"devices": ["/dev/sda"]}, "devices"),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "cdi"}]}}}}, "devices"),
        ({"cap_add": ["SYS_ADMIN"]}, "capabilities"),
        ({"cap_add": ["cap_sys_admin"]}, "capabilities"),
        ({"cap_add": ["ALL"]}, "capabilities"),
        ({"security_opt": ["seccomp:unconfined"]}, "security_opt"),
        ({"healthcheck": None}, "no_healthcheck"),
        ({"healthcheck": {"disable": True}}, "no_healthcheck"),
        ({"container_name": "db"}, "container_name"),
        ({"ports": ["127.0.0.1:80:80/tcp"]}, "host_port"),
        ({"ports": [{"target": 80, "published": 8080}]}, "host_port"),
        ({"restart": None}, "no_restart"),
        ({"image": "postgres"}, "latest_tag"),
        ({"image": "h:5000/postgres:latest"}, "latest_tag"),
        ({"image": "postgres:16"}, "unpinned"),
        ({"image": "${IMAGE}:1"}, "unpinned"),
        ({"image": None, "build": "."}, "build_only"),
        ({"image": None}, "build_only"),
        ({"env_file": ".env"}, "unsupported"),
        ({"extends": {"file": "x.yml"}}, "unsupported"),
        ({"volumes_from": ["other"]}, "unsupported"),
        ({"cgroup_parent": "/"}, "unsupported"),
        ({"runtime": "own"}, "unsupported"),
        ({"deploy": {"placement": {}}}, "unsupported"),
        ({"deploy": {"replicas": 2}}, "replicas"),
        ({"scale": 2}, "replicas"),
    ],
)
def test_what_is_not_safe_is_found(service: dict[str, Any], rule: str) -> None:
    assert rules(service) == [rule]


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"include": ["other.yml"]}, "unsupported"),
        ({"secrets": {"s": {"file": "./s"}}}, "unsupported"),
        ({"configs": {"c": {"file": "/etc/shadow"}}}, "unsupported"),
        ({"volumes": {"v": {"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}}}, "host_path"),
        ({"volumes": {"v": {"driver_opts": {"type": "nfs", "o": "rbind", "device": "etc"}}}}, "host_path"),
        ({"volumes": {"v": {"driver_opts": {"type": "ext4", "device": "/dev/sda1"}}}}, "host_path"),
        ({"networks": {"host": {"external": True}}}, "host_network"),
        ({"networks": {"n": {"external": True, "name": "host"}}}, "host_network"),
        ({"networks": {"n": {"driver": "macvlan"}}}, "host_network"),
    ],
)
def test_what_stands_outside_of_services_counts_too(document: dict[str, Any], rule: str) -> None:
    assert rules({}, **document) == [rule]


@pytest.mark.parametrize(
    "options", [{"type": "nfs", "o": "addr=nas,rw", "device": ":/data"}, {"type": "tmpfs", "device": "tmpfs"}, {}]
)
def test_a_volume_from_elsewhere_is_no_file_of_the_host(options: dict[str, str]) -> None:
    assert rules({}, volumes={"v": {"driver_opts": options}}) == []


def test_the_image_of_a_component_comes_from_the_release() -> None:
    web = {**SAFE, "image": "web:latest", "build": "."}
    assert list(find({"services": {"web": web}, "volumes": {"data": None}}, given={"web"})) == []


def test_what_ends_by_itself_needs_neither_check_nor_restart() -> None:
    bare = {"services": {"migrate": {"image": IMAGE}}}
    assert {f.rule for f in find(bare, ())} == {"no_healthcheck", "no_restart"}
    assert list(find(bare, (), one_shots={"migrate"})) == []


def test_only_what_is_unsafe_can_be_allowed() -> None:
    for rule in RULES:
        finding = Finding(rule.name, rule.level, "", "")
        assert refuses(finding, ()) == (rule.level is not Level.NOTED)
        assert refuses(finding, {rule.name}) == (rule.level is Level.REFUSED)
    assert set(ALLOWABLE) >= {"privileged", "docker_socket", "host_path", "host_network"}


@pytest.mark.parametrize(
    "services", [None, [], {"db": None}, {"db": 3}, {"db": {"volumes": 3, "ports": {}, "deploy": []}}]
)
def test_what_is_no_compose_file_is_no_traceback(services: Any) -> None:
    list(find({"services": services}, ()))


@pytest.mark.parametrize(
    ("service", "where", "words"),
    [
        ({"environment": 7}, "/environment", "expected a list or a mapping"),
        ({"profiles": "debug"}, "/profiles", "expected a list"),
        ({"healthcheck": ["curl"]}, "/healthcheck", "expected a mapping"),
        ({"volumes": ["dta:/data"]}, "/volumes", "no volume 'dta'; did you mean data?"),
        ({"networks": ["back"]}, "/networks", "no network 'back'; there is default"),
        ({"configs": ["nginx"]}, "/configs", "no config 'nginx'; say it under `configs:`"),
        ({"depends_on": ["dbb"]}, "/depends_on/dbb", "no service 'dbb'; did you mean db?"),
        ({"depends_on": {"db": {"condition": "service_helthy"}}}, "/depends_on/db", "did you mean service_healthy or"),
        ({"imagee": "x"}, "", "not carried: imagee; did you mean image?"),
    ],
)
def test_what_points_nowhere_is_refused_with_what_was_meant(service: dict[str, Any], where: str, words: str) -> None:
    [found] = [f for f in findings(service) if f.level is Level.REFUSED]
    assert found.pointer == f"/services/db{where}"
    assert words in found.detail


def test_who_is_not_there_may_be_waited_for_where_nothing_requires_it() -> None:
    assert rules({"depends_on": {"gone": {"condition": "service_started", "required": False}}}) == []


@pytest.mark.parametrize("document", [{}, {"services": None}, {"services": ["web"]}])
def test_a_file_without_services_is_no_compose_file(document: dict[str, Any]) -> None:
    assert [finding.rule for finding in find(document, ())] == ["shape"]


def test_a_list_of_volumes_is_not_dropped_unseen() -> None:
    assert ("shape", "/volumes") in {
        (f.rule, f.pointer) for f in find({"services": {"db": SAFE}, "volumes": ["d"]}, ())
    }
