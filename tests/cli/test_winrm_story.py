"""The example of WinRM hosts: applied, frozen into a release, planned, and running on the double of a Windows host."""

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
from tests.fixtures.winrm import WinrmHarness
from tests.targets.bench import nobeat
from tests.targets.harness import free_port

EXAMPLE = Path(__file__).parent.parent.parent / "examples/winrm_host/fairlead.yaml"
PROJECT = "hello"


@pytest.fixture
def owner(office: Office, admin: Terminal) -> Terminal:
    """Whoever may make projects."""
    key = office.key("integration:all", "admin", None)
    return Terminal(admin.home, **{**admin.environment, "FAIRLEAD_KEY": key, "FAIRLEAD_PROJECT": PROJECT})


@pytest.fixture
def address(winrm_double_harness: WinrmHarness) -> Iterator[TargetAddress]:
    at = TargetAddress(
        project=PROJECT, environment="prod", target="prod-1", type="winrm_host",
        endpoint=winrm_double_harness.double.endpoint, options=winrm_double_harness.options,
    )  # fmt: skip
    yield at
    winrm_double_harness.clear(at)


def test_the_example_as_it_is_breaks_no_rule() -> None:
    targets = catalogue.parse(EXAMPLE.read_bytes()).targets
    assert [dict(target.options).get("auth") for target in targets.values()] == [None, "certificate"]


def test_the_example_goes_from_a_file_to_a_target(
    office: Office, owner: Terminal, tmp_path: Path, winrm_double_harness: WinrmHarness, address: TargetAddress
) -> None:
    said = yaml.safe_load(EXAMPLE.read_text())
    image = winrm_double_harness.image("1.0.0")
    said["components"]["web"] |= {"repository": image.repository, "command": ["bin/serve.exe"]}
    ports = {"ports": {"web": [f"{free_port()}:8080"]}}
    for target in said["targets"].values():
        target |= {"endpoint": address.endpoint, "winrm": winrm_double_harness.options, "config": ports}
    file = tmp_path / "fairlead.yaml"
    file.write_text(json.dumps(said))  # which is YAML, too
    owner.json("apply", str(file), "--yes")
    owner.json("release", "create", "1.0.0", f"web=@{image.digest}")
    spec, host = planned(office, "1.0.0", address), winrm_double_harness.executor()
    host.prepare(spec, nobeat)
    sent = host.apply(spec, Claim(1, 1), nobeat)
    [seen] = host.observe(address).components
    assert (seen.digest, seen.health) == (image.digest, Health.HEALTHY)
    assert {"web.run.json", "scripts/order.ps1"} <= {file.name for file in sent}
