"""What applications printed: on a target now, or in the tasks of a deployment or promotion."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api import logs
from api.deps import CallerDep, ProjectDep, PromotionDep, ServicesDep, find_deployment
from api.logs import TargetLogs, TaskLogs
from api.route import Route
from fairlead.contracts.logs import MOST_LINES, ReadLogs
from fairlead.store import deployments

router = APIRouter(tags=["logs"], route_class=Route)

Lines = Annotated[int, Query(ge=1, le=MOST_LINES, description="how many of the last lines")]
MaybeTarget = Annotated[str | None, Query(max_length=100, description="of this target only")]


@router.get("/projects/{project}/targets/{target}/logs")
async def read_target(
    project: ProjectDep,
    target: Annotated[str, Path(max_length=100)],
    services: ServicesDep,
    component: Annotated[str | None, Query(max_length=100)] = None,
    lines: Lines = 100,
) -> TargetLogs:
    """The last lines of what runs on a target, read now; secrets are masked."""
    request = ReadLogs(project=project, target=target, component=component, lines=lines)
    return await logs.live(services, request)


@router.get("/promotions/{id}/logs")
def read_promotion(
    promotion: PromotionDep, services: ServicesDep, target: MaybeTarget = None, lines: Lines = 100
) -> TaskLogs:
    """The last lines kept of its tasks, those of its rollback too; they grow while it runs."""
    with services.database.session() as s:
        ids = [deployment.id for deployment in deployments.of_promotion(s, promotion.id)]
        return logs.kept(s, promotion.project, ids, target, lines)


@router.get("/deployments/{id}/logs")
def read_deployment(
    id: Annotated[str, Path(max_length=100)],
    caller: CallerDep,
    services: ServicesDep,
    target: MaybeTarget = None,
    lines: Lines = 100,
) -> TaskLogs:
    """The last lines kept of its tasks; they grow while it runs."""
    with services.database.session() as s:
        record = find_deployment(s, caller, id)
        return logs.kept(s, record.project, [record.id], target, lines)
