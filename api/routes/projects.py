"""Projects: their catalogue, what a promotion would do, the matrix, and the keys to trust."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query, Request
from fastapi.concurrency import run_in_threadpool

from api import applying, forecasting, planning, poking
from api.bodies import raw_body
from api.deps import CallerDep, ProjectDep, ServicesDep
from api.places import Matrix, matrix
from api.route import Route
from fairlead.commands import catalogue, previews, sealing
from fairlead.contracts.records import ProjectRecord
from fairlead.store import projects

router = APIRouter(prefix="/projects/{project}", tags=["projects"], route_class=Route)

_CATALOGUE = {
    "requestBody": {
        "required": True,
        "description": "fairlead.yaml, as YAML or JSON",
        "content": {
            "application/yaml": {"schema": {"type": "object"}},
            "application/json": {"schema": {"type": "object"}},
            applying.MEDIA_TYPE: {"schema": applying.Bundled.model_json_schema()},
        },
    }
}


@router.put("", openapi_extra=_CATALOGUE)
@raw_body()
async def apply_catalogue(
    request: Request,
    project: ProjectDep,
    caller: CallerDep,
    services: ServicesDep,
    background: BackgroundTasks,
    dry_run: bool = False,
    file: Annotated[str, Query(max_length=200)] = catalogue.DEFAULT_FILE,
    shown: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> catalogue.Applied:
    """Make a project what its catalogue says; answers the diff, with `dry_run` only that.

    `file`: what errors are to call it; `shown`: the revision that the changes were shown against, refused (`catalogue_changed`) at any other.
    """
    body, media_type = await request.body(), request.headers.get("content-type", "")
    declared = await run_in_threadpool(applying.read, body, media_type, file)
    applied = await run_in_threadpool(applying.apply, services, caller, project, declared, dry_run=dry_run, shown=shown)
    if applied.changes and not dry_run:
        background.add_task(poking.poke_project, services, project)
    return applied


@router.get("")
def show_project(project: ProjectDep, services: ServicesDep) -> ProjectRecord:
    """A project and its catalogue in normal form."""
    with services.database.session() as s:
        catalogue.of_project(s, project)  # says what was meant where there is none
        record = projects.get(s, project)
    assert record is not None  # noqa: S101 (it was there in this transaction)
    return record


@router.get("/plan")
def dry_run(
    project: ProjectDep,
    release: Annotated[str, Query(max_length=200)],
    environment: Annotated[str, Query(max_length=100)],
    services: ServicesDep,
) -> previews.Preview:
    """What promoting a release would change."""
    return planning.dry_run(services, project, environment, release)


@router.get("/plan/targets")
async def dry_run_on_targets(
    project: ProjectDep,
    release: Annotated[str, Query(max_length=200)],
    environment: Annotated[str, Query(max_length=100)],
    services: ServicesDep,
) -> forecasting.PlanOnTargets:
    """The same, and what the targets themselves say would change there: a worker asks each, and changes nothing."""
    preview = await run_in_threadpool(planning.dry_run, services, project, environment, release)
    return await forecasting.on_targets(services, preview)


@router.get("/matrix")
def show_matrix(project: ProjectDep, services: ServicesDep) -> Matrix:
    """Components x environments."""
    with services.database.session() as s:
        return matrix(s, catalogue.of_project(s, project))


@router.get("/trust")
def trust(project: ProjectDep, services: ServicesDep) -> dict[str, Any]:
    """The trust file: hand it over out of band."""
    with services.database.session() as s:
        return sealing.trust_file(
            s, project, decision=services.decision, ledger=services.ledger, agents=services.agents
        )
