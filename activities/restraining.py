"""Freezes and holds: how they begin and end, in the lane's own lock, each as an event; freezes are sealed too."""

import base64
import hashlib
from datetime import datetime
from typing import Final, Literal

from sqlmodel import Session

from fairlead.commands import sealing
from fairlead.contracts import names
from fairlead.contracts.messages import SYSTEM, RestraintAnswer
from fairlead.contracts.records import RestraintRecord
from fairlead.contracts.steps import LeaveHold, RecordRestraint
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound
from fairlead.evidence import statements
from fairlead.ports import Signer
from fairlead.store import history, lanes, restraints

FREEZE: Final = "freeze"
THAW: Final = "thaw"
HOLD: Final = "hold"
RESUME: Final = "resume"
ENDS = {THAW: FREEZE, RESUME: HOLD}


def record(s: Session, decision: Signer, request: RecordRestraint) -> RestraintAnswer:
    """Begin or end what the request says, once. Raises NotFound (freeze_not_found, hold_not_found)."""
    lanes.lock(s, request.project, request.environment)
    if request.kind in ENDS:
        return _end(s, decision, request)
    if request.restraint is None:
        raise BadInput(Code.BAD_REQUEST, f"a {request.kind} needs an id")
    _begin(s, decision, _new(request, request.restraint))
    return RestraintAnswer(restraints=(request.restraint,))


def leave_hold(s: Session, request: LeaveHold) -> None:
    """Leave a hold behind a deployment, once; its id is made from the deployment's."""
    lanes.lock(s, request.project, request.environment)
    hold = RestraintRecord(
        id=_id_from(request.deployment),
        kind=HOLD,
        project=request.project,
        environment=request.environment,
        reason=request.reason,
        actor=SYSTEM,
        since=request.time,
        deployment=request.deployment,
    )
    _begin(s, None, hold)


def _new(request: RecordRestraint, id: str) -> RestraintRecord:
    return RestraintRecord(
        id=id,
        kind=request.kind,
        project=request.project,
        environment=request.environment,
        reason=request.reason,
        actor=request.actor,
        since=request.time,
        until=request.until,
    )


def _begin(s: Session, decision: Signer | None, restraint: RestraintRecord) -> None:
    if restraints.get(s, restraint.id) is not None:
        return
    restraints.add(s, restraint)
    _note(s, restraint, restraint.kind, actor=restraint.actor, time=restraint.since)
    if restraint.kind == FREEZE and decision is not None:
        _seal(s, decision, restraint, FREEZE, actor=restraint.actor, time=restraint.since)


def _end(s: Session, decision: Signer, request: RecordRestraint) -> RestraintAnswer:
    ending = _to_end(s, request, ENDS[request.kind])
    for restraint in ending:
        if restraint.ended_at is not None:  # by an earlier try of this same request
            continue
        restraints.end(s, restraint.id, time=request.time, actor=request.actor)
        _note(s, restraint, request.kind, actor=request.actor, time=request.time)
        if request.kind == THAW:
            _seal(s, decision, restraint, THAW, actor=request.actor, time=request.time)
    return RestraintAnswer(restraints=tuple(r.id for r in ending))


def _to_end(s: Session, request: RecordRestraint, kind: str) -> list[RestraintRecord]:
    if request.restraint is None:
        return restraints.open_at(s, request.project, request.environment, request.time, kind)
    found = restraints.get(s, request.restraint)
    place = (kind, request.project, request.environment)
    if found is None or (found.kind, found.project, found.environment) != place or _is_over(found, request.time):
        code = Code.FREEZE_NOT_FOUND if kind == FREEZE else Code.HOLD_NOT_FOUND
        raise NotFound(code, f"{request.environment} has no open {kind} {request.restraint}")
    return [found]


def _is_over(restraint: RestraintRecord, now: datetime) -> bool:
    ended = restraint.ended_at is not None and restraint.ended_at != now
    return ended or (restraint.until is not None and restraint.until <= now)


def _note(s: Session, restraint: RestraintRecord, type: str, *, actor: str, time: datetime) -> None:
    until = restraint.until.isoformat() if restraint.until else None
    history.append_next(
        s,
        subject=names.environment_subject(restraint.project, restraint.environment),
        type=type,
        time=time,
        actor=actor,
        data={
            "restraint": restraint.id,
            "reason": restraint.reason,
            "until": until,
            "deployment": restraint.deployment,
        },
    )


def _seal(
    s: Session,
    decision: Signer,
    restraint: RestraintRecord,
    change: Literal["freeze", "thaw"],
    *,
    actor: str,
    time: datetime,
) -> None:
    statement = statements.freeze(
        project=restraint.project,
        environment=restraint.environment,
        change=change,
        restraint=restraint.id,
        actor=actor,
        reason=restraint.reason,
        time=time,
        until=restraint.until,
    )
    sealing.seal(
        s,
        decision,
        project=restraint.project,
        key=f"{change}/{restraint.id}",
        kind="freeze",
        promotion=None,
        statement=statement,
        time=time,
    )


def _id_from(text: str) -> str:
    digest = hashlib.sha256(f"hold/{text}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:12]
