"""The executor of process hosts (ports.Executor): supervised processes on this machine, one supervisor for each target."""

from pathlib import Path

from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import Sticker, TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.ports import Beat, FailPoints, NoFailPoints


class ProcessHost:
    """`hosts` is the folder that `process:NAME` endpoints lie in; applications run as `app_user` when we are root (default: nobody)."""

    def __init__(
        self, hosts: Path, images: ImageStore, fail_points: FailPoints = NoFailPoints(), app_user: int | None = None
    ) -> None:
        self._hosts, self._images, self._fail_points, self._app_user = hosts, images, fail_points, app_user

    def prepare(self, spec: TargetSpec, beat: Beat) -> None:
        """Pull, verify and unpack everything, find every command, look for taken ports."""
        raise NotImplementedError

    def apply(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Claim the target, then make it run the spec (ports.Executor.apply)."""
        raise NotImplementedError

    def observe(self, address: TargetAddress) -> TargetObservation:
        """What really runs, by the supervisor's word, /proc and a probe now."""
        raise NotImplementedError

    def retire(self, spec: TargetSpec, claim: Claim, beat: Beat) -> None:
        """Stop and remove what we made there; claims stay, so that lower ones are refused for ever."""
        raise NotImplementedError

    def read_sticker(self, address: TargetAddress) -> Sticker | None:
        """The record on the target."""
        raise NotImplementedError

    def write_sticker(self, address: TargetAddress, sticker: Sticker, claim: Claim) -> None:
        """Leave the record."""
        raise NotImplementedError
