"""Lets an application reach its tree where a folder above it is closed to its user, without changing that folder's mode for anybody.

In a mount namespace of its own the application sees, in place of the closed folder (which it could not look into anyway), one that holds
nothing but its tree and its home. Takes the right to mount (CAP_SYS_ADMIN), so it is for hosts run by root.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CAP_SYS_ADMIN: Final = 21
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def open_way(closed: str, keep: Iterable[str]) -> None:
    """For this process only: replace a closed folder by one with just these folders in it. Raises OSError."""
    os.umask(0o022)
    _check(_libc.unshare(CLONE_NEWNS), f"cannot open a way through {closed}, which is closed to the application's user")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    kept = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for folder in keep}
    _mount("tmpfs", closed, "tmpfs", 0, "mode=755,size=64k")
    for folder, fd in kept.items():
        os.makedirs(folder)
        _mount(f"/proc/self/fd/{fd}", folder, None, MS_BIND)


def may_mount() -> bool:
    """Whether we have that right."""
    status = Path("/proc/self/status").read_text()
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(effective >> CAP_SYS_ADMIN & 1)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [text.encode() if text else None for text in (source, target, kind, options)]
    _check(_libc.mount(*encoded[:3], flags, encoded[3]), f"cannot mount on {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
