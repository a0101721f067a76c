"""Waits until what was started is well, or has ended well; says why when it is not."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.health import look
from agents.docker_host.placement import Seat, limit_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.health import Health

CRASH_LIMIT = 3
"""Restarts by the engine after which a container that never was healthy is taken for one that never will be."""
PAUSE = 0.2


def await_health(engine: Engine, seat: Seat, box: Box, deadline: float, guard: Callable[[], None]) -> None:
    """Return when it is healthy. Raises Refused: start_failed when it keeps ending, unhealthy when the time is up."""
    name, check = seat.component.name, seat.component.config.health
    until = time.monotonic() + deadline
    restarts = box.restarts if box.running else 0
    while True:
        guard()
        box = engine.inspect(box.id)
        health, words = look(box, check, engine.probe)
        if health == Health.HEALTHY:
            return
        if box.status in {"exited", "dead"} or box.restarts - restarts >= CRASH_LIMIT:
            raise _refusal(Code.START_FAILED, seat, f"{name} does not stay up: {words}")
        if time.monotonic() >= until:
            raise _refusal(Code.UNHEALTHY, seat, f"{name} was not healthy within {deadline:g} s: {words}")
        time.sleep(PAUSE)


def await_end(engine: Engine, seat: Seat, box: Box, deadline: float, guard: Callable[[], None]) -> None:
    """Return when what runs once has ended well. Raises Refused (one_shot_failed) when it has not, or not in time."""
    name, limit = seat.component.name, limit_of(seat.block, deadline)
    until = time.monotonic() + limit
    while True:
        guard()
        box = engine.inspect(box.id)
        health, words = look(box, None)
        if health == Health.HEALTHY:
            return
        if not box.running:
            raise _refusal(Code.ONE_SHOT_FAILED, seat, f"{name}: {words}")
        if time.monotonic() >= until:
            raise _refusal(Code.ONE_SHOT_FAILED, seat, f"{name} did not end within {limit:g} s")
        time.sleep(PAUSE)


def last_words(engine: Engine, box: Box, most: float, guard: Callable[[], None]) -> str:
    """What it printed last. One that keeps ending ends once more, in at most so many seconds: then all of that is there."""
    engine.start_no_more(box.id)
    until = time.monotonic() + most
    while engine.inspect(box.id).running and time.monotonic() < until:
        guard()
        time.sleep(PAUSE)
    return engine.last_words(box.id)


@contextmanager
def named(seat: Seat) -> Iterator[None]:
    """What the engine will not make or start is told by its component: there are others."""
    try:
        yield
    except Refused as refusal:
        if refusal.code != Code.START_FAILED or "component" in refusal.fields:
            raise
        raise _refusal(Code.START_FAILED, seat, f"{seat.component.name}: {refusal.detail}") from refusal


def _refusal(code: Code, seat: Seat, detail: str) -> Refused:
    return Refused(code, detail, fields={"component": seat.component.name})
