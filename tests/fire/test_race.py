"""An older worker that was stopped, overtaken and woken: the target ends on the newer claim, every time."""

from typing import Any

import pytest

from tests.fire.racing import PLACES, laps, race
from tests.fixtures.docker import DockerHarness
from tests.fixtures.process import ProcessHarness

USUAL, LONG = 10, 100


def run(harness: Any, count: int) -> int:
    """So many laps, each of which must end well; how many did."""
    with race(harness) as running:
        for lap in laps(count):
            running.run(lap)
    # One that was to be stopped at some moment may have been done before it.
    assert {said for lap, said in running.heard if lap.place in PLACES} == {"fence_lost"}
    assert {said for _, said in running.heard} <= {"fence_lost", "applied"}
    return len(running.heard)


@pytest.mark.process
def test_a_process_target_ends_on_the_newer_claim(process_harness: ProcessHarness) -> None:
    assert run(process_harness, USUAL) == USUAL


@pytest.mark.docker
def test_a_docker_target_ends_on_the_newer_claim(docker_harness: DockerHarness) -> None:
    assert run(docker_harness, USUAL) == USUAL


@pytest.mark.soak
@pytest.mark.process
def test_a_process_target_ends_on_the_newer_claim_a_hundred_times(process_harness: ProcessHarness) -> None:
    assert run(process_harness, LONG) == LONG


@pytest.mark.soak
@pytest.mark.docker
def test_a_docker_target_ends_on_the_newer_claim_a_hundred_times(docker_harness: DockerHarness) -> None:
    assert run(docker_harness, LONG) == LONG
