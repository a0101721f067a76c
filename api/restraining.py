"""Freezes and holds by way of their lane, which is the only one to write them."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi.concurrency import run_in_threadpool
from pydantic import AfterValidator, Field, StringConstraints

from api.deps import Place
from api.instants import Instant
from api.services import Services
from fairlead.commands.ids import id_from
from fairlead.contracts.base import Strict
from fairlead.contracts.messages import RestraintAnswer, RestraintRequest
from fairlead.contracts.records import RestraintRecord
from fairlead.domain.codes import Code
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import BadInput, Conflict, Flaw, NotFound
from fairlead.store import restraints

ENDING = {"freeze": "thaw", "hold": "resume"}
_NOT_FOUND = {"freeze": Code.FREEZE_NOT_FOUND, "hold": Code.HOLD_NOT_FOUND}


class NewRestraint(Strict):
    """Why, and until when: an instant, or a duration from now (`1h30m`); neither means until it is lifted."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S"), AfterValidator(str.strip)]
    until: Instant | None = None
    for_: str | None = Field(default=None, alias="for", max_length=40)


async def begin(
    services: Services, kind: str, place: Place, actor: str, wanted: NewRestraint, update_id: str
) -> RestraintRecord:
    """Freeze or hold an environment."""
    until = until_of(wanted, services.now())
    request = RestraintRequest(
        request=update_id, actor=actor, reason=wanted.reason, until=until, restraint=id_from(update_id)
    )
    answer = await services.orchestrator.restrain(kind, place.project, place.name, request, update_id)
    return (await run_in_threadpool(_read, services, answer))[0]


async def end(
    services: Services, kind: str, place: Place, actor: str, prefix: str | None, update_id: str
) -> tuple[RestraintRecord, ...]:
    """End one freeze or hold by id or unique prefix, or all that are open. Raises NotFound (freeze_not_found, hold_not_found)."""
    id = None if prefix is None else await run_in_threadpool(_open_one, services, kind, place, prefix)
    request = RestraintRequest(request=update_id, actor=actor, restraint=id)
    answer = await services.orchestrator.restrain(ENDING[kind], place.project, place.name, request, update_id)
    return await run_in_threadpool(_read, services, answer)


def until_of(wanted: NewRestraint, now: datetime) -> datetime | None:
    """When it ends by itself. Raises BadInput."""
    if wanted.until is not None and wanted.for_ is not None:
        raise _bad_until("give `until` or `for`, not both", "/for")
    try:
        until = wanted.until if wanted.for_ is None else now + timedelta(seconds=parse_duration(wanted.for_))
    except ValueError as error:
        flaw = Flaw(Code.BAD_DURATION, str(error), "/for")
        raise BadInput(Code.BAD_DURATION, str(error), flaws=[flaw]) from error
    if until is not None and until <= now:
        raise _bad_until("it would be over before it begins", "/until")
    return until


def _bad_until(detail: str, pointer: str) -> BadInput:
    return BadInput(Code.BAD_VALUE, detail, flaws=[Flaw(Code.BAD_VALUE, detail, pointer)])


def _open_one(services: Services, kind: str, place: Place, prefix: str) -> str:
    with services.database.session() as s:
        found = restraints.open_at(s, place.project, place.name, services.now(), kind)
    ids = [restraint.id for restraint in found if restraint.id.startswith(prefix)]
    if not ids:
        raise NotFound(_NOT_FOUND[kind], f"{place.name} has no open {kind} {prefix!r:.60}")
    if len(ids) > 1:
        raise Conflict(Code.AMBIGUOUS_ID, f"several begin with {prefix}", fields={"ids": ids})
    return ids[0]


def _read(services: Services, answer: RestraintAnswer) -> tuple[RestraintRecord, ...]:
    with services.database.session() as s:
        found = [restraints.get(s, id) for id in answer.restraints]
    return tuple(restraint for restraint in found if restraint is not None)
