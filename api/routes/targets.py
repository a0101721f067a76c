"""Targets: the inventory, maintenance, return."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from api import checking, poking
from api import inventory as shown
from api.deps import CallerDep, ProjectDep, ServicesDep
from api.inventory import TargetView
from api.pages import Page, SliceDep, page
from api.restraining import NewRestraint, until_of
from api.route import Route
from api.services import Services
from fairlead.commands import inventory
from fairlead.commands.catalogue import of_project
from fairlead.commands.inventory import TargetStatus
from fairlead.contracts import names
from fairlead.contracts.base import Frozen, Strict
from fairlead.contracts.checks import TargetChecked
from fairlead.contracts.records import EventRecord
from fairlead.store import history

router = APIRouter(prefix="/projects/{project}", tags=["targets"], route_class=Route)


class Targets(Frozen):
    """Targets by name."""

    items: tuple[TargetView, ...]


class NewReason(Strict):
    """Why."""

    reason: Annotated[str, Field(max_length=1000)] = ""


class NewChecks(Strict):
    """`target`: only this one."""

    target: Annotated[str, Field(max_length=100)] | None = None


class Checks(Frozen):
    """What was found, target by target."""

    items: tuple[TargetChecked, ...]


@router.get("/targets")
def list_targets(
    project: ProjectDep,
    services: ServicesDep,
    label: Annotated[list[str], Query(max_length=200, description="NAME=VALUE; all of them are asked for")] = [],  # noqa: B006 - FastAPI copies it
) -> Targets:
    """Every target, or those with certain labels."""
    labels = shown.labels_of(label)
    with services.database.session() as s:
        return Targets(items=shown.targets(s, of_project(s, project), services.now(), labels))


@router.post("/target-checks")
async def check(project: ProjectDep, wanted: NewChecks, services: ServicesDep) -> Checks:
    """Have a worker ask targets whether they are fit to be deployed to: reached, version, clock, room, rights."""
    names = await run_in_threadpool(_to_check, services, project, wanted.target)
    return Checks(items=await checking.check_all(services, project, names))


@router.get("/targets/{target}")
def show_target(project: ProjectDep, target: str, services: ServicesDep) -> TargetView:
    """A target, its labels, its state, and what runs there."""
    with services.database.session() as s:
        return shown.target(s, of_project(s, project), target, services.now())


@router.get("/targets/{target}/events")
def list_events(project: ProjectDep, target: str, services: ServicesDep, asked: SliceDep) -> Page[EventRecord]:
    """Maintenance, retirement and return, in order; also of a target that is in no catalogue any more."""
    last = -1 if asked.place is None else asked.place
    with services.database.session() as s:
        rows = history.events(s, names.target_subject(project, target), last, asked.limit + 1)
        if not rows:
            inventory.require_target(of_project(s, project), target)
    return page(rows, asked, lambda row: row.sequence, lambda row: row)


@router.post("/targets/{target}/maintenance")
async def begin_maintenance(
    project: ProjectDep,
    target: str,
    wanted: NewRestraint,
    caller: CallerDep,
    services: ServicesDep,
    background: BackgroundTasks,
) -> TargetStatus:
    """Let no promotion change a target for a while."""
    until = until_of(wanted, services.now())
    status = await run_in_threadpool(
        inventory.start_maintenance,
        services.database,
        project,
        target,
        actor=caller.subject,
        reason=wanted.reason,
        now=services.now(),
        until=until,
    )
    background.add_task(poking.poke_project, services, project)
    return status


@router.post("/targets/{target}/activate")
async def activate(
    project: ProjectDep,
    target: str,
    caller: CallerDep,
    services: ServicesDep,
    background: BackgroundTasks,
    wanted: NewReason | None = None,
) -> TargetStatus:
    """Let promotions go to a target again."""
    status = await run_in_threadpool(
        inventory.activate,
        services.database,
        project,
        target,
        actor=caller.subject,
        now=services.now(),
        reason=wanted.reason if wanted else "",
    )
    background.add_task(poking.poke_project, services, project)
    return status


def _to_check(services: Services, project: str, target: str | None) -> list[str]:
    with services.database.session() as s:
        catalogue = of_project(s, project)
    return sorted(catalogue.targets) if target is None else [inventory.require_target(catalogue, target).name]
