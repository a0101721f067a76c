"""`make bench`: measure everything, print the tables and keep build/bench.json."""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from bench import engines, gates, load, noop, start, targets, waves
from bench.figures import Section, save, show
from bench.rig import Rig, running

RESULT = Path("build/bench.json")
PARTS: dict[str, Callable[[Rig], Awaitable[list[Section]]]] = {
    "noop": noop.measure,
    "gates": gates.measure,
    "engines": engines.measure,
    "load": load.measure,
    "targets": targets.measure,
    "waves": waves.measure,
}


async def measure(wanted: list[str]) -> list[Section]:
    """The parts that are asked for; without any, all."""
    sections: list[Section] = []
    if not wanted or "start" in wanted:
        sections += shown(await start.measure())
    chosen = {name: part for name, part in PARTS.items() if not wanted or name in wanted}
    if chosen:
        async with running() as rig:
            for part in chosen.values():
                sections += shown(await part(rig))
    return sections


def shown(sections: list[Section]) -> list[Section]:
    """Print what is known already: the next part takes a while."""
    show(sections)
    return sections


def machine() -> dict[str, float | str]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def main() -> None:
    """Measure what the arguments name."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    about = machine()
    print(f"{about['cores']} cores, {about['memory_gib']} GiB, load before {about['load_before']}", flush=True)
    sections = asyncio.run(measure(sys.argv[1:]))
    save(sections, about, RESULT)


if __name__ == "__main__":
    main()
