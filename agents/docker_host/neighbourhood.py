"""The machine that an engine is on, as far as it is asked: who listens on its ports, and what answers there."""

import errno
import shutil
import socket
from pathlib import Path
from typing import Final, Protocol

from agents.probe import Dial, dial

LOOPBACK: Final = "127.0.0.1"
_PATIENCE: Final = 2.0


class Neighbourhood(Protocol):
    """This machine, or one at the other end of a connection."""

    @property
    def sees_inside(self) -> bool:
        """Whether the addresses that containers have of their own can be connected to."""

    @property
    def dial(self) -> Dial:
        """Connect as from there."""

    def is_free(self, port: int) -> bool:
        """Whether nobody listens on a port there."""

    def room(self, folder: str) -> int | None:
        """Bytes that are free where a folder lies; None where nobody can be asked."""


class Afar:
    """The engine is on another machine, and all we have is its name: what it publishes is all that can be reached."""

    sees_inside = False

    def __init__(self, name: str) -> None:
        self._name = name

    def dial(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect to it there, where `host` means that machine itself."""
        return dial(self._name if host == LOOPBACK else host, port, timeout)

    def is_free(self, port: int) -> bool:
        """Whether nobody answers."""
        try:
            with dial(self._name, port, _PATIENCE):
                return False
        except OSError:
            return True

    def room(self, folder: str) -> int | None:
        """It does not tell."""
        return None


class Here:
    """The engine is on this machine, so asking the kernel is asking the target."""

    sees_inside = True
    dial = staticmethod(dial)

    def is_free(self, port: int) -> bool:
        """Whether the kernel would let us listen."""
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("", port))
            except OSError as error:
                return error.errno != errno.EADDRINUSE
        return True

    def room(self, folder: str) -> int | None:
        """By the kernel's word; a worker in a container of its own may not see the folder."""
        return shutil.disk_usage(folder).free if Path(folder).exists() else None
