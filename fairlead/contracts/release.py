"""Release manifest and plan: the two documents whose digests everything else names (interface.md 6)."""

from typing import Any, Literal

from pydantic import Field

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest


class PinnedComponent(Frozen):
    """A component of a release. `digest` is what the tag named (index or manifest), `platforms` maps `os/arch` to manifest digests."""

    repository: str
    digest: Digest
    platforms: dict[str, Digest] | None = None


class ReleaseManifest(Frozen):
    """What a release is; the digest of its canonical form is the release's identity. `config`: its configuration layer."""

    schema_: Literal["fairlead/release/v1"] = Field(default="fairlead/release/v1", alias="schema")
    project: str
    version: str
    components: dict[str, PinnedComponent]
    templates: dict[str, Digest]
    source: dict[str, Any] | None = None
    config: dict[str, Any] | None = None


class PlanStrategy(Frozen):
    """Seconds where it says how long."""

    type: str
    batch: int
    min_healthy_time: float
    healthy_deadline: float


class PlannedComponent(Frozen):
    """`config` is the digest of the rendered configuration, which is kept as an artifact (RenderedConfig)."""

    name: str
    digest: Digest
    template: Digest
    config: Digest


class PlannedTarget(Frozen):
    """`wave` counts from 0. Components stand in the order in which they are started. `retire`: everything there is taken down.

    With `hand_over` beside it, it is left running instead, and given up.

    What is not asked for is not shown either: whoever hashes what is shown gets the plan's digest.
    """

    name: str
    type: str
    wave: int
    components: tuple[PlannedComponent, ...]
    retire: Literal[True] | None = Field(default=None, exclude_if=lambda value: value is None)
    hand_over: Literal[True] | None = Field(default=None, exclude_if=lambda value: value is None)


class Plan(Frozen):
    """Exactly what a deployment will execute, and nothing else; votes bind to its digest."""

    schema_: Literal["fairlead/plan/v1"] = Field(default="fairlead/plan/v1", alias="schema")
    project: str
    environment: str
    release: Digest
    strategy: PlanStrategy
    on_failure: str
    targets: tuple[PlannedTarget, ...]


class RenderedHealth(Frozen):
    """See domain.catalogue.HealthCheck."""

    port: int
    http: str | None = None
    interval: float
    timeout: float
    retries: int


class SecretUse(Frozen):
    """A secret by reference and version; its value is read where it is used, and kept nowhere."""

    reference: str
    version: str


class RenderedConfig(Frozen):
    """How one component runs on one target: template and layers made one. Stored by digest (`config` in a plan).

    `options`: the target's own; `run`: what the component says about such targets, by block; `files`: digests of the files named there.
    """

    schema_: Literal["fairlead/config/v1"] = Field(default="fairlead/config/v1", alias="schema")
    component: str
    repository: str
    target_type: str
    endpoint: str
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    env: dict[str, str] = {}
    depends_on: tuple[str, ...] = ()
    health: RenderedHealth | None = None
    stop_grace: float
    options: dict[str, Any] | None = None
    run: dict[str, dict[str, Any]] | None = None
    files: dict[str, Digest] | None = None
    secrets: dict[str, SecretUse] | None = None
