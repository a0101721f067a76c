"""Facts about images, as scanners and people report them."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query, Request
from fastapi.concurrency import run_in_threadpool

from api import poking
from api.bodies import raw_body
from api.deps import CallerDep, ProjectDep, ServicesDep
from api.route import Route
from fairlead.commands.reports import MAX_REPORT_BYTES, import_report
from fairlead.contracts.records import ReportRecord

router = APIRouter(prefix="/projects/{project}/reports", tags=["reports"], route_class=Route)

_DOCUMENT = {
    "requestBody": {
        "required": True,
        "description": "Trivy JSON or OpenVEX, as it is",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post("", status_code=201, openapi_extra=_DOCUMENT)
@raw_body(MAX_REPORT_BYTES)
async def import_document(
    request: Request,
    project: ProjectDep,
    digest: Annotated[str, Query(max_length=100, description="the manifest digest that it is about")],
    caller: CallerDep,
    services: ServicesDep,
    background: BackgroundTasks,
) -> ReportRecord:
    """Import a scan report or VEX document."""
    body = await request.body()
    record = await run_in_threadpool(
        import_report, services.database, project, digest, body, actor=caller.subject, now=services.now()
    )
    background.add_task(poking.poke_project, services, project)
    return record
