"""A whole system whose worker, API and Postgres read a wall clock that a test can set. Temporal and the targets keep the true one.

The clock is a small library that is preloaded (shifted_clock.c): Debian's libfaketime breaks the sleep of newer Pythons. What measures time
that passes (CLOCK_MONOTONIC) goes on as ever, as it does when a real clock is set.
"""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.whole import WholeSystem

SOURCE = Path(__file__).with_name("shifted_clock.c")


def compiler() -> str | None:
    """What makes the library, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


class Clock:
    """Lies in a folder; `jump` sets it."""

    def __init__(self, folder: Path) -> None:
        self._library, self._path = folder / "shifted_clock.so", folder / "clock"
        self._path.write_bytes(struct.pack("q", 0))
        command = [str(compiler()), "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE)]
        subprocess.run(command, check=True)

    def jump(self, seconds: int) -> None:
        """So far from the true time."""
        with self._path.open("r+b") as file:
            file.write(struct.pack("q", seconds))

    @property
    def settings(self) -> dict[str, str]:
        """For the environment of whom reads it."""
        return {"LD_PRELOAD": str(self._library), "SHIFTED_CLOCK": str(self._path)}


@contextmanager
def system_with_clock() -> Iterator[tuple[WholeSystem, Clock]]:
    """The whole system and its clock."""
    whole = WholeSystem()
    clock = Clock(whole.folder)
    whole.settings = clock.settings
    try:
        whole.start()
        yield whole, clock
    finally:
        whole.stop()
