"""Arguments and results of activities. Digests and names only: what is large stays in Postgres."""

from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.messages import CancelRequest
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.states import DeploymentState
from fairlead.domain.verdict import Verdict


class Append(Frozen):
    """One event. Keyed (subject, sequence): the same again is nothing, another content is Conflict (history_conflict).

    `state`, where given, becomes the state of the subject's row. Types that project more than that: `evaluated` (data: plan, verdicts,
    next_evaluation_at), `votes_opened` (data: opened, expires), `queued`/`admitted` (data: number), `task` (data: target, state, code, detail),
    `ended` (data: outcome, code, detail).
    """

    subject: str
    sequence: int
    type: str
    time: datetime
    actor: str | None = None
    code: str | None = None
    data: dict[str, Any] = {}
    state: str | None = None


class AppendAll(Frozen):
    """Events of one subject that follow each other: all are recorded, or none."""

    events: tuple[Append, ...]


class EvaluateInput(Frozen):
    """`plan`: the one that votes are open for, None at first. `opened`/`expires`: of the votes, None before they open.

    `admitted`: judged again at the head of the lane.
    """

    promotion: str
    now: datetime
    plan: Digest | None = None
    opened: datetime | None = None
    expires: datetime | None = None
    admitted: bool = False


class Evaluation(Frozen):
    """What the gates said, and the plan they said it about."""

    plan: Digest
    verdicts: tuple[Verdict, ...]
    approval: ApprovalTerms | None = None


VERDICTS: Final = TypeAdapter(tuple[Verdict, ...])
"""Verdicts as JSON. Made here, where the sandbox of workflows does not make it anew for each of them."""


class JudgeVote(Frozen):
    """A vote as it came (`envelope`: any JSON value), to be judged and recorded as event `sequence` of the promotion in one step.

    `plan`, `opened`, `expires` are None while votes are not open. `via`: update | signal. `payload`: digest of what came where it cannot
    be passed on (too large, no JSON); `envelope` then says what is wrong with it, and is no vote.
    """

    promotion: str
    sequence: int
    received: datetime
    envelope: Any
    via: str
    plan: Digest | None = None
    opened: datetime | None = None
    expires: datetime | None = None
    closed: bool = False
    payload: Digest | None = None


class JudgeCancel(Frozen):
    """A cancel: either from somebody the API authenticated, or a signed envelope; recorded like a vote. Natively: `via` is `temporal`.

    `payload`: as in JudgeVote.
    """

    promotion: str
    sequence: int
    received: datetime
    via: str
    request: CancelRequest | None = None
    envelope: Any = None
    payload: Digest | None = None


class PromotionRef(Frozen):
    promotion: str


class LaneRef(Frozen):
    """A promotion and its lane."""

    promotion: str
    project: str
    environment: str
    request: str = ""


class Blocker(Frozen):
    """One reason why something does not move. `since` and `until` where they are known."""

    code: str
    detail: str
    rule: str
    since: datetime | None = None
    until: datetime | None = None
    details: dict[str, Any] = {}


class Admission(Frozen):
    """Where a promotion stands in its lane. `status`: absent | waiting | admitted | refused | left. `number`: its fence, once admitted."""

    status: str
    number: int | None = None
    code: str | None = None
    detail: str = ""


class AdmitInput(Frozen):
    project: str
    environment: str
    now: datetime


class AdmitResult(Frozen):
    """`holder`: the promotion that has the place (new or from before), `admitted` whether it got it just now.

    `refused`: promotions thrown out of the queue by the monotonic rule. `next_at`: when time alone may let the head pass.
    """

    holder: str | None = None
    admitted: bool = False
    refused: tuple[str, ...] = ()
    waiting: int = 0
    blocked_by: tuple[Blocker, ...] = ()
    next_at: datetime | None = None


class RecordRestraint(Frozen):
    """`kind`: freeze | thaw | hold | resume. `restraint`: id of the new one, or of the one that ends (None: all open ones)."""

    kind: str
    project: str
    environment: str
    actor: str
    time: datetime
    reason: str = ""
    until: datetime | None = None
    restraint: str | None = None


class EnvironmentRef(Frozen):
    project: str
    environment: str


class OpenDeployment(Frozen):
    """Make the rows of a promotion's deployment, once. `decision` is the digest of the decision statement."""

    promotion: str
    decision: Digest
    time: datetime


class OpenRollback(Frozen):
    """Make the rows of the rollback of a failed deployment, once: number, and for each touched target its own last verified state."""

    deployment: str
    time: datetime
    code: str
    detail: str = ""


class OutlineTarget(Frozen):
    """`retire`: what we made is taken down: it was asked for, or a rollback has nothing to go back to. `hand_over`: it is left running instead."""

    target: str
    wave: int
    release: str
    retire: bool = False
    hand_over: bool = False


class Outline(Frozen):
    """What a deployment workflow must know to sequence its work."""

    deployment: str
    number: int
    targets: tuple[OutlineTarget, ...]
    min_healthy_time: float
    healthy_deadline: float
    on_failure: str
    sequence: int = 0


class DeploymentRef(Frozen):
    deployment: str


class DeploymentStanding(Frozen):
    """A deployment's row, as far as its promotion needs it."""

    deployment: str
    state: DeploymentState
    code: str | None = None
    detail: str = ""


class LeaveHold(Frozen):
    """Leave a hold behind a failed or rolled-back deployment, once per deployment."""

    deployment: str
    project: str
    environment: str
    reason: str
    time: datetime


class Abandon(Frozen):
    """A deployment whose workflow is gone: open tasks become `lost`, its targets are observed, a hold is left."""

    deployment: str
    time: datetime
    code: str


class TaskInput(Frozen):
    """The work on one target; the specification is read from the deployment's plan."""

    deployment: str
    target: str


class SettleInput(Frozen):
    """Watch a target until everything on it has been as planned and healthy for `min_healthy_time` seconds, at most `deadline` seconds."""

    deployment: str
    target: str
    min_healthy_time: float
    deadline: float


class Observe(Frozen):
    """Look at one target now, and compare it with what the deployment should have left there."""

    deployment: str
    target: str
    time: datetime


class Observed(Frozen):
    """`ok`: everything is as planned and healthy. `observation` is the stored observation's digest."""

    target: str
    ok: bool
    observation: Digest
    code: str | None = None
    detail: str = ""


class ReconcileInput(Frozen):
    now: datetime


class Reconciled(Frozen):
    """What a sweep mended, by workflow or promotion id."""

    started: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
