"""Running the same thing in several threads, each in its own transaction, as nearly at once as can be."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlmodel import Session

from fairlead.store.database import Database

R = TypeVar("R")


def together(database: Database, action: Callable[[Session, int], R], threads: int = 2, rounds: int = 10) -> list[R]:
    """What `action(session, n)` answered, for n from 0; all threads begin each round at a barrier."""
    barrier = threading.Barrier(threads)

    def run(thread: int) -> list[R]:
        answers = []
        for each in range(rounds):
            barrier.wait(timeout=30)
            with database.session() as s:
                answers.append(action(s, each * threads + thread))
        return answers

    with ThreadPoolExecutor(threads) as pool:
        return [answer for answers in pool.map(run, range(threads)) for answer in answers]
