"""The worker of the whole system, made to kill itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.system.whole import WholeSystem, until


@contextmanager
def dying_at(system: WholeSystem, point: str) -> Iterator[None]:
    """What is done here takes the worker to the fail point, where it kills itself; another takes its place."""
    killed, armed = system.pid("worker"), system.arm(point)
    yield
    until(lambda: not armed.exists(), f"{point} to be reached")
    system.await_another("worker", killed)
