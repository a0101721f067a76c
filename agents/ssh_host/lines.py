"""Connections to SSH hosts for as long as one call takes, and no more of them at a time than a host takes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from agents.ssh_host.connection import Connection, Limits, connect
from agents.ssh_host.options import Options, read_endpoint
from fairlead.ports import Secrets

PATIENCE: Final = 120.0


class Lines:
    """`secrets` holds what we log in with."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets, self._limits = secrets, Limits()

    @contextmanager
    def to(self, endpoint: str, options: Options) -> Iterator[Connection]:
        """A connection of one's own. Raises Unavailable (ssh_busy, target_unreachable) and Refused."""
        with ExitStack() as held:
            held.enter_context(self._limits.taking(read_endpoint(endpoint), options.sessions, PATIENCE))
            yield held.enter_context(connect(endpoint, options, self._secrets))
