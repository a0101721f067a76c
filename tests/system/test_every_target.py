"""The example of all target types: one promotion brings a release to a target of each type, and the next one replaces it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fairlead.domain.catalogue import TargetType
from tests import components
from tests.cli.terminal import Terminal
from tests.fixtures.process import ProcessHarness
from tests.system.everywhere import ENVIRONMENT, Everywhere, Harnesses, fill_in, publish, read
from tests.system.whole import WholeSystem
from tests.targets.harness import Tally

pytestmark = [pytest.mark.docker, pytest.mark.process, pytest.mark.ssh]

TARGETS = tuple(read().targets)


@pytest.fixture(scope="module")
def at(system: WholeSystem, request: pytest.FixtureRequest) -> Harnesses:
    """Nomad is a real one where there is one."""
    names = {
        "docker_host": "docker_harness",
        "compose_host": "compose_harness",
        "ssh_host": "ssh_process_harness",
        "nomad_job": "nomad_harness" if components.nomad() else "nomad_double_harness",
        "ecs_service": "ecs_harness",
        "winrm_host": "winrm_double_harness",
    }
    found = {type: request.getfixturevalue(name) for type, name in names.items()}
    return Harnesses(process_host=ProcessHarness(system.data), **found)


@pytest.fixture(scope="module")
def everywhere(system: WholeSystem, at: Harnesses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everywhere]:
    folder = tmp_path_factory.mktemp("every-target") / "filled-in"
    fill_in(folder, at, system.free_port)
    everywhere = Everywhere(folder, at)
    yield everywhere
    everywhere.clear()


@pytest.fixture(scope="module")
def terminal(system: WholeSystem, everywhere: Everywhere) -> Terminal:
    """Of whoever has the first key. The example is applied."""
    url, key = system.processes["api"]["url"], (system.data / "admin.key").read_text().strip()
    terminal = Terminal(
        everywhere.folder / "home", FAIRLEAD_URL=url, FAIRLEAD_KEY=key, FAIRLEAD_PROJECT=everywhere.catalogue.project
    )
    terminal.json("apply", str(everywhere.folder / "fairlead.yaml"), "--yes")
    return terminal


def promote(terminal: Terminal, everywhere: Everywhere, version: str) -> tuple[str, str]:
    """Make a release of what the tag names and promote it: its digest, and the promotion."""
    digest = publish(everywhere.at.docker_host, version)
    terminal.json("release", "create", version, f"web=:every-{version}")
    promotion = terminal.json("promote", version, ENVIRONMENT, "--wait", "--timeout", "5m")
    return digest, promotion["id"]


def verify(terminal: Terminal, promotion: str, folder: Path) -> int:
    """The exit code of a verifier who has only the two files."""
    bundle, trust = str(folder / "bundle.json"), str(folder / "trust.json")
    terminal.run("evidence", "export", promotion, "--output", bundle)
    terminal.run("evidence", "trust", "--output", trust)
    return terminal.run("evidence", "verify", bundle, "--trust", trust).code


def test_the_example_has_a_target_of_each_type() -> None:
    assert sorted(target.type for target in read().targets.values()) == sorted(TargetType)


def test_one_promotion_brings_a_release_to_all_and_the_next_one_replaces_it(
    terminal: Terminal, everywhere: Everywhere, tmp_path: Path
) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0"), start=1):
        digest, promotion = promote(terminal, everywhere, version)
        assert everywhere.run() == {name: [digest] for name in TARGETS}
        assert everywhere.tallies() == dict.fromkeys(TARGETS, Tally(number, number))
        assert set(everywhere.answers().values()) == {f"web {version}"}
        seen = terminal.json("observe", ENVIRONMENT)["items"]
        assert [(t["target"], t["drift"]) for t in seen] == [(name, []) for name in TARGETS]
        assert {(c["digest"], c["health"], c["release"]) for t in seen for c in t["components"]} == {
            (digest, "healthy", version)
        }
        assert verify(terminal, promotion, tmp_path) == 0
