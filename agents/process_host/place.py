"""What a host does for us, whether it is this machine or one at the other end of a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO, Protocol

from agents.process_host.fitness import Fitness
from agents.process_host.records import Applied, Job, Run, RunSpec, Seen, State
from fairlead.domain.fence import Claim

if TYPE_CHECKING:
    from agents.process_host.health import Finding

Owner = Mapping[str, str]
"""Whose target it is: project, environment and target."""


class Orderer(Protocol):
    """Who ordered the work, as far as he is asked while it is being done."""

    def beat(self) -> None:
        """ports.Beat: called often during long work; raises when it is no longer wanted."""

    def reach(self, name: str) -> None:
        """Say that a place has been reached where tests kill the worker."""

    def secrets(self, component: str) -> Mapping[str, str]:
        """Name to value of what a component is given beside its configuration."""

    def mask_output(self, text: str) -> str:
        """What an application printed, without the secrets that it was given."""


class Orders(Protocol):
    """What keeps the components of one target running, and what a claim may tell it. A lower claim than another that lies there is refused.

    `grace` is for whoever waits for the answer. Raises Refused and Unavailable.
    """

    def status(self) -> State:
        """What is kept running, and what to go back to."""

    def claims(self) -> Sequence[Claim]:
        """All claims that lie on the target."""

    def glance(self, run: Run) -> Finding:
        """How a run is now; asked once."""

    def gave_up(self, run: Run) -> bool:
        """Whether it is not worth waiting for any longer."""

    def last_words(self, run: Run) -> str:
        """The end of what it printed."""

    def start(self, claim: Claim, spec: RunSpec, secrets: Mapping[str, str] | None = None) -> State:
        """Start a component that is stopped."""

    def stop(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Stop just this run."""

    def restore(self, claim: Claim, component: str, grace: float) -> State:
        """Stop what runs and start what was last confirmed."""

    def adopt(self, claim: Claim, component: str, run: int) -> State:
        """Answer for a run from now on."""

    def confirm(self, claim: Claim, component: str, run: int) -> State:
        """It is healthy: from now on this is what to go back to."""

    def remove(self, claim: Claim, component: str, grace: float) -> State:
        """Stop a component and forget it."""

    def undo(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Take back what this claim started, though a higher one lies on the target."""


class Around(Protocol):
    """What is run once in a deployment, before and after the change."""

    def quiet(self) -> None:
        """End what earlier deployments left."""

    def run(self, when: str) -> None:
        """Run all of it that is to be run now (`pre` or `post`). Raises Refused (hook_failed)."""


class NoHooks:
    """Nothing is run."""

    def quiet(self) -> None:
        """Do nothing."""

    def run(self, when: str) -> None:
        """Do nothing."""


class Stage(Protocol):
    """Where images are unpacked that nobody may run yet."""

    def layer(self, digest: str, media_type: str, fill: Callable[[BinaryIO], None]) -> None:
        """Unpack the next layer of an image; `fill` writes it, verified, to a file."""

    def publish(self, commands: Mapping[str, Sequence[str]]) -> None:
        """All of what was asked for together is there: put every image, with its own command, in its place."""


class Place(Protocol):
    """One folder of a host, which any number of targets lie in. All that goes in and out is plain data. Raises Refused and Unavailable."""

    @property
    def platform(self) -> str:
        """`os/arch`, as images name it."""

    def fitness(self) -> Fitness:
        """What the host tells of itself."""

    def missing(self, job: Job) -> list[str]:
        """The digests whose trees are not there yet."""

    def staging(self, orderer: Orderer) -> AbstractContextManager[Stage]:
        """A place to unpack what is missing; it goes afterwards."""

    def prepare(self, job: Job) -> None:
        """Find every command, look for taken ports. All trees are there."""

    def apply(self, job: Job, claim: Claim, orderer: Orderer) -> Applied:
        """Claim the target, then make it run the job."""

    def observe(self, owner: Owner) -> Seen:
        """What really runs."""

    def logs(self, owner: Owner, component: str, lines: int) -> str:
        """The end of what a component's present run printed."""

    def retire(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Stop and remove what is the target's."""

    def hand_over(self, owner: Owner, claim: Claim, orderer: Orderer) -> None:
        """Leave what runs as it is; from then on it is not the target's."""

    def read_sticker(self, owner: Owner) -> object:
        """The record on the target, None where there is none."""

    def write_sticker(self, owner: Owner, record: object, claim: Claim) -> None:
        """Leave the record."""
