"""Children are started again when they die, slower each time, and are gone when they should be."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from workers.children import Child, end_leftover, wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child("sleeper", SLEEP, os.environ)
    made.start()
    yield made
    made.stop(1)


def test_one_that_was_killed_is_started_again_as_another_process(child: Child) -> None:
    before = child.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert wait_until(child.tend, 10)
    assert child.pid not in {None, before}


def test_one_that_runs_is_left_alone(child: Child) -> None:
    before = child.pid
    assert not child.tend()
    assert child.pid == before


def test_its_group_is_its_own(child: Child) -> None:
    assert child.pid is not None
    assert os.getpgid(child.pid) == child.pid


def test_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    dying = Child("dying", [sys.executable, "-c", ""], os.environ)
    clock = [0.0]
    monkeypatch.setattr("workers.children.time.monotonic", lambda: clock[0])
    dying.start()
    starts = []
    while len(starts) < 4:
        assert dying._process is not None
        dying._process.wait()
        clock[0] += 0.1
        if dying.tend():
            starts.append(clock[0])
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 2 * pauses[0]


def test_stopping_waits_until_it_is_gone(child: Child) -> None:
    pid = child.pid
    child.stop(10)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert child.identity == {"pid": None}


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = Child("deaf", DEAF, os.environ, log=tmp_path / "log")
    deaf.start()
    assert wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), 10)
    deaf.stop(0.1)
    assert deaf.pid is None


def test_a_leftover_is_ended_but_never_another_process_with_its_number() -> None:
    process = subprocess.Popen(SLEEP)
    started = psutil.Process(process.pid).create_time()
    end_leftover({"pid": process.pid, "started": started - 5})
    assert process.poll() is None
    end_leftover({"pid": process.pid, "started": started})
    assert wait_until(lambda: process.poll() is not None, 10)
    end_leftover({"pid": process.pid, "started": started})
