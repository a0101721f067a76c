"""Real fail points: a process that reaches one kills itself, as a power cut would, if a file of that name says so."""

import os
import signal
from pathlib import Path

from fairlead.ports import FailPoints, NoFailPoints


class FileFailPoints:
    """A file in the folder arms the fail point of its name, once: it is removed before the process dies. It may name another signal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def reach(self, name: str) -> None:
        """Send this process the signal, SIGKILL unless the file says otherwise, if the fail point is armed."""
        armed = self._folder / name
        try:
            number = signal.Signals[armed.read_text().strip() or "SIGKILL"]
            armed.unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), number)


def fail_points(folder: Path | None) -> FailPoints:
    """None armed, ever, where no folder is named."""
    return FileFailPoints(folder) if folder else NoFailPoints()
