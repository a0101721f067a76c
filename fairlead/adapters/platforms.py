"""What images call the machine that we run on. Standard library only: it is also asked of hosts that have nothing of ours."""

from __future__ import annotations

import platform
from typing import Final

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm/v7", "armv6l": "arm/v6", "i686": "386"}


def host_platform() -> str:
    """This machine, as images name it."""
    return platform_of(platform.system(), platform.machine())


def platform_of(system: str, machine: str) -> str:
    """A machine by what its kernel says of it, as images name it."""
    return f"{system.lower()}/{_MACHINES.get(machine.lower(), machine.lower())}"
