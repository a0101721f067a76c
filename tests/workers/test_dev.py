"""`fairlead dev`: one process in the foreground, whose children come back when they are killed and go when it goes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from temporalio.client import Client

from fairlead.contracts import names
from workers.children import wait_until

START = "from pathlib import Path; import sys; from workers.dev import Ports, run; "
START += "run(Path(sys.argv[1]), Ports.choose(0, 0, 0), lambda line: print(line, flush=True))"


class Dev:
    """A running `fairlead dev` on a folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        with self.log.open("ab") as log:
            command = [sys.executable, "-c", START, str(data)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    @property
    def state(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads((self.data / "processes.json").read_text())
        except FileNotFoundError:
            return {}
        return known

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return bool(self.state) and self.answers()

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.state['api']['url']}/readyz", timeout=2, trust_env=False).is_success
        except (httpx.HTTPError, KeyError):
            return False

    def pid(self, name: str) -> int:
        return int(self.state[name]["pid"])

    def await_ready(self) -> "Dev":
        assert wait_until(self.ready, 90), self.log.read_text()
        return self

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


def gone(pids: list[int]) -> bool:
    """Whether all have ended; who adopted an orphan may take a moment to bury it."""
    return wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids), 10)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    started = Dev(tmp_path_factory.mktemp("dev") / "system")
    try:
        yield started.await_ready()
    finally:
        started.stop()


def test_it_tells_where_everything_is_and_the_first_key_once(dev: Dev) -> None:
    said = dev.log.read_text()
    key = (dev.data / "admin.key").read_text().strip()
    assert said.count(key) == 1
    assert dev.state["api"]["url"] in said
    assert dev.state["temporal"]["ui"] in said
    assert (dev.data / "admin.key").stat().st_mode & 0o777 == 0o600


def test_the_first_key_is_an_admins(dev: Dev) -> None:
    key = (dev.data / "admin.key").read_text().strip()
    url = f"{dev.state['api']['url']}/api/v1/projects/shop/keys"
    answer = httpx.get(url, headers={"authorization": f"Bearer {key}"}, trust_env=False)
    assert answer.status_code != 401
    assert httpx.get(url, headers={"authorization": "Bearer wrong"}, trust_env=False).status_code == 401


def test_temporals_web_ui_answers(dev: Dev) -> None:
    assert httpx.get(dev.state["temporal"]["ui"], timeout=10, trust_env=False, follow_redirects=True).is_success


def test_a_second_one_on_the_same_folder_is_refused(dev: Dev) -> None:
    second = Dev(dev.data)
    assert second.process.wait(60) != 0
    assert dev.answers()


@pytest.mark.parametrize("name", ["worker", "api"])
def test_a_killed_child_comes_back(dev: Dev, name: str) -> None:
    before = dev.pid(name)
    os.killpg(os.getpgid(before), signal.SIGKILL)
    assert wait_until(lambda: dev.pid(name) != before and dev.answers(), 60), dev.log.read_text()


async def test_the_sweep_is_scheduled(dev: Dev) -> None:
    client = await Client.connect(dev.state["temporal"]["address"])
    schedule = client.get_schedule_handle(names.RECONCILE_SCHEDULE)
    async with asyncio.timeout(60):
        while not (await schedule.describe()).info.num_actions:
            await asyncio.sleep(0.1)


def test_stopping_leaves_nothing_behind_and_starting_again_takes_over_after_a_kill(tmp_path: Path) -> None:
    first = Dev(tmp_path / "system").await_ready()
    pids = [first.pid(name) for name in ("worker", "api", "temporal", "postgres")]
    key = (first.data / "admin.key").read_text()
    first.process.kill()
    first.process.wait()
    second = Dev(first.data)
    try:
        assert wait_until(lambda: second.state.get("dev", {}).get("pid") == second.process.pid, 90)
        second.await_ready()
        assert (second.data / "admin.key").read_text() == key
        assert gone(pids[:3])
        pids = [second.pid(name) for name in ("worker", "api", "temporal", "postgres")]
    finally:
        assert second.stop() == 0
    assert gone(pids)
    assert not (second.data / "processes.json").exists()
