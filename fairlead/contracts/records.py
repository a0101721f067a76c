"""What the store answers: rows as frozen values. A row itself never leaves the store."""

from datetime import datetime
from typing import Any

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.compare import Difference
from fairlead.contracts.release import ReleaseManifest
from fairlead.domain.states import DeploymentState, PromotionState, ReleaseState, TaskState


class ProjectRecord(Frozen):
    """`catalogue` is the normalised catalogue document (commands.catalogue reads it back into a domain.Catalogue)."""

    name: str
    revision: int
    catalogue: dict[str, Any]
    digest: Digest


class KeyRecord(Frozen):
    """A bearer key; only the SHA-256 of its secret is kept. `scope`: admin | member. Subject is a person or `integration:<name>`."""

    id: str
    project: str | None
    subject: str
    scope: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class ReleaseRecord(Frozen):
    """`ordinal` orders releases of a project by creation: "older" means a lower one. `statement`: of the sealed release statement."""

    project: str
    version: str
    digest: Digest
    manifest: ReleaseManifest
    state: ReleaseState
    created_at: datetime
    created_by: str
    ordinal: int
    statement: Digest | None = None


class PromotionRecord(Frozen):
    """`ordinal` orders promotions by request (lists, cursors); `sequence` is that of the last event."""

    id: str
    ordinal: int
    project: str
    environment: str
    release: str
    release_digest: Digest
    requester: str
    reason: str = ""
    intent: str
    through_hold: str | None = None
    retry_of: str | None = None
    state: PromotionState
    sequence: int
    requested_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    plan: Digest | None = None
    votes_opened: datetime | None = None
    votes_expire: datetime | None = None
    verdicts: tuple[dict[str, Any], ...] = ()
    next_evaluation_at: datetime | None = None
    outcome: Digest | None = None
    code: str | None = None
    detail: str = ""


class VoteRecord(Frozen):
    """An accepted vote, with the envelope verbatim. `ordinal`: the event's sequence in its promotion."""

    promotion: str
    project: str
    digest: Digest
    voter: str
    choice: str
    comment: str
    groups: tuple[str, ...]
    plan: Digest
    time: datetime
    received: datetime
    envelope: dict[str, Any]
    ordinal: int


class EventRecord(Frozen):
    """One entry of history. `id` is global and rising. `state`: the state that its subject is in from then on, where it says so."""

    id: int
    subject: str
    sequence: int
    type: str
    time: datetime
    actor: str | None = None
    code: str | None = None
    data: dict[str, Any] = {}
    state: str | None = None


class SentRecord(Frozen):
    """A file that was sent to a target, kept under its digest. `size`: its bytes."""

    name: str
    digest: Digest
    size: int


class QueueRecord(Frozen):
    """A promotion in its lane. `status`: waiting | admitted | refused | left | done."""

    promotion: str
    project: str
    environment: str
    position: int
    status: str
    number: int | None = None
    code: str | None = None
    queued_at: datetime


class RestraintRecord(Frozen):
    """A freeze or a hold. Open while `ended_at` is None and `until` has not passed. `deployment`: the one that left a hold."""

    id: str
    kind: str
    project: str
    environment: str
    reason: str
    actor: str
    since: datetime
    until: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    deployment: str | None = None


class TaskRecord(Frozen):
    """The work on one target. `plan` is the plan whose entry for this target is carried out (a rollback's is an older one).

    `touched`: a change may have been made. `retire`: take down instead.
    """

    deployment: str
    target: str
    type: str
    wave: int
    state: TaskState
    attempt: int
    release: str
    release_digest: Digest
    plan: Digest
    touched: bool = False
    retire: bool = False
    code: str | None = None
    detail: str = ""

    @property
    def id(self) -> str:
        return f"{self.deployment}/{self.target}"


class DeploymentRecord(Frozen):
    """`decision`: digest of the decision (or, of a rollback, the rollback) statement. `verified_at`: when it succeeded."""

    id: str
    promotion: str
    project: str
    environment: str
    release: str
    release_digest: Digest
    plan: Digest
    number: int
    state: DeploymentState
    is_rollback: bool
    rollback_of: str | None = None
    decision: Digest | None = None
    sequence: int = 0
    created_at: datetime
    verified_at: datetime | None = None
    ended_at: datetime | None = None
    code: str | None = None
    detail: str = ""


class ReportRecord(Frozen):
    """An imported report about one manifest digest. `kind`: trivy | openvex. The document itself is an artifact."""

    project: str
    digest: Digest
    kind: str
    document: Digest
    imported_at: datetime
    imported_by: str


class ObservationRecord(Frozen):
    """What was seen on a target, by content digest."""

    digest: Digest
    project: str
    environment: str
    target: str
    deployment: str | None
    time: datetime
    content: dict[str, Any]


class LogRecord(Frozen):
    """The end of what a component printed on a target under one deployment, as of `time`; secrets are masked in it."""

    project: str
    target: str
    deployment: str
    component: str
    time: datetime
    text: str


class LookRecord(Frozen):
    """What looks at a target between deployments have come to (domain.drift.Looks), beside what `deployment` verified there.

    `time`, `observation`: of the last look. `unreachable_since`: it has not been reached from then on. `statement`: of the drift.
    """

    project: str
    environment: str
    target: str
    deployment: str
    time: datetime
    observation: Digest
    unreachable_since: datetime | None = None
    seen: tuple[Difference, ...] = ()
    drift: tuple[Difference, ...] = ()
    since: datetime | None = None
    statement: Digest | None = None


class EnvelopeRecord(Frozen):
    """A sealed statement and its place in the project's ledger. `statement` is the SHA-256 of the DSSE payload."""

    project: str
    key: str
    kind: str
    promotion: str | None
    statement: Digest
    envelope: dict[str, Any]
    index: int
    time: datetime
