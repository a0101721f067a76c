"""The example of SSH hosts: applied, frozen into a release, planned, and running on a real engine behind a real sshd."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fairlead.commands import catalogue
from fairlead.contracts.target import TargetAddress
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.api.office import Office
from tests.cli.planned import planned
from tests.cli.terminal import Terminal
from tests.fixtures.ssh import SshDockerHarness
from tests.targets.bench import nobeat
from tests.targets.harness import free_port

EXAMPLE = Path(__file__).parent.parent.parent / "examples/ssh_host/fairlead.yaml"
PROJECT = "hello"

pytestmark = [pytest.mark.docker, pytest.mark.ssh]


@pytest.fixture
def owner(office: Office, admin: Terminal) -> Terminal:
    """Whoever may make projects."""
    key = office.key("integration:all", "admin", None)
    return Terminal(admin.home, **{**admin.environment, "FAIRLEAD_KEY": key, "FAIRLEAD_PROJECT": PROJECT})


@pytest.fixture
def example(tmp_path: Path, ssh_docker_harness: SshDockerHarness) -> Path:
    """On the tests' registry, engine and SSH server."""
    said = yaml.safe_load(EXAMPLE.read_text().replace("registry.example/hello/web", ssh_docker_harness.repository))
    said["components"]["web"]["health"]["http"] = ssh_docker_harness.health_path
    for target in said["targets"].values():
        runtime = target["ssh"].get("runtime", "process")
        target |= {"endpoint": ssh_docker_harness.sshd.endpoint, "config": {"ports": {"web": [f"{free_port()}:8080"]}}}
        target["ssh"] = {**ssh_docker_harness.options, "runtime": runtime}
        if runtime == "process":
            del target["ssh"]["socket"]
    path = tmp_path / "fairlead.yaml"
    path.write_text(json.dumps(said))  # which is YAML, too
    return path


@pytest.fixture
def address(ssh_docker_harness: SshDockerHarness) -> Iterator[TargetAddress]:
    at = TargetAddress(
        project=PROJECT, environment="prod", target="prod-1", type="ssh_host",
        endpoint=ssh_docker_harness.sshd.endpoint, options=ssh_docker_harness.options,
    )  # fmt: skip
    yield at
    ssh_docker_harness.clear(at)


def test_the_example_as_it_is_breaks_no_rule() -> None:
    targets = catalogue.parse(EXAMPLE.read_bytes()).targets
    assert [dict(t.options)["runtime"] for t in targets.values()] == ["process", "docker"]


def test_the_example_goes_from_a_file_to_a_target(
    office: Office, owner: Terminal, example: Path, ssh_docker_harness: SshDockerHarness, address: TargetAddress
) -> None:
    digest = ssh_docker_harness.image("1.0.0").digest
    owner.json("apply", str(example), "--yes")
    assert owner.json("diff", str(example))["changes"] == []
    owner.json("release", "create", "1.0.0", f"web=@{digest}")
    spec, host = planned(office, "1.0.0", address), ssh_docker_harness.executor()
    assert spec.options == catalogue.parse(example.read_bytes()).targets["prod-1"].options
    host.prepare(spec, nobeat)
    host.apply(spec, Claim(1, 1), nobeat)
    [seen] = host.observe(address).components
    assert (seen.digest, seen.health) == (digest, Health.HEALTHY)
