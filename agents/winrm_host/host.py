"""The executor of WinRM hosts (ports.Executor): services on a Windows machine that is reached over WinRM. One connection carries all of one call.

A host is seen as a process host whose supervisor is Windows' own service manager; the scripts that were sent are sealed with the rest.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from agents.process_host.executor import Address, PlacedExecutor
from agents.process_host.place import Place
from agents.winrm_host import scripts
from agents.winrm_host.connecting import connector
from agents.winrm_host.options import read_options
from agents.winrm_host.remote import Remote
from agents.winrm_host.site import WindowsSite
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import SentFile, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim
from fairlead.ports import Beat, FailPoints, NoSecrets, Secrets


class WinrmHost(PlacedExecutor):
    """`secrets` also holds what we log in with."""

    def __init__(
        self, images: ImageStore, fail_points: FailPoints | None = None, secrets: Secrets | None = None
    ) -> None:
        super().__init__(images, self._at, fail_points, secrets)
        self._log_in_with = secrets or NoSecrets()

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> tuple[SentFile, ...]:
        """As on a process host; what was sent are also the scripts."""
        return (*super().apply(spec, claim, beat), *scripts.sent())

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What runs there. One that does not let us in, or is not whom we know, is not reachable either."""
        try:
            return super().observe(address)
        except FairleadError as error:
            return TargetObservation(target=address.target, reachable=False, detail=error.detail)

    @contextmanager
    def _at(self, address: Address) -> Iterator[Place]:
        options = read_options(address.options)
        with closing(Remote(connector(address.endpoint, options, self._log_in_with), options.root)) as remote:
            yield WindowsSite(remote, options)
