"""Somebody stops what runs on a real target: it is seen, told, sealed, and put right by a promotion that a verifier believes."""

import json
import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.system.shop import SELDOM, Shop
from tests.system.whole import until

pytestmark = pytest.mark.process


def stop_by_hand(shop: Shop) -> None:
    """The application on dev-1 stands still, which its supervisor does not see: `kill -STOP`."""
    [pidfile] = shop.host.glob("*dev-1/supervisor.json")
    supervisor = psutil.Process(json.loads(pidfile.read_text())["pid"])
    for process in supervisor.children(recursive=True):
        os.kill(process.pid, signal.SIGSTOP)


@pytest.fixture
def watched(shop: Shop) -> Iterator[Shop]:
    """Its environment is looked at each second, as long as the test runs."""
    dev = shop.document["environments"]["dev"]
    dev["drift"] = {"policy": "reconverge", "every": "1s"}
    shop.document["components"]["web"]["stop_grace"] = "1s"
    shop.apply()
    yield shop
    dev["drift"] = dict(SELDOM)
    shop.apply()


def test_what_was_stopped_on_a_target_is_seen_and_comes_back(watched: Shop) -> None:
    shop = watched
    shop.release("1.1.0")
    shop.succeed("1.1.0", "dev")
    assert shop.answers("dev-1") == "web 1.1.0"
    stop_by_hand(shop)
    asked = until(
        lambda: next((p for p in shop.list_promotions() if p["requester"] == "fairlead"), None), "a re-convergence"
    )
    assert (asked["release"], shop.ends(asked["id"])["state"]) == ("1.1.0", "succeeded")
    assert shop.answers("dev-1") == "web 1.1.0"
    path = f"{shop.path}/environments/dev"
    told = until(
        lambda: [e for e in shop.ana.get(f"{path}/events")["items"] if e["type"] == "drift_ended"], "drift to be over"
    )
    assert told[0]["data"]["target"] == "dev-1"
    [found] = [e for e in shop.ana.get(f"{path}/events")["items"] if e["type"] == "drift_found"]
    assert [difference["kind"] for difference in found["data"]["differences"]] == ["unhealthy"]
    assert shop.ana.get(f"{path}/observations")["items"][0]["drift"] == []
