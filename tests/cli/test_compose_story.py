"""A compose file from a folder to a target: sent along by `apply`, frozen into a release, in the plan, and running on a real engine."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fairlead.commands import catalogue, plans
from fairlead.contracts.release import Plan
from fairlead.contracts.target import SentFile, TargetAddress, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from fairlead.store import releases
from tests.api.office import Office
from tests.cli.terminal import Terminal
from tests.fixtures.compose import ComposeHarness
from tests.targets.bench import nobeat
from tests.targets.harness import free_port

EXAMPLE = Path(__file__).parent.parent.parent / "examples/compose"
PROJECT = "corner-shop"

pytestmark = pytest.mark.docker


@pytest.fixture
def owner(office: Office, admin: Terminal) -> Terminal:
    """Whoever may make projects."""
    key = office.key("integration:all", "admin", None)
    return Terminal(admin.home, **{**admin.environment, "FAIRLEAD_KEY": key, "FAIRLEAD_PROJECT": PROJECT})


@pytest.fixture
def folder(tmp_path: Path, compose_harness: ComposeHarness) -> Path:
    """The example, on the tests' registry and engine."""
    copy = tmp_path / "example"
    shutil.copytree(EXAMPLE, copy)
    for path in copy.iterdir():
        path.write_text(path.read_text().replace("localhost:5000/shop/web", compose_harness.repository))
    said = yaml.safe_load((copy / "fairlead.yaml").read_text())
    for target in said["targets"].values():
        target |= {"endpoint": compose_harness.engine.endpoint, "config": {"ports": {"web": [f"{free_port()}:8080"]}}}
    (copy / "fairlead.yaml").write_text(yaml.safe_dump(said))
    return copy


@pytest.fixture
def address(compose_harness: ComposeHarness) -> Iterator[TargetAddress]:
    at = TargetAddress(
        project=PROJECT,
        environment="dev",
        target="dev-1",
        type="compose_host",
        endpoint=compose_harness.engine.endpoint,
    )
    yield at
    compose_harness.clear(at)


def planned(office: Office, version: str, at: TargetAddress) -> TargetSpec:
    """What the target is told of a release."""
    with office.services.database.session() as s:
        release = releases.get(s, at.project, version)
        assert release is not None
        plan: Plan = plans.make_plan(s, catalogue.of_project(s, at.project), at.environment, release)
        components = tuple(plans._specified(s, release, component) for component in plan.targets[0].components)
    decision = "sha256:" + "d" * 64
    return TargetSpec(
        **at.model_dump(exclude={"options"}), release=version, deployment="d", decision=decision, components=components
    )


def test_a_compose_file_goes_from_a_folder_to_a_target(
    office: Office, owner: Terminal, folder: Path, compose_harness: ComposeHarness, address: TargetAddress
) -> None:
    digest = compose_harness.image("1.0.0").digest
    owner.json("apply", str(folder / "fairlead.yaml"), "--yes")
    owner.json("release", "create", "1.0.0", f"web=@{digest}")
    spec = planned(office, "1.0.0", address)
    host = compose_harness.executor()
    host.prepare(spec, nobeat)
    [sent] = host.apply(spec, Claim(1, 1), nobeat)
    [seen] = host.observe(address).components
    assert (seen.digest, seen.health) == (digest, Health.HEALTHY)
    assert sorted(services(sent)) == ["migrate", "shell", "web"]
    assert {said["image"] for said in services(sent).values()} == {f"{compose_harness.repository}@{digest}"}
    assert services(sent)["web"]["environment"] == {"LOG_LEVEL": "info", "GREETING": "hello"}


def services(sent: SentFile) -> dict[str, dict[str, object]]:
    return yaml.safe_load(sent.content)["services"]


def test_another_file_is_another_release(
    office: Office, owner: Terminal, folder: Path, compose_harness: ComposeHarness
) -> None:
    digest = compose_harness.image("1.0.0").digest
    owner.json("apply", str(folder / "fairlead.yaml"), "--yes")
    first = owner.json("release", "create", "1.0.0", f"web=@{digest}")
    with (folder / "compose.yml").open("a") as file:
        file.write("x-more: 1\n")
    assert [c["kind"] for c in owner.json("diff", str(folder / "fairlead.yaml"))["changes"]] == ["file"]
    owner.json("apply", str(folder / "fairlead.yaml"), "--yes")
    second = owner.json("release", "create", "1.0.1", f"web=@{digest}")
    assert first["manifest"]["templates"] != second["manifest"]["templates"]
    assert owner.run("release", "create", "1.0.0", f"web=@{digest}").code == 2


def test_a_file_that_is_not_beside_the_catalogue_is_told(owner: Terminal, folder: Path) -> None:
    (folder / "compose.yml").unlink()
    said = owner.run("apply", str(folder / "fairlead.yaml"), "--yes")
    assert said.code == 4
    assert "compose.yml" in said.err


def test_the_example_is_safe(owner: Terminal) -> None:
    assert owner.json(
        "compose",
        "check",
        str(EXAMPLE / "compose.yml"),
        "--component",
        "web",
        "--component",
        "migrate",
        "--component",
        "shell",
    )["safe"]
