"""One read of everything that is recorded about a promotion, for what the API says of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.commands.inventory import TargetStatus, not_serving
from fairlead.contracts import names
from fairlead.contracts.records import (
    DeploymentRecord,
    EventRecord,
    PromotionRecord,
    QueueRecord,
    RestraintRecord,
    TaskRecord,
    VoteRecord,
)
from fairlead.domain.votes import Quorum
from fairlead.store import deployments, history, lanes, promotions, restraints, votes

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """`edge`: what was refused before it reached the workflow. `waiting` and `holder` are those of the whole lane.

    `quorum` is the environment's rule of now, None where no votes are asked for; `skipped`: targets that do not serve now.
    """

    promotion: PromotionRecord
    events: tuple[EventRecord, ...] = ()
    edge: tuple[EventRecord, ...] = ()
    votes: tuple[VoteRecord, ...] = ()
    deployments: tuple[DeploymentRecord, ...] = ()
    tasks: tuple[TaskRecord, ...] = ()
    restraints: tuple[RestraintRecord, ...] = ()
    place: QueueRecord | None = None
    waiting: tuple[QueueRecord, ...] = ()
    holder: QueueRecord | None = None
    quorum: Quorum | None = None
    skipped: tuple[TargetStatus, ...] = ()


def read(s: Session, id: str, now: datetime) -> Standing:
    """The standing of a promotion that is there."""
    promotion = promotions.get(s, id)
    assert promotion is not None, id  # noqa: S101 (the caller has found it, and rows are never deleted)
    project, environment = promotion.project, promotion.environment
    made = deployments.of_promotion(s, id)
    return Standing(
        promotion=promotion,
        events=_events(s, names.promotion_subject(id)),
        edge=_events(s, names.edge_subject(id)),
        votes=tuple(votes.accepted(s, id)),
        deployments=tuple(made),
        tasks=tuple(task for deployment in made for task in deployments.tasks(s, deployment.id)),
        restraints=tuple(restraints.open_at(s, project, environment, now)),
        place=lanes.get(s, id),
        waiting=tuple(lanes.waiting(s, project, environment)),
        holder=lanes.holder(s, project, environment),
        quorum=_quorum(s, promotion),
        skipped=_skipped(s, promotion, now),
    )


def _events(s: Session, subject: str) -> tuple[EventRecord, ...]:
    found: list[EventRecord] = []
    while page := history.events(s, subject, found[-1].sequence if found else -1, _PAGE):
        found += page
    return tuple(found)


def _skipped(s: Session, promotion: PromotionRecord, now: datetime) -> tuple[TargetStatus, ...]:
    environment = of_project(s, promotion.project).environments.get(promotion.environment)
    if environment is None or promotion.state.is_terminal:
        return ()
    return not_serving(s, promotion.project, environment, now)


def _quorum(s: Session, promotion: PromotionRecord) -> Quorum | None:
    environment = of_project(s, promotion.project).environments.get(promotion.environment)
    if environment is None or environment.approval is None:
        return None
    rule = environment.approval
    return Quorum(rule.count, rule.groups, rule.requester)
