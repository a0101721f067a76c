"""What is told of drift: events of the environment, and a sealed statement of what was seen beside what was verified."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from activities import lookup
from fairlead.commands import drift, sealing
from fairlead.contracts import names
from fairlead.contracts.canonical import Digest
from fairlead.contracts.drift import LooksTaken
from fairlead.contracts.messages import SYSTEM
from fairlead.contracts.records import LookRecord, PromotionRecord, TaskRecord
from fairlead.contracts.target import TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.evidence import statements
from fairlead.evidence.execution_predicates import DriftedComponent
from fairlead.ports import Signer
from fairlead.store import history, ledger, observations

FOUND, ENDED = "drift_found", "drift_ended"
ASKED, STOPPED = "reconverge_requested", "reconverge_stopped"


def observed(s: Session, project: str, digest: Digest) -> TargetObservation:
    """A kept observation. Raises NotFound (digest_not_found)."""
    found = observations.by_digest(s, project, digest)
    if found is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"nothing is kept under {digest}")
    return TargetObservation.model_validate(found.content)


def tell(
    s: Session, agent: Signer, before: LookRecord | None, after: LookRecord, task: TaskRecord | None
) -> LookRecord:
    """That a target drifted, differs otherwise than before, or is as it should be; the look with its sealed statement."""
    if task is None or not after.drift:
        since = before.since if before else None
        _note(s, after, ENDED, after.time, {"since": since.isoformat() if since else None})
        return after
    statement = _seal(s, agent, after, task)
    data: dict[str, Any] = {
        "deployment": after.deployment,
        "release": task.release,
        "since": after.since.isoformat() if after.since else None,
        "observation": after.observation,
        "statement": statement,
        "differences": [d.model_dump(mode="json", exclude={"code"}) for d in after.drift],
    }
    _note(s, after, FOUND, after.time, data, code=Code.DRIFT)
    return after.model_copy(update={"statement": statement})


def tell_asked(s: Session, request: LooksTaken, asked: PromotionRecord, targets: Sequence[str]) -> None:
    """That what drifted is to be put right."""
    data = {"promotion": asked.id, "release": asked.release, "targets": list(targets)}
    _append(s, request.project, request.environment, ASKED, request.time, data)


def tell_stopped(s: Session, request: LooksTaken, in_vain: int) -> None:
    """That it is not tried again, once."""
    subject = names.environment_subject(request.project, request.environment)
    told = history.last(s, subject, STOPPED)
    asked = drift.last_asked(s, request.project, request.environment)
    if told is None or asked is None or told.time < asked:
        data = {"in_vain": in_vain}
        _append(s, request.project, request.environment, STOPPED, request.time, data, code=Code.RECONVERGE_STOPPED)


def _seal(s: Session, agent: Signer, look: LookRecord, task: TaskRecord) -> Digest:
    verified = ledger.by_key(s, look.project, f"{task.deployment}/deployment")
    if verified is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"deployment {task.deployment} has not been sealed")
    statement = statements.drift(
        manifest=lookup.release(s, look.project, task.release_digest).manifest,
        environment=look.environment,
        deployment_statement=verified.statement,
        observed=observed(s, look.project, look.observation),
        observation=look.observation,
        differences=[DriftedComponent(kind=d.kind, component=d.component, detail=d.detail) for d in look.drift],
        code=Code.DRIFT,
        time=look.time,
        detail="; ".join(difference.detail for difference in look.drift),
    )
    return sealing.seal(
        s,
        agent,
        project=look.project,
        key=f"drift/{look.environment}/{look.target}/{look.time.isoformat()}",
        kind="drift",
        promotion=None,
        statement=statement,
        time=look.time,
    )


def _note(
    s: Session, look: LookRecord, type: str, time: datetime, data: dict[str, Any], code: str | None = None
) -> None:
    _append(s, look.project, look.environment, type, time, {"target": look.target, **data}, code)


def _append(
    s: Session,
    project: str,
    environment: str,
    type: str,
    time: datetime,
    data: dict[str, Any],
    code: str | None = None,
) -> None:
    subject = names.environment_subject(project, environment)
    history.append_next(s, subject=subject, type=type, time=time, actor=SYSTEM, code=code, data=data)
