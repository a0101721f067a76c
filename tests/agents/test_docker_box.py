"""What is read out of, and written into, the engine's documents: pure functions."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from agents.docker_host import box, container, labels, placement
from agents.docker_host.hooking import as_component
from agents.docker_host.placement import Seat
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.hooks import Hook
from tests.targets.bench import DECISION, Bench, with_config
from tests.targets.harness import Image

IMAGE = Image("registry.example:5000/shop/web", "sha256:" + "a" * 64)


@pytest.fixture
def bench() -> Bench:
    return Bench(SimpleNamespace(type="docker_host", health_path="/", endpoint=lambda target: "unix:///engine.sock"))  # type: ignore[arg-type]


def recipe(bench: Bench, *ports: str, bridge: bool = True) -> container.Recipe:
    spec: TargetSpec = bench.spec(with_config(bench.component(IMAGE, {"A": "1"}), ports=ports))
    return container.recipe(spec, Seat(spec.components[0]), Claim(4, 2), bridge=bridge)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05.12Z", datetime(2026, 1, 2, 3, 4, 5, 120000, UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_the_engines_times_are_read(text: str, time: datetime | None):
    assert box.read_time(text) == time


@pytest.mark.parametrize(
    ("reference", "repository"),
    [
        ("host:5000/shop/web@sha256:0", "host:5000/shop/web"),
        ("host:5000/shop/web:1.0", "host:5000/shop/web"),
        ("host:5000/shop/web:1.0@sha256:0", "host:5000/shop/web"),
        ("host:5000/shop/web", "host:5000/shop/web"),
        ("sha256:0", "sha256"),
    ],
)
def test_a_repository_is_told_from_tag_and_digest(reference: str, repository: str):
    document = {
        "Id": "1",
        "Name": "/web",
        "Image": "sha256:1",
        "Created": "2026-01-02T03:04:05Z",
        "State": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-01-02T03:04:05Z"},
        "Config": {"Image": reference},
        "HostConfig": {},
        "NetworkSettings": {},
    }
    assert box.read(document).repository == repository


def test_of_foreign_ports_only_whole_ones_of_tcp_count():
    asked = {"443/udp": "443", "53/tcp": "8000-8010", "9/sctp": "9", "80/tcp": "80", "81/tcp": "", "82": "82"}
    found = box._ports({port: [{"HostIp": "", "HostPort": host}] for port, host in asked.items()})
    assert found == {80: 80, 82: 82}
    assert box._sockets({"53/udp": [{"HostIp": "", "HostPort": "1"}], "53/tcp": [{"HostIp": "", "HostPort": "2"}]}) == {
        53: ("127.0.0.1", 2)
    }


def test_a_container_is_made_by_digest_and_publishes_what_was_asked(bench: Bench):
    made = recipe(bench, "8081:8080", "8082:8080", "9000:9000")
    assert made.body["image"] == f"{IMAGE.repository}@{IMAGE.digest}"
    assert made.body["environment"] == {"A": "1"}
    assert made.host["PortBindings"] == {
        "8080/tcp": [{"HostPort": "8081"}, {"HostPort": "8082"}],
        "9000/tcp": [{"HostPort": "9000"}],
    }
    assert made.body["labels"][labels.DECISION] == DECISION


def test_a_hook_is_in_its_components_networks_but_not_by_its_name(bench: Bench):
    component = with_config(bench.component(IMAGE), run={"docker": {"networks": {"shared": "external"}}})
    seat = Seat(as_component(component, Hook("web", "post", "smoke", ("x",), 1.0, "")))
    made = container.recipe(bench.spec(component), seat, Claim(4, 2), bridge=True)
    assert made.body["networking_config"] == {"EndpointsConfig": {"shared": {"Aliases": ["web.post.smoke"]}}}


def test_on_the_hosts_network_it_is_told_its_port(bench: Bench):
    made = recipe(bench, "8081:8080", bridge=False)
    assert made.host["NetworkMode"] == "host"
    assert made.body["environment"] == {"PORT": "8081", "A": "1"}


@pytest.mark.parametrize(
    ("block", "can"),
    [
        ({}, True),
        ({"volumes": ["a:/a:ro"]}, True),
        ({"volumes": ["a:/a:ro", "b:/b"]}, False),
        ({"order": "stop_first"}, False),
    ],
)
def test_two_never_write_the_same_files(block: dict[str, object], can: bool):
    assert placement.bears_two(block) == can


def test_a_parked_name_leads_back_to_its_own():
    assert labels.own_name(labels.parked_name("shop-prod-p1-web", Claim(3, 1))) == "shop-prod-p1-web"
    assert labels.is_parked("shop-prod-p1-web.old-3.1")
    assert not labels.is_parked("shop-prod-p1-web")


@pytest.mark.parametrize("text", ["", "x", "1", "1.x"])
def test_a_label_that_is_no_claim_says_nothing(text: str):
    assert labels.claim_in({labels.FENCE: text}) is None
