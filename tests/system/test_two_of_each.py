"""Two API processes and two workers on one Postgres and one Temporal: still one thing at a time, and each once."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import MakeShop
from tests.system.shop import Shop
from tests.system.whole import Caller, WholeSystem, until

pytestmark = pytest.mark.process


class Second:
    """Another worker and another API, with the settings of the first."""

    def __init__(self, system: WholeSystem) -> None:
        self._environment = dict(
            entry.partition("=")[::2]
            for entry in Path(f"/proc/{system.pid('api')}/environ").read_text().split("\0")
            if "=" in entry
        )
        self._environment["FAIRLEAD_API_PORT"] = str(system.free_port())
        self._log = (system.folder / "second.log").open("wb")
        self.url = f"http://127.0.0.1:{self._environment['FAIRLEAD_API_PORT']}"
        self.api, self.worker = self._start("workers.api_server"), self._start("workers.worker")
        until(lambda: httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).is_success, "the second API", 120)

    def caller_like(self, caller: Caller) -> Caller:
        """The holder of the same key, at this API."""
        return Caller(self.url, caller.http.headers["authorization"].removeprefix("Bearer "))

    def stop(self) -> None:
        for process in (self.api, self.worker):
            process.terminate()
            process.wait(60)
        self._log.close()

    def _start(self, module: str) -> "subprocess.Popen[bytes]":
        bound = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        command = [*bound, sys.executable, "-P", "-m", module]
        return subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=self._log)


@pytest.fixture(scope="module")
def second(system: WholeSystem) -> Iterator[Second]:
    second = Second(system)
    yield second
    second.stop()


@pytest.fixture
def prod(make_shop: MakeShop) -> Shop:
    """Two targets, one after the other."""
    shop = make_shop()
    shop.environment("prod", targets=2)
    shop.apply()
    shop.release("1.0.0")
    return shop


def test_the_same_request_to_both_is_one(prod: Shop, second: Second) -> None:
    callers = [prod.ana, second.caller_like(prod.ana)]
    body = {"release": "1.0.0", "environment": "prod"}
    with ThreadPoolExecutor() as at_once:
        answers = list(
            at_once.map(lambda n: callers[n % 2].ask("POST", f"{prod.path}/promotions", body, key="once"), range(4))
        )
    assert len({answer.body["id"] for answer in answers}) == 1, answers
    assert prod.ends(answers[0].body["id"])["state"] == "succeeded"


def test_the_same_vote_to_both_is_one(make_shop: MakeShop, second: Second) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 2})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    callers = [shop.callers["ben"], second.caller_like(shop.callers["ben"])]
    envelope = shop.envelope("ben", id)
    with ThreadPoolExecutor() as at_once:
        answers = list(
            at_once.map(lambda n: callers[n % 2].ask("POST", f"/promotions/{id}/votes", envelope, key="mine"), range(4))
        )
    assert {answer.status for answer in answers} == {200}
    assert [vote["voter"] for vote in shop.view(id)["votes"]] == ["ben"]
    assert shop.vote("cho", id).status == 200
    assert shop.ends(id)["state"] == "succeeded"


def test_never_two_deployments_in_one_environment_though_both_workers_die(
    system: WholeSystem, prod: Shop, second: Second
) -> None:
    callers = [prod.ana, second.caller_like(prod.ana)]
    body = {"release": "1.0.0", "environment": "prod"}
    prod.gate("prod-1").touch()
    with ThreadPoolExecutor() as at_once:
        asked = list(at_once.map(lambda n: callers[n % 2].post(f"{prod.path}/promotions", body)["id"], range(6)))
    until(lambda: prod.starts("prod-1"), "the first to be deployed")
    killed = system.kill("worker")
    second.worker.kill()
    prod.gate("prod-1").unlink()
    assert [prod.ends(id)["state"] for id in asked] == ["succeeded"] * 6
    system.await_another("worker", killed)
    deployments = sorted((prod.view(id)["deployments"][0]["number"], id) for id in asked)
    assert [number for number, _ in deployments] == [1, 2, 3, 4, 5, 6]
    spans = [span(prod, id) for _, id in deployments]
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(spans)), spans
    assert [len(prod.starts(target)) for target in ("prod-1", "prod-2")] == [6, 6]  # each brought its own, once
    assert prod.why(asked[-1]) == {}
    until(lambda: prod.place("prod")["holder"] is None, "the lane to be free")


def span(shop: Shop, id: str) -> tuple[str, str]:
    """From when it deployed until it had ended."""
    times = {event["type"]: event["time"] for event in shop.events(id)}
    return times["deploying"], times["ended"]
