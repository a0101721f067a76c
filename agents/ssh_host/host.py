"""The executor of SSH hosts (ports.Executor): supervised processes, or containers, on a machine that is reached over SSH.

One connection carries all of one call. What runs there is the process host's own program, or the Docker host's own code here.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from agents.docker_host import DockerHost
from agents.docker_host.engine import Engine
from agents.process_host.executor import Address, PlacedExecutor
from agents.process_host.place import Place
from agents.ssh_host.engine import engine_behind
from agents.ssh_host.lines import Lines
from agents.ssh_host.options import read_options
from agents.ssh_host.remote import Remote
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import SentFile, Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim
from fairlead.domain.fitness import TargetFacts
from fairlead.domain.target_kinds.ssh_host import DOCKER
from fairlead.ports import Beat, Executor, FailPoints, NoSecrets, Secrets


class SshHost:
    """`secrets` also holds what we log in with."""

    def __init__(
        self, images: ImageStore, fail_points: FailPoints | None = None, secrets: Secrets | None = None
    ) -> None:
        secrets = secrets or NoSecrets()
        self._lines = Lines(secrets)
        self._processes = PlacedExecutor(images, self._session, fail_points, secrets)
        self._containers = DockerHost(images, fail_points, secrets, self._engine)

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """As on a process or Docker host."""
        self._by(spec).prepare(spec, beat)

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """As on a process or Docker host."""
        return self._by(spec).apply(spec, claim, beat)

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What runs there. One that does not let us in, or is not whom we know, is not reachable either."""
        try:
            return self._by(address).observe(address)
        except FairleadError as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)

    def logs(self, address: TargetAddress, component: str, lines: int) -> str:
        """As on a process or Docker host."""
        return self._by(address).logs(address, component, lines)

    def check(self, address: TargetAddress) -> TargetFacts:
        """As on a process or Docker host."""
        by_containers = read_options(address.options).runtime == DOCKER
        return self._containers.check(address) if by_containers else self._processes.check(address)

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """As on a process or Docker host."""
        self._by(spec).retire(spec, claim, beat)

    def hand_over(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """As on a process or Docker host."""
        self._by(spec).hand_over(spec, claim, beat)

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        return self._by(address).read_sticker(address)

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        self._by(address).write_sticker(address, sticker, claim)

    def _by(self, address: Address) -> Executor:
        return self._containers if read_options(address.options).runtime == DOCKER else self._processes

    @contextmanager
    def _session(self, address: Address) -> Iterator[Place]:
        with (
            self._lines.to(address.endpoint, read_options(address.options)) as connection,
            closing(Remote(connection)) as remote,
        ):
            yield remote

    @contextmanager
    def _engine(self, address: Address) -> Iterator[Engine]:
        with (
            self._lines.to(address.endpoint, read_options(address.options)) as connection,
            engine_behind(connection) as engine,
        ):
            yield engine
