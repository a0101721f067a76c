"""Every executor, real or in memory, does what the one table of behaviours says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.targets.behaviour import BEHAVIOURS
from tests.targets.bench import Bench
from tests.targets.memory_harness import MemoryHarness

HARNESSES: dict[str, list[Any]] = {
    "memory": [],
    "process": [pytest.mark.process],
    "docker": [pytest.mark.docker],
    "compose": [pytest.mark.docker],
    "nomad_double": [],
    "ecs": [pytest.mark.docker],
    "nomad": [pytest.mark.docker],
    "winrm_double": [],
    "ssh_process": [pytest.mark.process, pytest.mark.ssh],
    "ssh_docker": [pytest.mark.docker, pytest.mark.ssh],
}
LINES = ("ssh_process", "ssh_docker")
"""What two others of the table do, at the end of a line: each behaviour goes over one of the two, by turns, and over both in `make soak`."""


def cases() -> Iterator[Any]:
    """Harness by harness."""
    for harness, marks in HARNESSES.items():
        for place, behaviour in enumerate(BEHAVIOURS):
            is_left = harness in LINES and LINES[place % len(LINES)] != harness
            yield pytest.param(
                harness,
                behaviour,
                marks=[*marks, *([pytest.mark.soak] if is_left else [])],
                id=f"{harness}-{behaviour.__name__}",
            )


@pytest.fixture(scope="session")
def memory_harness() -> MemoryHarness:
    return MemoryHarness()


@pytest.mark.parametrize(("harness", "behaviour"), list(cases()))
def test_every_executor(request: pytest.FixtureRequest, harness: str, behaviour: Callable[[Bench], None]) -> None:
    bench = Bench(request.getfixturevalue(f"{harness}_harness"))
    try:
        behaviour(bench)
    finally:
        bench.close()
