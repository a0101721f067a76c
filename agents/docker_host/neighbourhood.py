"""The machine that an engine is on, as far as it is asked: who listens on its ports, and what answers there."""

import errno
import socket
from typing import Protocol

from agents.probe import Dial, dial


class Neighbourhood(Protocol):
    """This machine, or one at the other end of a connection."""

    @property
    def dial(self) -> Dial:
        """Connect as from there."""

    def is_free(self, port: int) -> bool:
        """Whether nobody listens on a port there."""


class Here:
    """The engine is on this machine, so asking the kernel is asking the target."""

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
