"""The way to Docker engines of every kind: those behind SSH over a connection of ours, all others as docker_host reaches them."""

from collections.abc import Iterator
from contextlib import contextmanager

from agents.docker_host.engine import Engine
from agents.docker_host.labels import Address
from agents.docker_host.reaching import reach
from agents.ssh_host.engine import engine_behind
from agents.ssh_host.lines import Lines
from agents.ssh_host.options import read_options
from fairlead.domain.target_kinds.docker_host import SSH
from fairlead.ports import Secrets


class Engines:
    """Whom DockerHost asks (reaching.Opening). `secrets` holds what we log in with."""

    def __init__(self, secrets: Secrets) -> None:
        self._lines = Lines(secrets)

    @contextmanager
    def __call__(self, address: Address) -> Iterator[Engine]:
        """The engine of an address."""
        if not address.endpoint.startswith("ssh://"):
            with reach(address) as engine:
                yield engine
            return
        options = read_options(address.options.get(SSH, {}))
        with self._lines.to(address.endpoint, options) as connection, engine_behind(connection) as engine:
            yield engine
