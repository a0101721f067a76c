"""Retiring targets, environments and components: what it would take down, and the promotion that does."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, StringConstraints
from sqlmodel import Session

from api import poking
from api.deps import CallerDep, NewIdDep, ProjectDep, ServicesDep
from api.route import Route
from api.services import Services
from api.shapes import PromotionSummary, promotion_summary
from api.starting import start
from fairlead.commands import inventory, previews, retiring
from fairlead.commands.catalogue import of_project
from fairlead.commands.promotions import require_environment
from fairlead.commands.retiring import Retirement
from fairlead.contracts.base import Frozen, Strict
from fairlead.contracts.records import KeyRecord, PromotionRecord
from fairlead.domain.catalogue import Catalogue
from fairlead.store import promotions

router = APIRouter(prefix="/projects/{project}", tags=["retirements"], route_class=Route)

Find = Callable[[Session, Catalogue], Retirement | None]
"""What is meant by the path, None for a target of no environment."""


class NewRetirement(Strict):
    """`reason`: why; `through_hold`: the reason for which a person passes a hold."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]
    through_hold: Annotated[str, Field(max_length=1000)] | None = None


class Asked(Frozen):
    """`promotion`: the one that takes down what runs; None where nothing did, so that it is retired now."""

    retired: bool
    promotion: PromotionSummary | None = None


class Returned(Frozen):
    """`was_retired`: whether there was anything to do."""

    component: str
    environment: str
    was_retired: bool


def _target(name: str) -> Find:
    return lambda _, catalogue: retiring.of_target(catalogue, name)


def _environment(name: str) -> Find:
    return lambda _, catalogue: retiring.of_environment(catalogue, name)


def _component(environment: str, name: str) -> Find:
    return lambda s, catalogue: retiring.of_component(s, catalogue, environment, name)


@router.get("/targets/{target}/retirement")
def preview_target(project: ProjectDep, target: str, services: ServicesDep) -> previews.Preview:
    """What retiring a target would take down."""
    return _preview(services, project, _target(target), target)


@router.get("/environments/{env}/retirement")
def preview_environment(project: ProjectDep, env: str, services: ServicesDep) -> previews.Preview:
    """What retiring an environment would take down."""
    return _preview(services, project, _environment(env), env)


@router.get("/environments/{env}/components/{component}/retirement")
def preview_component(project: ProjectDep, env: str, component: str, services: ServicesDep) -> previews.Preview:
    """What retiring a component would take down, and what would stay."""
    return _preview(services, project, _component(env, component), component)


@router.post("/targets/{target}/retirement", status_code=202)
async def retire_target(
    project: ProjectDep,
    target: str,
    wanted: NewRetirement,
    caller: CallerDep,
    services: ServicesDep,
    id: NewIdDep,
    response: Response,
    background: BackgroundTasks,
) -> Asked:
    """Take down what runs on a target; afterwards no promotion goes there."""
    ask = partial(_ask, services, project, _target(target), wanted, caller, id, target)
    return await _retire(services, project, ask, response, background)


@router.post("/environments/{env}/retirement", status_code=202)
async def retire_environment(
    project: ProjectDep,
    env: str,
    wanted: NewRetirement,
    caller: CallerDep,
    services: ServicesDep,
    id: NewIdDep,
    response: Response,
    background: BackgroundTasks,
) -> Asked:
    """Take down all that runs in an environment; afterwards no promotion goes there."""
    ask = partial(_ask, services, project, _environment(env), wanted, caller, id)
    return await _retire(services, project, ask, response, background)


@router.post("/environments/{env}/components/{component}/retirement", status_code=202)
async def retire_component(
    project: ProjectDep,
    env: str,
    component: str,
    wanted: NewRetirement,
    caller: CallerDep,
    services: ServicesDep,
    id: NewIdDep,
    response: Response,
    background: BackgroundTasks,
) -> Asked:
    """Take a component down on all targets of an environment; afterwards no promotion brings it there."""
    ask = partial(_ask, services, project, _component(env, component), wanted, caller, id)
    return await _retire(services, project, ask, response, background)


@router.post("/environments/{env}/components/{component}/activate")
def activate_component(
    project: ProjectDep, env: str, component: str, caller: CallerDep, services: ServicesDep
) -> Returned:
    """Let promotions bring a component to an environment again."""
    with services.database.session() as s:
        require_environment(of_project(s, project), env)
    was_retired = inventory.activate_component(
        services.database, project, env, component, actor=caller.subject, now=services.now()
    )
    return Returned(component=component, environment=env, was_retired=was_retired)


def _preview(services: Services, project: str, find: Find, name: str) -> previews.Preview:
    with services.database.session() as s:
        catalogue = of_project(s, project)
        wanted = find(s, catalogue)
        if wanted is None:
            raise retiring.nothing_in(project, name)
        return previews.compared(s, retiring.preview_plan(s, catalogue, wanted))


def _ask(
    services: Services,
    project: str,
    find: Find,
    wanted: NewRetirement,
    caller: KeyRecord,
    id: str,
    alone: str = "",
) -> PromotionRecord | None:
    """The promotion that a first try of the same request made, or a new one. `alone`: a target of no environment."""
    with services.database.session() as s:
        if known := promotions.get(s, id):
            return known
        meant = find(s, of_project(s, project))
    db, now = services.database, services.now()
    if meant is None:
        retiring.retire_alone(db, project, alone, requester=caller.subject, reason=wanted.reason, now=now)
        return None
    return retiring.request(
        db,
        project,
        meant,
        requester=caller.subject,
        reason=wanted.reason,
        now=now,
        through_hold=wanted.through_hold,
        id=id,
    )


async def _retire(
    services: Services,
    project: str,
    ask: Callable[[], PromotionRecord | None],
    response: Response,
    background: BackgroundTasks,
) -> Asked:
    record = await run_in_threadpool(ask)
    if record is None:
        background.add_task(poking.poke_project, services, project)
        return Asked(retired=True)
    await start(services, record, response)
    return Asked(retired=False, promotion=promotion_summary(record))
