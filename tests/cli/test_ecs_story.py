"""The example of ECS services: applied, frozen into a release, planned, and running as a task of a service that nobody made before."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fairlead.commands import catalogue, plans
from fairlead.contracts.target import TargetAddress, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from fairlead.store import releases
from tests.api.office import Office
from tests.cli.terminal import Terminal
from tests.fixtures.aws import REGION
from tests.fixtures.ecs import CLUSTER, EcsHarness
from tests.targets.bench import nobeat

EXAMPLE = Path(__file__).parent.parent.parent / "examples/ecs_service/fairlead.yaml"
PROJECT = "hello"

pytestmark = pytest.mark.docker


@pytest.fixture
def owner(office: Office, admin: Terminal) -> Terminal:
    """Whoever may make projects."""
    key = office.key("integration:all", "admin", None)
    return Terminal(admin.home, **{**admin.environment, "FAIRLEAD_KEY": key, "FAIRLEAD_PROJECT": PROJECT})


@pytest.fixture
def example(tmp_path: Path, ecs_harness: EcsHarness) -> Path:
    """On the tests' registry and local AWS; the sidecar is an image of theirs too."""
    image = ecs_harness.image("1.0.0")
    said = yaml.safe_load(EXAMPLE.read_text().replace("registry.example/hello/web", ecs_harness.pushed.repository))
    said["components"]["web"]["health"]["http"] = ecs_harness.health_path
    for target in said["targets"].values():
        target["endpoint"] = ecs_harness.aws.endpoint
        target["ecs"] |= {"region": REGION, "cluster": CLUSTER}
        for beside in target["ecs"]["definition"].get("containerDefinitions", []):
            beside["image"] = f"{image.repository}@{image.digest}"
    path = tmp_path / "fairlead.yaml"
    path.write_text(json.dumps(said))  # which is YAML, too
    return path


@pytest.fixture
def address(ecs_harness: EcsHarness, example: Path) -> Iterator[TargetAddress]:
    options: dict[str, Any] = dict(catalogue.parse(example.read_bytes()).targets["prod-1"].options)
    at = TargetAddress(
        project=PROJECT, environment="prod", target="prod-1", type="ecs_service", endpoint=ecs_harness.aws.endpoint, options=options,
    )  # fmt: skip
    yield at
    ecs_harness.clear(at)


def planned(office: Office, version: str, at: TargetAddress) -> TargetSpec:
    """What the target is told of a release."""
    with office.services.database.session() as s:
        release = releases.get(s, at.project, version)
        assert release is not None
        plan = plans.make_plan(s, catalogue.of_project(s, at.project), at.environment, release)
        components = tuple(plans._specified(s, release, component) for component in plan.targets[0].components)
    told = at.model_dump(exclude={"options"})
    return TargetSpec(**told, release=version, deployment="d", decision="sha256:" + "d" * 64, components=components)


def test_the_example_as_it_is_breaks_no_rule() -> None:
    targets = catalogue.parse(EXAMPLE.read_bytes()).targets
    assert [dict(t.options).get("count") for t in targets.values()] == [1, 3]


def test_the_example_goes_from_a_file_to_a_service(
    office: Office, owner: Terminal, example: Path, ecs_harness: EcsHarness, address: TargetAddress
) -> None:
    digest = ecs_harness.image("1.0.0").digest
    owner.json("apply", str(example), "--yes")
    assert owner.json("diff", str(example))["changes"] == []
    owner.json("release", "create", "1.0.0", f"web=@{digest}")
    spec, host = planned(office, "1.0.0", address), ecs_harness.executor()
    assert spec.options == address.options
    host.prepare(spec, nobeat)
    definition, service = host.apply(spec, Claim(1, 1), nobeat)
    assert [one["name"] for one in json.loads(definition.content)["containerDefinitions"]] == ["web", "metrics"]
    assert json.loads(service.content)["loadBalancers"][0]["containerName"] == "web"
    [seen] = host.observe(address).components
    assert (seen.digest, seen.health, len(str(seen.instance).split(","))) == (digest, Health.HEALTHY, 3)
