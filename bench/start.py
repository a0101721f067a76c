"""Starting `fairlead dev`, from nothing and again, and what its processes take when nobody uses them."""

import asyncio
import json
import shutil
import signal
import tempfile
import time
from pathlib import Path

import httpx

from bench.figures import Section, median
from bench.rig import launch, memory
from workers.children import wait_until

COLD, WARM = 2, 3
IDLE_SECONDS = 3.0
PATIENCE_SECONDS = 90.0


async def measure() -> list[Section]:
    """Cold, warm, idle."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Section]:
    section = Section("`fairlead dev`")
    cold: list[float] = []
    warm: list[float] = []
    idle: dict[str, float] = {}
    for turn in range(COLD):
        scratch = Path(tempfile.mkdtemp(prefix="flb-"))
        try:
            cold.append(_run(scratch, None))
            if turn == COLD - 1:
                warm = [_run(scratch, idle if n == 0 else None) for n in range(WARM)]
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    section.add("start to ready, cold", median(cold), "s", note=f"no data folder; initdb, migrations; {COLD} times")
    section.add("start to ready, warm", median(warm), "s", note=f"{WARM} times")
    for name, megabytes in sorted(idle.items()):
        section.add(f"idle memory, {name}", megabytes, "MB", note="what processes share counted once")
    return [section]


def _run(scratch: Path, idle: dict[str, float] | None) -> float:
    """Start, wait until it is ready, look at it, stop it; the seconds until it was ready."""
    began = time.perf_counter()
    system = launch(scratch / "data", scratch / "log")
    try:
        if not wait_until(lambda: _ready(scratch / "data"), PATIENCE_SECONDS):
            raise RuntimeError((scratch / "log").read_text()[-2000:])
        took = time.perf_counter() - began
        if idle is not None:
            time.sleep(IDLE_SECONDS)
            idle.update(_memory(scratch / "data"))
    finally:
        system.send_signal(signal.SIGTERM)
        system.wait(60)
    return took


def _ready(data: Path) -> bool:
    try:
        url = json.loads((data / "processes.json").read_text())["api"]["url"]
        return httpx.get(f"{url}/readyz", timeout=2, trust_env=False).is_success
    except (OSError, httpx.HTTPError, ValueError, KeyError):
        return False


def _memory(data: Path) -> dict[str, float]:
    processes = json.loads((data / "processes.json").read_text())
    parent = processes.pop("dev")["pid"]
    found = {name: memory(int(process["pid"])) for name, process in processes.items()}
    # The parent's family holds all of the others that it started.
    return {**found, "fairlead dev itself": memory(parent) - sum(found.values())}
