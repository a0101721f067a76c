"""A worker that kills itself while it works on a Docker host: by the engine's own word each container was created and started once."""

import itertools
from collections.abc import Iterator

import pytest

from tests.fire.docks import BROKEN, DockerShop
from tests.fire.dying import dying_at
from tests.fire.judging import PATIENT, SHORT, ended, tasks_are
from tests.fixtures.docker import DockerHarness
from tests.system.whole import WholeSystem

pytestmark = pytest.mark.docker
_numbers = itertools.count(1)
FAR_FROM_THE_ENGINE = [pytest.param(point, marks=pytest.mark.soak) for point in ("before_seal", "after_seal")]
"""What happens there is the same whatever the target is: test_fail_points.py has it every time."""


@pytest.fixture
def docks(system: WholeSystem, docker_harness: DockerHarness) -> Iterator[DockerShop]:
    """One target, where 1.0.0 was verified."""
    shop = DockerShop(system, f"docks{next(_numbers)}", docker_harness)
    shop.environment("prod", strategy=PATIENT)
    shop.apply()
    shop.release("1.0.0")
    shop.succeed("1.0.0", "prod")
    yield shop
    shop.close()


@pytest.mark.parametrize("point", ["after_claim", "after_stop_old", "after_create", *FAR_FROM_THE_ENGINE])
def test_a_worker_killed_at_a_fail_point_changes_nothing(system: WholeSystem, docks: DockerShop, point: str) -> None:
    [old], new = docks.running("prod-1"), docks.release("1.1.0")["web"].digest
    with dying_at(system, point):
        id = docks.promote("1.1.0", "prod")
    ended(docks, id)
    assert docks.happened("prod-1", "create") == docks.happened("prod-1", "start") == [old, new]
    assert docks.running("prod-1") == [new]
    tasks_are(docks, id, "succeeded")


def test_a_worker_killed_while_it_goes_back_goes_back_once(system: WholeSystem, docks: DockerShop) -> None:
    docks.document["environments"]["prod"]["strategy"] = SHORT
    docks.apply()
    [old], bad = docks.running("prod-1"), docks.release(BROKEN)["web"].digest
    with dying_at(system, "in_rollback"):
        id = docks.promote(BROKEN, "prod")
    ended(docks, id, "rolled_back", "unhealthy")
    assert docks.happened("prod-1", "create") == [old, bad]
    assert docks.happened("prod-1", "start") == [old, bad, old]
    assert docks.running("prod-1") == [old]
    assert [hold["deployment"] for hold in docks.place("prod")["holds"]] == [id]
