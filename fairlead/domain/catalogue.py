"""What a project declares (fairlead.yaml), as values that have passed every rule. Durations are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class TargetType(StrEnum):
    """How a target runs components. The others come with their executors."""

    DOCKER_HOST = "docker_host"
    PROCESS_HOST = "process_host"
    COMPOSE_HOST = "compose_host"
    ECS_SERVICE = "ecs_service"
    NOMAD_JOB = "nomad_job"
    SSH_HOST = "ssh_host"
    WINRM_HOST = "winrm_host"


class StrategyType(StrEnum):
    """How a deployment goes through its targets."""

    ALL_AT_ONCE = "all_at_once"
    ROLLING = "rolling"


@dataclass(frozen=True, slots=True)
class Person:
    """A subject of `people`. `keys` are Ed25519 public keys in PEM."""

    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """An HTTP GET that must answer 2xx or 3xx, or (without `http`) a TCP connect. `retries` failures in a row make it unhealthy."""

    port: int
    http: str | None = None
    interval: float = 1.0
    timeout: float = 2.0
    retries: int = 3


@dataclass(frozen=True, slots=True)
class Component:
    """One deployable thing. `ports` are `HOST:CONTAINER` as in Compose; `command` empty means the image's own; `secrets` are references, by name.

    `sections` say how it runs on single target types, by block (domain.target_kinds); `files` are the digests of the files they name, by path.
    """

    name: str
    repository: str
    command: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    health: HealthCheck | None = None
    stop_grace: float = 10.0
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """Block releases with findings of this severity or worse; with `reachable` only those nobody has shown to be out of reach."""

    block: str = "critical"
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """`count` votes in all, and of each group in `groups` at least so many. `expires` runs from when votes opened."""

    count: int
    requester: str = "cannot_vote"
    groups: Mapping[str, int] = field(default_factory=dict)
    expires: float = 86400.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """`batch` targets at a time; each must be seen healthy for `min_healthy_time`, at the latest by `healthy_deadline`."""

    type: StrategyType = StrategyType.ALL_AT_ONCE
    batch: int = 1
    min_healthy_time: float = 2.0
    healthy_deadline: float = 60.0


class DriftPolicy(StrEnum):
    """What is done about drift, beside telling it."""

    NOTIFY = "notify"
    BLOCK = "block"
    RECONVERGE = "reconverge"


@dataclass(frozen=True, slots=True)
class DriftRule:
    """How often targets are looked at between deployments. `per_hour` and `give_up_after` bound re-convergence (domain.drift)."""

    policy: DriftPolicy = DriftPolicy.NOTIFY
    every: float = 300.0
    per_hour: int = 2
    give_up_after: int = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """A configuration layer: what it changes of every component (`env`, `secrets`), and of single ones (`ports`, and `components`: anything).

    Null deletes what lies below.
    """

    env: Mapping[str, str | None] = field(default_factory=dict)
    secrets: Mapping[str, str | None] = field(default_factory=dict)
    ports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    components: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelLayer:
    """A layer for the targets that have all of these labels."""

    labels: Mapping[str, str]
    config: Layer


@dataclass(frozen=True, slots=True)
class Environment:
    """A place in the promotion path. `soak`: how long a release must have run here before it may go on.

    `select`: the labels that its targets were chosen by, where they were not named.
    """

    name: str
    targets: tuple[str, ...]
    after: tuple[str, ...] = ()
    soak: float = 0.0
    production: bool = False
    security: SecurityRule | None = None
    approval: ApprovalRule | None = None
    strategy: Strategy = field(default_factory=Strategy)
    on_failure: str = "rollback"
    promotion_expires: float = 86400.0
    drift: DriftRule = field(default_factory=DriftRule)
    config: Layer = field(default_factory=Layer)
    select: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that runs components. What `endpoint` looks like and which `options` there are is up to the type (domain.target_kinds)."""

    name: str
    type: TargetType
    endpoint: str
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Layer = field(default_factory=Layer)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything one project declares. `files`: path to content; `config` is for all its targets, `label_config` for those with certain labels."""

    project: str
    people: Mapping[str, Person]
    components: Mapping[str, Component]
    environments: Mapping[str, Environment]
    targets: Mapping[str, Target]
    files: Mapping[str, str] = field(default_factory=dict)
    config: Layer = field(default_factory=Layer)
    label_config: tuple[LabelLayer, ...] = ()
