"""A whole system with small disks of their own under Postgres, Temporal and the process hosts; they go when it goes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.whole import WholeSystem
from workers.demo.targets import end_processes

SIZES = {"postgres": "256m", "temporal": "96m", "hosts": "64m"}
BUSY = {"FAIRLEAD_RECONCILE_EVERY": "1"}
"""Seconds. So that Temporal has more to write than its log has room for from before."""
_MODES = {"postgres": "700", "temporal": "700", "hosts": "755"}
_MOUNT = """\
for disk in "$@"; do
    shift
    [ "$disk" = -- ] && exec "$@"
    mkdir -p "${disk#*:}"
    mount -t tmpfs -o "${disk%%:*}" disk "${disk#*:}" || exit 1
done
"""


class Disk:
    """One of them, seen from outside of the system's mount namespace."""

    def __init__(self, system: WholeSystem, name: str) -> None:
        self.path = seen(system, system.data / name)
        self._ballast = self.path / "ballast"

    def fill(self) -> None:
        """To the last byte."""
        with open(self._ballast, "ab", buffering=0) as file:
            for piece in (1 << 20, 1 << 12, 1):
                _write_all(file.fileno(), b"0" * piece)

    def free(self) -> None:
        """As before."""
        self._ballast.unlink()


@contextmanager
def full(disk: Disk) -> Iterator[None]:
    """A disk that is full for a while."""
    disk.fill()
    try:
        yield
    finally:
        disk.free()


def seen(system: WholeSystem, path: Path) -> Path:
    """A path as the system itself sees it."""
    return Path(f"/proc/{system.main_pid}/root{path}")


@contextmanager
def system_on_disks() -> Iterator[WholeSystem]:
    """The whole system in a mount namespace of its own."""
    whole = WholeSystem(settings=BUSY)
    disks = [f"size={size},mode={_MODES[name]}:{whole.data / name}" for name, size in SIZES.items()]
    whole.prefix = ["unshare", "--mount", "sh", "-c", _MOUNT, "disks", *disks, "--"]
    try:
        whole.start()
        whole.hosts = seen(whole, whole.hosts)
        yield whole
        end_processes(whole.hosts)
    finally:
        whole.stop()


def _write_all(fd: int, piece: bytes) -> None:
    try:
        while os.write(fd, piece) == len(piece):
            pass
    except OSError:
        return
