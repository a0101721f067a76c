"""Watches a stack come up: every service has its own deadline, from the moment it was seen started."""

import time
from collections.abc import Callable

from agents.compose_host.health import ENDED, look
from agents.compose_host.locking import Lock
from agents.compose_host.project import Ours, called
from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from fairlead.domain.codes import Code
from fairlead.domain.compose.reading import LockedService
from fairlead.domain.errors import Refused
from fairlead.domain.fence import FenceLost
from fairlead.domain.health import Health

CRASH_LIMIT = 3
"""Restarts by the engine after which a container that never was healthy is taken for one that never will be."""
_PAUSE = 0.2
_SLACK = 120.0
_GONE = 2.0
"""How long something must have ended to be taken for ended: an engine that has just been started stops and starts what it finds."""


class Vigil:
    """`guard` is called before each look; it beats, and raises when the claim is lost."""

    def __init__(self, engine: Engine, ours: Ours, lock: Lock, deadline: float, guard: Callable[[], None]) -> None:
        self._engine, self._ours, self._lock, self._guard = engine, ours, lock, guard
        self._deadline = deadline
        self._first: dict[str, tuple[float, int]] = {}
        self._ended: dict[str, float] = {}
        self._health: dict[str, Health] = {}

    @property
    def limit(self) -> float:
        """How long all of it may take, one after the other, and some time for the engine."""
        return self._deadline * max(1, len(self._lock.services)) + _SLACK

    @staticmethod
    def is_well(box: Box) -> bool:
        """Whether a container is healthy now, by the check that it was started with."""
        return look(box, labels.health_in(box.labels))[0] == Health.HEALTHY

    def look(self, *, last: bool = False) -> None:
        """One look at everything that is not known to be well. Raises Refused (start_failed, one_shot_failed, unhealthy).

        `last`: nothing will be started any more, so what has ended has.
        """
        self._guard()
        boxes = {called(box): box for box in self._ours.boxes()}
        for service in self._lock.services:
            if self._health.get(service.called) != Health.HEALTHY:
                self._judge(service, boxes.get(service.called), last=last)

    def stay(self) -> None:
        """Return when all is well. Raises as `look` does."""
        until = time.monotonic() + self.limit
        self.look()
        while not self._all_well():
            if time.monotonic() > until:
                waiting = [s.called for s in self._lock.services if self._health.get(s.called) != Health.HEALTHY]
                raise self._refusal(Code.START_FAILED, waiting[0], f"{waiting[0]} was never started")
            time.sleep(_PAUSE)
            self.look()

    def outcome(self) -> dict[str, Health]:
        """How all is when it is well, or when that cannot be hoped for any more."""
        try:
            self.stay()
        except FenceLost:
            raise
        except Refused:
            pass
        return dict(self._health)

    def _all_well(self) -> bool:
        return all(self._health.get(service.called) == Health.HEALTHY for service in self._lock.services)

    def _judge(self, service: LockedService, box: Box | None, *, last: bool) -> None:
        if box is None:
            raise self._refusal(Code.START_FAILED, service.called, f"{service.called} is not there any more")
        health, words = look(box, labels.health_in(box.labels))
        self._health[service.called] = health
        if box.status == "created" or health == Health.HEALTHY:
            return
        if box.status in ENDED and not (last or self._is_gone(box)):
            return
        began, restarts = self._first.setdefault(service.called, (time.monotonic(), box.restarts if box.running else 0))
        if service.one_shot and box.status in ENDED:
            raise self._refusal(Code.ONE_SHOT_FAILED, service.called, f"{service.called} failed: {words}")
        if box.status in ENDED or box.restarts - restarts >= CRASH_LIMIT:
            raise self._refusal(Code.START_FAILED, service.called, f"{service.called} does not stay up: {words}")
        if time.monotonic() - began >= self._deadline:
            late = f"{service.called} was not healthy within {self._deadline:g} s: {words}"
            raise self._refusal(Code.UNHEALTHY, service.called, late)

    def _is_gone(self, box: Box) -> bool:
        return time.monotonic() - self._ended.setdefault(f"{box.id} {box.started}", time.monotonic()) >= _GONE

    def _refusal(self, code: Code, component: str, detail: str) -> Refused:
        return Refused(code, detail, fields={"component": component})
