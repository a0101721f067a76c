"""Two workers' hands on one target: the older is stopped somewhere with SIGSTOP, the newer does its work, the older is woken."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.contracts.target import TargetSpec
from tests.targets.bench import Bench, eventually

PLACES = ("after_claim", "after_stop_old", "after_create")
MOMENT = "some moment"
SECONDS = 300.0
PATIENT = 120.0
"""Seconds that a target has to become healthy: a crowded machine is no reason to put it back."""
_VERSIONS = 4


class Racer:
    """A process that applies what it is told (tests.fire.racer). It ends with the tests."""

    def __init__(self, harness: Any, points: Path) -> None:
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        folders = [str(getattr(harness, name, points)) for name in ("hosts", "layouts")]
        command = [*bound, sys.executable, "-m", "tests.fire.racer", harness.type, *folders, str(points)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._points = points

    def begin(self, claim: str, spec: TargetSpec) -> None:
        """Let it apply."""
        order = json.dumps([claim, spec.model_dump(mode="json")])
        self._process.stdin.write(order.encode() + b"\n")
        self._process.stdin.flush()

    def stop_at(self, place: str) -> None:
        """It stops when it reaches this fail point next."""
        (self._points / place).write_text("SIGSTOP")

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)
        assert eventually(self.is_stopped)

    def is_stopped(self) -> bool:
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def await_stop(self) -> None:
        assert eventually(self.is_stopped, SECONDS), "it never reached its fail point"

    def wake(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def said(self) -> str:
        """What came of its order."""
        readable, _, _ = select.select([self._process.stdout], [], [], SECONDS)
        assert readable, "it never answered"
        return self._process.stdout.readline().decode().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Lap:
    """Where the older is stopped, at which part of its work if at some moment, and whether it is a lower attempt of the same number."""

    place: str
    moment: float
    same_number: bool
    woken_early: bool


def laps(count: int) -> list[Lap]:
    """Every place with either kind of claim, and moments spread evenly over the older one's work."""
    places = (*PLACES, MOMENT)
    return [
        Lap(
            place=places[i % len(places)],
            moment=(i + 0.5) / count,
            same_number=i // len(places) % 2 == 1,
            woken_early=i // (2 * len(places)) % 2 == 1,
        )
        for i in range(count)
    ]


@dataclass
class Race:
    """Laps on one target. `took`: how long an undisturbed apply took."""

    bench: Bench
    older: Racer
    newer: Racer
    took: float = 1.0
    number: int = 1
    version: int = 0
    heard: list[tuple[Lap, str]] = field(default_factory=list)

    def warm_up(self) -> None:
        """Bring every version there once, by both."""
        for racer in (self.older, self.newer) * (_VERSIONS // 2):
            spec = self._next()
            self.number += 1
            began = time.monotonic()
            self.bench.harness.executor().prepare(spec, lambda: None)
            racer.begin(f"{self.number}.1", spec)
            said = racer.said()
            assert said == "applied", said
            self.took = time.monotonic() - began

    def run(self, lap: Lap) -> None:
        """One lap; the target must end on the newer claim, running just what that asks."""
        self.number += 1
        mine = self._next()
        theirs = mine if lap.same_number else self._next()
        claim = f"{self.number}.2" if lap.same_number else f"{self.number + 1}.1"
        self._stop_older(lap, f"{self.number}.1", mine)
        self.number += not lap.same_number
        self.newer.begin(claim, theirs)
        if lap.woken_early:
            time.sleep(lap.moment * self.took)  # not a wait for anything: it is where this lap differs from the others
            self.older.wake()
        said = self.newer.said()
        assert said == "applied", (lap, said)
        before = self.bench.see()
        self.older.wake()
        self.heard.append((lap, self.older.said()))
        self._is_on(claim, theirs, before, lap)

    def _stop_older(self, lap: Lap, claim: str, spec: TargetSpec) -> None:
        if lap.place == MOMENT:
            self.older.begin(claim, spec)
            time.sleep(lap.moment * self.took)  # the same
            self.older.stop()
        else:
            self.older.stop_at(lap.place)
            self.older.begin(claim, spec)
            self.older.await_stop()

    def _is_on(self, claim: str, spec: TargetSpec, before: object, lap: Lap) -> None:
        observed = self.bench.harness.executor().observe(self.bench.address)
        assert observed.fence == claim, (lap, observed)
        assert self.bench.runs(spec), (lap, observed)
        assert lap.woken_early or self.bench.see() == before, lap
        [component] = observed.components
        assert component.restarts == 0, (lap, observed)

    def _next(self) -> TargetSpec:
        self.version = (self.version + 1) % _VERSIONS
        return self.bench.of(f"{self.version}.0.0", {"VERSION": str(self.version)}, deadline=PATIENT)


@contextmanager
def race(harness: Any) -> Iterator[Race]:
    """A target and two workers."""
    bench = Bench(harness)
    points = Path(tempfile.mkdtemp(prefix="fl-points-"))
    older, newer = Racer(harness, points), Racer(harness, points)
    try:
        running = Race(bench, older, newer)
        running.warm_up()
        yield running
    finally:
        older.close()
        newer.close()
        bench.close()
        shutil.rmtree(points)
