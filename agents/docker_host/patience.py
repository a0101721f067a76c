"""Waiting for an engine that takes its time, while the worker goes on giving signs of life."""

import threading
from collections.abc import Callable
from typing import Any

from fairlead.ports import Beat


def patiently(work: Callable[[], Any], beat: Beat) -> Any:
    """Do something that blocks, beating all the while. What it raises is raised here; if the beat raises, the work is left alone."""
    outcome: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            failure.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    while worker.is_alive():
        beat()
        worker.join(0.5)
    if failure:
        raise failure[0]
    return outcome[0]
