"""Arguments and results of workflows, their updates and signals. Small, and every field that came later has a default."""

from datetime import datetime

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.domain.states import DeploymentState, PromotionState

INTENT_PROMOTE = "promote"
INTENT_ROLLBACK = "rollback"
INTENT_RETIRE = "retire"
"""Take down what runs, instead of bringing something."""
INTENT_RECONVERGE = "reconverge"
"""Put right what drifted from the last verified state; asked for by Fairlead itself."""
SYSTEM = "fairlead"
"""The actor of what nobody asked for."""


class PromotionInput(Frozen):
    """A promotion as its row says it was requested."""

    promotion: str
    project: str
    environment: str
    release: str
    release_digest: Digest
    requester: str
    requested_at: datetime
    expires_at: datetime
    intent: str = INTENT_PROMOTE
    through_hold: str | None = None
    retry_of: str | None = None


class PromotionResult(Frozen):
    """What a `Promotion` workflow returns, or fails with. `outcome` is the outcome statement's digest."""

    promotion: str
    state: PromotionState
    release: str
    environment: str
    outcome: Digest | None = None
    code: str | None = None
    detail: str = ""


class CancelRequest(Frozen):
    """Update `cancel`, as the API sends it for somebody it has authenticated."""

    actor: str
    reason: str = ""


class LaneInput(Frozen):
    """`seen`: ids of requests already answered, carried over continue-as-new (at most 100)."""

    project: str
    environment: str
    seen: tuple[str, ...] = ()


class LaneRequest(Frozen):
    """Updates `enter` and `leave`. `request` makes it idempotent across continue-as-new."""

    promotion: str
    request: str


class RestraintRequest(Frozen):
    """Updates `freeze` and `hold` (a new one) and `thaw` and `resume` (the end of `restraint`, or of all when None)."""

    request: str
    actor: str
    reason: str = ""
    until: datetime | None = None
    restraint: str | None = None


class RestraintAnswer(Frozen):
    """Ids of the freezes or holds that were made or ended."""

    restraints: tuple[str, ...]


class DeploymentInput(Frozen):
    """Everything else about a deployment is in its rows."""

    deployment: str
    promotion: str
    project: str
    environment: str
    release: str
    is_rollback: bool = False


class DeploymentResult(Frozen):
    """How a deployment ended. `rollback`: the deployment that put the touched targets back, where there was one."""

    deployment: str
    state: DeploymentState
    code: str | None = None
    detail: str = ""
    rollback: str | None = None


class Progress(Frozen):
    """Signal `progress`, a hint: the deployment moved; read its row."""

    deployment: str
    state: DeploymentState
