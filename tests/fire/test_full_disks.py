"""A disk that becomes full in mid-deployment: it is told with a stable code, and when there is room again all ends once, as it should."""

import json
import os
import secrets
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.fire.disks import Disk, full, system_on_disks
from tests.fire.judging import PATIENT, ended, started_once, tasks_are
from tests.fixtures.docker import need
from tests.system.conftest import making_shops
from tests.system.shop import Shop
from tests.system.whole import Answer, WholeSystem, until
from workers.demo.reports import trivy

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def small() -> Iterator[WholeSystem]:
    """The system on small disks."""
    may_mount = os.geteuid() == 0 and shutil.which("unshare")
    need(None if may_mount else "only root can mount small disks; run as root")
    with system_on_disks() as system:
        yield system


@pytest.fixture
def prod(small: WholeSystem) -> Iterator[Shop]:
    """One target, where 1.0.0 was verified; 1.1.0 is there to follow."""
    with making_shops(small) as make:
        shop = make()
        shop.environment("prod", strategy=PATIENT)
        shop.apply()
        shop.release("1.0.0")
        shop.succeed("1.0.0", "prod")
        shop.release("1.1.0")
        yield shop


def begin(shop: Shop) -> str:
    """A promotion of 1.1.0 that has started it, and waits until it serves."""
    started = len(shop.starts("prod-1"))
    shop.gate("prod-1").touch()
    id = shop.promote("1.1.0", "prod")
    until(lambda: len(shop.starts("prod-1")) > started, "prod-1 to be started")
    return id


def digest(shop: Shop, version: str) -> str:
    """Of the image of a release."""
    made: str = shop.ana.get(f"{shop.path}/releases/{version}")["manifest"]["components"]["web"]["digest"]
    return made


def import_report(shop: Shop, version: str) -> Answer:
    """One so large that the database needs room for it."""
    about = digest(shop, version)
    report = trivy("web", about, None) | {"Filler": secrets.token_hex(200_000)}
    return shop.ana.ask("POST", f"{shop.path}/reports", json.dumps(report).encode(), digest=about)


def ends_well(shop: Shop, id: str) -> None:
    ended(shop, id)
    started_once(shop, "prod-1", *(digest(shop, version) for version in ("1.0.0", "1.1.0")))
    assert shop.answers("prod-1") == "web 1.1.0"
    tasks_are(shop, id, "succeeded")


def test_under_a_process_host(small: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    with full(Disk(small, "hosts")):
        prod.gate("prod-1").unlink()
        blocker = prod.is_blocked_by(id, "target_full")
        assert (blocker["rule"], blocker["details"]["step"]) == ("retry", "apply")
    ends_well(prod, id)


def test_an_application_that_ends_while_its_hosts_disk_is_full_comes_back_when_there_is_room(
    small: WholeSystem, prod: Shop
) -> None:
    with full(Disk(small, "hosts")):
        os.kill(int(prod.starts("prod-1")[-1]["process"].partition("@")[0]), signal.SIGKILL)
        until(lambda: not prod.answers("prod-1"), "it to end")
    until(lambda: prod.answers("prod-1") == "web 1.0.0", "it to come back")


def test_under_postgres_which_dies_too(small: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    with full(Disk(small, "postgres")):
        assert import_report(prod, "1.1.0").says == (503, "database_unavailable")
        killed = small.kill("postgres")
        until(lambda: prod.ana.ask("GET", prod.path).says == (503, "database_unavailable"), "the API to say so")
        prod.gate("prod-1").unlink()
    small.await_another("postgres", killed)
    ends_well(prod, id)


def test_under_temporal(small: WholeSystem, prod: Shop) -> None:
    id = begin(prod)
    with full(Disk(small, "temporal")):
        prod.is_blocked_by(id, "temporal_unavailable")
        prod.gate("prod-1").unlink()
    ends_well(prod, id)
