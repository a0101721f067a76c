"""What an event does to the row of its subject. Nothing else moves the state of a promotion, deployment or task."""

from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter
from sqlmodel import Session

from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import DEPLOYMENT, PROMOTION, TASK, DeploymentState, PromotionState, TaskState
from fairlead.store.rows import lock_row
from fairlead.store.tables.deployment import Deployment, Task
from fairlead.store.tables.promotion import Promotion

_INSTANT: TypeAdapter[datetime | None] = TypeAdapter(AwareDatetime | None)


def project(s: Session, event: Append) -> None:
    """Move the subject's row, if it has one, as the event says."""
    kind, _, id = event.subject.partition("/")
    if kind == "promotion":
        _promotion(s, id, event)
    elif kind == "deployment":
        _deployment(s, id, event)
    s.flush()


def _promotion(s: Session, id: str, event: Append) -> None:
    row = lock_row(s, Promotion, id)
    if row is None:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"there is no promotion {id}")
    _require_next(row, event)
    state = PromotionState(event.state or row.state)
    row.state, row.sequence = PROMOTION.step(PromotionState(row.state), state), event.sequence
    row.ended_at = event.time if state.is_terminal else None
    match event.type:
        case "evaluated":
            _evaluated(row, event)
        case "plan_changed":
            row.votes_opened = row.votes_expire = None
        case "votes_opened":
            row.votes_opened = _instant(event, "opened")
            row.votes_expire = _instant(event, "expires")
        case "ended":
            row.outcome = event.data.get("outcome")
            _explain(row, event)


def _evaluated(row: Promotion, event: Append) -> None:
    row.plan = event.data.get("plan", row.plan)
    row.verdicts = list(event.data.get("verdicts", ()))
    row.next_evaluation_at = _instant(event, "next_evaluation_at")


def _deployment(s: Session, id: str, event: Append) -> None:
    row = lock_row(s, Deployment, id)
    if row is None:
        raise NotFound(Code.DEPLOYMENT_NOT_FOUND, f"there is no deployment {id}")
    _require_next(row, event)
    state = DeploymentState(event.state or row.state)
    row.state, row.sequence = DEPLOYMENT.step(DeploymentState(row.state), state), event.sequence
    row.ended_at = event.time if state.is_terminal else None
    row.verified_at = event.time if state == DeploymentState.SUCCEEDED else None
    match event.type:
        case "task":
            _task(s, id, event)
        case "ended":
            _explain(row, event)


def _task(s: Session, deployment: str, event: Append) -> None:
    target = str(event.data.get("target"))
    row = lock_row(s, Task, (deployment, target))
    if row is None:
        raise NotFound(Code.TARGET_NOT_FOUND, f"deployment {deployment} has no task on {target}")
    row.state = TASK.step(TaskState(row.state), TaskState(event.data["state"]))
    _explain(row, event)


def _explain(row: Promotion | Deployment | Task, event: Append) -> None:
    row.code = event.data.get("code", event.code)
    row.detail = event.data.get("detail") or ""


def _instant(event: Append, field: str) -> datetime | None:
    return _INSTANT.validate_python(event.data.get(field))


def _require_next(row: Promotion | Deployment, event: Append) -> None:
    """What is not there yet must be the next event of a row that has not ended; 0 is that of a row just made."""
    if row.ended_at is not None:
        raise Conflict(Code.HISTORY_CONFLICT, f"{event.subject} has ended", fields={"sequence": row.sequence})
    if event.sequence != row.sequence + 1 and (event.sequence, row.sequence) != (0, 0):
        raise Conflict(
            Code.HISTORY_CONFLICT,
            f"the next event of {event.subject} is {row.sequence + 1}, not {event.sequence}",
            fields={"sequence": row.sequence},
        )
