"""Retiring targets, environments and components: what it would take down or hand over, and the promotion that does."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Response
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
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.catalogue import Catalogue
from fairlead.store import promotions

router = APIRouter(prefix="/projects/{project}", tags=["retirements"], route_class=Route)

Find = Callable[[Session, Catalogue], Retirement | None]
"""What is meant by the path, None for a target of no environment."""


class NewRetirement(Strict):
    """`reason`: why; `through_hold`: the reason for which a person passes a hold; `hand_over`: what runs is left running, and given up."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"\S")]
    through_hold: Annotated[str, Field(max_length=1000)] | None = None
    hand_over: bool = False


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


class Asking:
    """A request to retire something: who asks, why, and where the answer goes."""

    def __init__(
        self,
        project: ProjectDep,
        wanted: NewRetirement,
        caller: CallerDep,
        services: ServicesDep,
        id: NewIdDep,
        response: Response,
        background: BackgroundTasks,
    ) -> None:
        self._project, self._wanted, self._caller, self._services, self._id = project, wanted, caller, services, id
        self._response, self._background = response, background

    async def retire(self, find: Find, alone: str = "") -> Asked:
        """Start the promotion that takes it down. `alone`: a target that may belong to no environment."""
        record = await run_in_threadpool(self._record, find, alone)
        if record is None:
            self._background.add_task(poking.poke_project, self._services, self._project)
            return Asked(retired=True)
        await start(self._services, record, self._response)
        return Asked(retired=False, promotion=promotion_summary(record))

    def _record(self, find: Find, alone: str) -> PromotionRecord | None:
        """The promotion that a first try of the same request made, or a new one."""
        db, now = self._services.database, self._services.now()
        with db.session() as s:
            if known := promotions.get(s, self._id):
                return known
            meant = _meant(find(s, of_project(s, self._project)), self._wanted.hand_over)
        who, reason = self._caller.subject, self._wanted.reason
        if meant is None:
            retiring.retire_alone(db, self._project, alone, requester=who, reason=reason, now=now)
            return None
        through = self._wanted.through_hold
        return retiring.request(
            db, self._project, meant, requester=who, reason=reason, now=now, through_hold=through, id=self._id
        )


AskingDep = Annotated[Asking, Depends()]
HandOver = Annotated[bool, Query(description="leave what runs running, and give it up")]


@router.get("/targets/{target}/retirement")
def preview_target(
    project: ProjectDep, target: str, services: ServicesDep, hand_over: HandOver = False
) -> previews.Preview:
    """What retiring a target would take down."""
    return _preview(services, project, _target(target), target, hand_over)


@router.get("/environments/{env}/retirement")
def preview_environment(
    project: ProjectDep, env: str, services: ServicesDep, hand_over: HandOver = False
) -> previews.Preview:
    """What retiring an environment would take down."""
    return _preview(services, project, _environment(env), env, hand_over)


@router.get("/environments/{env}/components/{component}/retirement")
def preview_component(
    project: ProjectDep, env: str, component: str, services: ServicesDep, hand_over: HandOver = False
) -> previews.Preview:
    """What retiring a component would take down, and what would stay."""
    return _preview(services, project, _component(env, component), component, hand_over)


@router.post("/targets/{target}/retirement", status_code=202)
async def retire_target(target: str, asking: AskingDep) -> Asked:
    """Take down what runs on a target, or hand it over; afterwards no promotion goes there."""
    return await asking.retire(_target(target), alone=target)


@router.post("/environments/{env}/retirement", status_code=202)
async def retire_environment(env: str, asking: AskingDep) -> Asked:
    """Take down all that runs in an environment, or hand it over; afterwards no promotion goes there."""
    return await asking.retire(_environment(env))


@router.post("/environments/{env}/components/{component}/retirement", status_code=202)
async def retire_component(env: str, component: str, asking: AskingDep) -> Asked:
    """Take a component down on all targets of an environment; afterwards no promotion brings it there."""
    return await asking.retire(_component(env, component))


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


def _meant(found: Retirement | None, hand_over: bool) -> Retirement | None:
    return found.handing_over() if found and hand_over else found


def _preview(services: Services, project: str, find: Find, name: str, hand_over: bool) -> previews.Preview:
    with services.database.session() as s:
        catalogue = of_project(s, project)
        wanted = _meant(find(s, catalogue), hand_over)
        if wanted is None:
            raise retiring.nothing_in(project, name)
        return previews.compared(s, retiring.preview_plan(s, catalogue, wanted))
