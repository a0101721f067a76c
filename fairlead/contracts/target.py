"""What an executor is told and what it reports. None of it enters a Temporal history."""

from datetime import datetime
from typing import Any

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.release import RenderedConfig
from fairlead.domain.health import Health


class ComponentSpec(Frozen):
    """One component as it must run. `digest` and any of `platforms`' digests are the same release (incident I10).

    `files`: path to content, of the files that its configuration names by digest.
    """

    name: str
    digest: Digest
    platforms: dict[str, Digest] = {}
    config_digest: Digest
    config: RenderedConfig
    files: dict[str, str] = {}

    def accepts(self, digest: str | None) -> bool:
        """Whether an observed digest is this component's."""
        return digest is not None and digest in {self.digest, *self.platforms.values()}


class TargetSpec(Frozen):
    """Everything that must run on one target, in start order, and what is written beside it (interface.md 7).

    `is_rollback`: it brings what was verified here before, so what is right already stays, whoever made it.
    """

    project: str
    environment: str
    target: str
    type: str
    endpoint: str
    release: str
    deployment: str
    decision: Digest
    is_rollback: bool = False
    healthy_deadline: float = 60.0
    components: tuple[ComponentSpec, ...]

    @property
    def options(self) -> dict[str, Any]:
        """The target's own options; every component's configuration says the same."""
        return self.components[0].config.options or {} if self.components else {}


class SentFile(Frozen):
    """What was sent to a target, as it was sent, but for secrets, which stand in it as references: it is kept and sealed."""

    name: str
    content: str


class TargetAddress(Frozen):
    """What is needed to look at a target without a plan. `options`: the target's own (domain.target_kinds)."""

    project: str
    environment: str
    target: str
    type: str
    endpoint: str
    options: dict[str, Any] = {}


class ComponentObservation(Frozen):
    """What really runs. `digest` None: cannot be told, so `unverifiable`. `instance`: container id, or pid and start time.

    `created` and `since` are the target's own times; `restarts` counts since this instance was made.
    """

    name: str
    health: Health
    digest: str | None = None
    config: str | None = None
    release: str | None = None
    fence: str | None = None
    instance: str | None = None
    created: datetime | None = None
    since: datetime | None = None
    restarts: int = 0
    detail: str | None = None


class TargetObservation(Frozen):
    """All components of ours on one target. `fence`: the highest claim that lies there."""

    target: str
    reachable: bool
    fence: str | None = None
    components: tuple[ComponentObservation, ...] = ()
    detail: str | None = None


class Sticker(Frozen):
    """The record left on a target after a task."""

    project: str
    environment: str
    target: str
    release: str
    deployment: str
    decision: Digest
    fence: str
    components: dict[str, Digest]
    configs: dict[str, Digest]
