"""Every executor, real or in memory, does what the one table of behaviours says."""

from collections.abc import Callable, Iterator

import pytest

from tests.agents.behaviour import BEHAVIOURS
from tests.agents.bench import Bench
from tests.agents.memory_harness import MemoryHarness


@pytest.fixture(scope="session")
def memory_harness() -> MemoryHarness:
    return MemoryHarness()


@pytest.fixture(
    params=[
        "memory",
        pytest.param("process", marks=pytest.mark.process),
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("compose", marks=pytest.mark.docker),
        "nomad_double",
        pytest.param("ecs", marks=pytest.mark.docker),
        pytest.param("nomad", marks=pytest.mark.docker),
        "winrm_double",
        pytest.param("ssh_process", marks=[pytest.mark.process, pytest.mark.ssh]),
        pytest.param("ssh_docker", marks=[pytest.mark.docker, pytest.mark.ssh]),
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.getfixturevalue(f"{request.param}_harness"))
    yield bench
    bench.close()


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_every_executor(bench: Bench, behaviour: Callable[[Bench], None]) -> None:
    behaviour(bench)
