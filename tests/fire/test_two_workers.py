"""Two real workers: the older is stopped while it changes a target, for longer than its heartbeat may fail, and woken when all is done."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairlead.domain.fence import Claim
from tests.fire.judging import PATIENT, ended, started_once, tasks_are
from tests.system.conftest import MakeShop
from tests.system.shop import Shop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process


@contextmanager
def second_worker(system: WholeSystem) -> Iterator[None]:
    """Another worker, with the settings of the first."""
    settings = Path(f"/proc/{system.pid('worker')}/environ").read_bytes().split(b"\0")
    environment = dict(setting.split(b"=", 1) for setting in settings if setting)
    bound = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    worker = subprocess.Popen([*bound, sys.executable, "-P", "-m", "workers.worker"], env=environment)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that is stopped, and woken at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def claims(shop: Shop) -> list[Claim]:
    """What lies on prod-1, the lowest first."""
    return sorted(Claim.parse(name) for name in os.listdir(shop.host / f"{shop.name}-prod-prod-1" / "claims"))


def test_the_newer_one_goes_on_and_the_older_one_changes_nothing(system: WholeSystem, make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", strategy=PATIENT)
    shop.apply()
    old = shop.release("1.0.0")["web"].digest
    shop.succeed("1.0.0", "prod")
    new, newest = (shop.release(version)["web"].digest for version in ("1.1.0", "1.2.0"))
    shop.gate("prod-1").touch()
    id = shop.promote("1.1.0", "prod")
    until(lambda: shop.starts("prod-1", new), "prod-1 to be started")
    with second_worker(system):
        with stopped(system.pid("worker")):
            until(lambda: Claim(2, 2) in claims(shop), "the second to claim the target")
            shop.gate("prod-1").unlink()
            ended(shop, id)
            before = claims(shop)
        started_once(shop, "prod-1", old, new)
        tasks_are(shop, id, "succeeded")
    # Only the older one is left now: it is well, and has not forgotten whose turn it was.
    shop.succeed("1.2.0", "prod")
    started_once(shop, "prod-1", old, new, newest)
    assert claims(shop) == [*before, Claim(3, 1)]
    assert shop.answers("prod-1") == "web 1.2.0"
