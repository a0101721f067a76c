"""Environments: what runs and queues there, what blocks it, freezes, holds, rollbacks and observations."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import restraining
from api.deps import CallerDep, NewIdDep, Place, PlaceDep, ProjectDep, ServicesDep, UpdateIdDep
from api.drifting import TargetDrift, drift_of
from api.pages import Page, SliceDep, page
from api.places import (
    EnvironmentView,
    EnvironmentWhy,
    environment_view,
    environment_why,
    in_order,
)
from api.restraining import NewRestraint
from api.route import Route
from api.shapes import PromotionSummary
from api.starting import request
from fairlead.commands import promotions
from fairlead.commands.catalogue import of_project
from fairlead.contracts import names
from fairlead.contracts.base import Frozen, Strict
from fairlead.contracts.records import EventRecord, RestraintRecord
from fairlead.store import history

router = APIRouter(prefix="/projects/{project}/environments/{env}", tags=["environments"], route_class=Route)


listing = APIRouter(prefix="/projects/{project}/environments", tags=["environments"], route_class=Route)


class Environments(Frozen):
    """All environments of a project."""

    items: tuple[EnvironmentView, ...]


class NewRollback(Strict):
    """`to`: a release; without it the one verified there before the present one."""

    to: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    reason: Annotated[str, Field(max_length=1000)] = ""


class Observations(Frozen):
    """The latest look at each target."""

    items: tuple[TargetDrift, ...]


class Ended(Frozen):
    """Freezes or holds that were open and have been ended."""

    items: tuple[RestraintRecord, ...]


@listing.get("")
def list_environments(project: ProjectDep, services: ServicesDep) -> Environments:
    """Every environment, along the promotion graph."""
    with services.database.session() as s:
        known = of_project(s, project)
        places = [Place(project, known, known.environments[name]) for name in in_order(known)]
        return Environments(items=tuple(environment_view(s, place, services.now()) for place in places))


@router.get("")
def show_environment(place: PlaceDep, services: ServicesDep) -> EnvironmentView:
    """Running release per target, queue, freezes, holds."""
    with services.database.session() as s:
        return environment_view(s, place, services.now())


@router.get("/why")
def why_environment(place: PlaceDep, services: ServicesDep) -> EnvironmentWhy:
    """What blocks the environment."""
    with services.database.session() as s:
        return environment_why(s, place, services.now())


@router.get("/observations")
def show_observations(place: PlaceDep, services: ServicesDep) -> Observations:
    """What was last seen on each target, what differed from what was verified there, and what of that is drift."""
    with services.database.session() as s:
        return Observations(items=drift_of(s, place, services.now()))


@router.get("/events")
def list_events(
    place: PlaceDep,
    services: ServicesDep,
    asked: SliceDep,
    after: Annotated[int, Query(ge=-1, description="the sequence last seen, instead of a cursor")] = -1,
) -> Page[EventRecord]:
    """Freezes, holds and drift as they came and went, in order."""
    last = after if asked.place is None else asked.place
    with services.database.session() as s:
        rows = history.events(s, names.environment_subject(place.project, place.name), last, asked.limit + 1)
    return page(rows, asked, lambda row: row.sequence, lambda row: row)


@router.post("/rollbacks", status_code=202)
async def request_rollback(
    project: ProjectDep,
    env: str,
    wanted: NewRollback,
    caller: CallerDep,
    services: ServicesDep,
    id: NewIdDep,
    response: Response,
) -> PromotionSummary:
    """Go back to a release that was verified there before."""
    make = partial(
        promotions.request_rollback,
        services.database,
        project,
        env,
        requester=caller.subject,
        now=services.now(),
        to=wanted.to,
        reason=wanted.reason,
        id=id,
    )
    return await request(services, id, response, make)


@router.post("/freezes", status_code=201)
async def freeze(
    place: PlaceDep, wanted: NewRestraint, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep
) -> RestraintRecord:
    """Let nobody change the environment, rollbacks apart."""
    return await restraining.begin(services, "freeze", place, caller.subject, wanted, update_id)


@router.post("/holds", status_code=201)
async def hold(
    place: PlaceDep, wanted: NewRestraint, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep
) -> RestraintRecord:
    """Stop automation in the environment."""
    return await restraining.begin(services, "hold", place, caller.subject, wanted, update_id)


@router.delete("/freezes")
async def thaw(place: PlaceDep, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep) -> Ended:
    """End every open freeze."""
    return Ended(items=await restraining.end(services, "freeze", place, caller.subject, None, update_id))


@router.delete("/holds")
async def resume(place: PlaceDep, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep) -> Ended:
    """End every open hold."""
    return Ended(items=await restraining.end(services, "hold", place, caller.subject, None, update_id))


@router.delete("/freezes/{id}")
async def end_freeze(
    place: PlaceDep, id: str, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep
) -> Ended:
    """End one freeze, by id or unique prefix."""
    return Ended(items=await restraining.end(services, "freeze", place, caller.subject, id, update_id))


@router.delete("/holds/{id}")
async def end_hold(place: PlaceDep, id: str, caller: CallerDep, services: ServicesDep, update_id: UpdateIdDep) -> Ended:
    """End one hold, by id or unique prefix."""
    return Ended(items=await restraining.end(services, "hold", place, caller.subject, id, update_id))
