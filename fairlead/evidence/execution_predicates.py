"""What was done, what was seen, how it was judged, and where it went back to."""

from datetime import datetime
from typing import Literal

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.domain.states import TaskState
from fairlead.evidence.predicate import Predicate, PromotionPredicate


class PlacedComponent(Frozen):
    """A component as it was sent to a target. `config`: digest of the rendered configuration."""

    name: str
    digest: Digest
    config: Digest


class SentArtifact(Frozen):
    """A file that was sent to a target: container document, process document, script. Secrets stand in it as references."""

    name: str
    digest: Digest


class DeployedTarget(Frozen):
    """What was done on one target. With `retire`, `release` is the one that was taken down and `components` is empty.

    With `hand_over` beside it that release was left running, and given up.
    `sent`: what its last attempt sent there; None where none got so far.
    """

    name: str
    release: str
    release_digest: Digest
    touched: bool
    attempt: int
    state: TaskState
    code: str | None = None
    retire: bool = False
    hand_over: Literal[True] | None = None
    components: tuple[PlacedComponent, ...] = ()
    sent: tuple[SentArtifact, ...] | None = None


class DeploymentPredicate(PromotionPredicate):
    """What a deployment did, target by target. A rollback has no plan of its own."""

    KIND = "deployment"
    deployment: str
    number: int
    is_rollback: bool
    result: Literal["succeeded", "failed", "cancelled"]
    plan: Digest | None = None
    targets: tuple[DeployedTarget, ...]
    code: str | None = None
    detail: str | None = None


class SeenComponent(Frozen):
    """A component as its target showed it."""

    name: str
    health: str
    digest: str | None = None
    config: str | None = None
    fence: str | None = None
    instance: str | None = None
    created: datetime | None = None
    since: datetime | None = None
    restarts: int = 0
    detail: str | None = None


class ObservationPredicate(PromotionPredicate):
    """What one target really ran after a deployment. `ok`: all as planned and healthy; where it was taken down or handed over, nothing of ours."""

    KIND = "observation"
    deployment: str
    is_rollback: bool
    target: str
    release: str
    release_digest: Digest
    retire: bool = False
    hand_over: Literal[True] | None = None
    ok: bool
    reachable: bool
    components: tuple[SeenComponent, ...]
    code: str | None = None
    detail: str | None = None


class VerificationPredicate(PromotionPredicate):
    """The judgement over a deployment and what was seen of it."""

    KIND = "verification"
    deployment: str
    is_rollback: bool
    result: Literal["passed", "failed"]
    code: str | None = None
    detail: str | None = None


class RollbackTarget(Frozen):
    """Where one touched target goes back to; with `retire` it never had a verified state and is taken down."""

    name: str
    release: str
    release_digest: Digest
    retire: bool = False
    components: tuple[PlacedComponent, ...] = ()


class RollbackPredicate(PromotionPredicate):
    """Why a deployment is rolled back and where each touched target goes; sealed before the first change."""

    KIND = "rollback"
    deployment: str
    rollback: str
    code: str
    detail: str | None = None
    targets: tuple[RollbackTarget, ...]


class DriftedComponent(Frozen):
    """How one component differs: missing, extra, wrong_digest, wrong_config, unhealthy or unverifiable."""

    kind: str
    component: str | None = None
    detail: str | None = None


class DriftPredicate(Predicate):
    """An observation that differs from the last successful deployment. `observation`: its digest; `differences`: seen twice in a row."""

    KIND = "drift"
    environment: str
    target: str
    release: str
    release_digest: Digest
    components: tuple[SeenComponent, ...]
    code: str
    detail: str | None = None
    observation: Digest | None = None
    differences: tuple[DriftedComponent, ...] = ()
