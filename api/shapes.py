"""What the API answers about promotions and deployments, made from records by pure functions."""

from datetime import datetime
from typing import Any

from api import why
from api.standing import Standing
from fairlead.commands.inventory import TargetStatus
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import DeploymentRecord, EventRecord, PromotionRecord, TaskRecord, VoteRecord
from fairlead.contracts.steps import Blocker
from fairlead.domain.states import DeploymentState, PromotionState, PromotionStatus, TaskState
from fairlead.domain.votes import CastVote, tally


class PromotionSummary(Frozen):
    """A promotion in a list."""

    id: str
    project: str
    environment: str
    release: str
    release_digest: Digest
    requester: str
    reason: str
    intent: str
    through_hold: str | None
    retry_of: str | None
    state: PromotionState
    status: PromotionStatus
    sequence: int
    requested_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    outcome: Digest | None
    code: str | None
    detail: str


class VoteView(Frozen):
    """An accepted vote. `counted` by the environment's rule of now; `code` says why one does not count."""

    digest: Digest
    voter: str
    choice: str
    comment: str
    groups: tuple[str, ...]
    plan: Digest
    time: datetime
    received: datetime
    counted: bool
    code: str | None


class RefusedVote(Frozen):
    """A vote or cancel that was refused. `actor` is `unknown` while unproven."""

    code: str | None
    actor: str | None
    payload_digest: Digest | None
    choice: str | None
    detail: str
    via: str | None
    time: datetime


class TaskView(Frozen):
    """The work on one target."""

    id: str
    deployment: str
    target: str
    wave: int
    state: TaskState
    attempt: int
    release: str
    touched: bool
    retire: bool
    code: str | None
    detail: str


class DeploymentSummary(Frozen):
    """A deployment of a promotion."""

    id: str
    release: str
    number: int
    state: DeploymentState
    is_rollback: bool
    code: str | None
    detail: str


class PromotionView(PromotionSummary):
    """Everything about a promotion. `sequence` is that of its last event: wait for what comes after it."""

    plan: Digest | None
    votes_opened: datetime | None
    votes_expire: datetime | None
    next_evaluation_at: datetime | None
    verdicts: tuple[dict[str, Any], ...]
    votes: tuple[VoteView, ...]
    refused_votes: tuple[RefusedVote, ...]
    deployments: tuple[DeploymentSummary, ...]
    tasks: tuple[TaskView, ...]
    blocked_by: tuple[Blocker, ...]


class PromotionWhy(Frozen):
    """What blocks a promotion. `position`: how many wait before it in its lane, `holder`: who has the place.

    `skipped`: targets that are left alone as they do not serve.
    """

    promotion: str
    environment: str
    release: str
    state: PromotionState
    status: PromotionStatus
    blocked_by: tuple[Blocker, ...]
    next_change_at: datetime | None
    position: int | None
    holder: str | None
    refused_votes: tuple[RefusedVote, ...]
    skipped: tuple[TargetStatus, ...] = ()


def promotion_summary(record: PromotionRecord) -> PromotionSummary:
    """A promotion in a list."""
    return PromotionSummary(**record.model_dump(), status=record.state.status)


def promotion_view(standing: Standing, now: datetime) -> PromotionView:
    """A promotion with all that is known about it."""
    return PromotionView(
        **standing.promotion.model_dump(),
        status=standing.promotion.state.status,
        votes=_votes(standing),
        refused_votes=_refused(standing),
        deployments=tuple(deployment_summary(record) for record in standing.deployments),
        tasks=tuple(task_view(record) for record in standing.tasks),
        blocked_by=why.blocked_by(standing, now),
    )


def promotion_why(standing: Standing, now: datetime, outside: tuple[Blocker, ...] = ()) -> PromotionWhy:
    """What blocks a promotion, and what was refused. `outside`: what no record tells."""
    promotion, blockers = standing.promotion, (*why.blocked_by(standing, now), *outside)
    return PromotionWhy(
        promotion=promotion.id,
        environment=promotion.environment,
        release=promotion.release,
        state=promotion.state,
        status=promotion.state.status,
        blocked_by=blockers,
        next_change_at=why.next_change_at(blockers),
        position=why.position(standing),
        holder=standing.holder.promotion if standing.holder else None,
        refused_votes=_refused(standing),
        skipped=standing.skipped,
    )


def deployment_summary(record: DeploymentRecord) -> DeploymentSummary:
    """A deployment without its tasks."""
    return DeploymentSummary(**record.model_dump())


def task_view(record: TaskRecord) -> TaskView:
    """A task with its id."""
    return TaskView(id=record.id, **record.model_dump())


def _votes(standing: Standing) -> tuple[VoteView, ...]:
    codes = _uncounted(standing)
    return tuple(
        VoteView(
            **vote.model_dump(),
            counted=codes.get(vote.digest, None) is None and bool(standing.quorum),
            code=codes.get(vote.digest),
        )
        for vote in standing.votes
    )


def _uncounted(standing: Standing) -> dict[str, str]:
    if standing.quorum is None:
        return {}
    cast = [_cast(vote) for vote in standing.votes]
    promotion = standing.promotion
    result = tally(
        cast,
        standing.quorum,
        plan=promotion.plan or "",
        requester=promotion.requester,
        opened=promotion.votes_opened,
    )
    return {digest: str(code) for digest, code in result.uncounted.items()}


def _cast(vote: VoteRecord) -> CastVote:
    return CastVote(vote.digest, vote.voter, vote.choice, vote.groups, vote.plan, vote.received)


def _refused(standing: Standing) -> tuple[RefusedVote, ...]:
    return tuple(_refused_vote(event) for event in why.refused(standing))


def _refused_vote(event: EventRecord) -> RefusedVote:
    return RefusedVote(
        code=event.code,
        actor=event.actor,
        payload_digest=event.data.get("payload"),
        choice=event.data.get("choice"),
        detail=event.data.get("detail") or "",
        via=event.data.get("via"),
        time=event.time,
    )
