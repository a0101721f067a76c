"""What a host tells of itself: its system, its clock, room and rights where our things lie. Standard library only."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Fitness = Mapping[str, Any]
"""`version`, `time` (seconds since 1970), `folder`, `free`, `writable`, `capabilities`: plain data."""


def fitness_of(folder: Path) -> Fitness:
    """Of this machine, for a folder that may not be there yet."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return {
        "version": f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        "time": time.time(),
        "folder": str(nearest),
        "free": shutil.disk_usage(nearest).free,
        "writable": os.access(nearest, os.W_OK | os.X_OK),
        "capabilities": ["processes"] + [word for word, has in (("other users", os.geteuid() == 0),) if has],
    }
