"""Deployments: waves, tasks and what was seen."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path

from api.deps import CallerDep, ServicesDep, find_deployment
from api.route import Route
from api.shapes import DeploymentSummary, TaskView, task_view
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import DeploymentRecord, ObservationRecord, TaskRecord
from fairlead.store import deployments, observations

router = APIRouter(tags=["deployments"], route_class=Route)


class Observation(Frozen):
    """What was seen on a target, and the digest it is kept by."""

    target: str
    time: datetime
    digest: Digest
    content: dict[str, Any]


class DeploymentView(DeploymentSummary):
    """A deployment with its tasks wave by wave, and all that was seen for it."""

    promotion: str
    project: str
    environment: str
    release_digest: Digest
    plan: Digest
    decision: Digest | None
    rollback_of: str | None
    sequence: int
    created_at: datetime
    verified_at: datetime | None
    ended_at: datetime | None
    waves: tuple[tuple[TaskView, ...], ...]
    observations: tuple[Observation, ...]


@router.get("/deployments/{id}")
def show_deployment(
    id: Annotated[str, Path(max_length=100)], caller: CallerDep, services: ServicesDep
) -> DeploymentView:
    """A deployment, by id or unique prefix (`<promotion>` or `<promotion>.rollback`)."""
    with services.database.session() as s:
        record = find_deployment(s, caller, id)
        return _view(record, deployments.tasks(s, record.id), observations.of_deployment(s, record.id))


def _view(record: DeploymentRecord, tasks: list[TaskRecord], seen: list[ObservationRecord]) -> DeploymentView:
    waves = sorted({task.wave for task in tasks})
    return DeploymentView(
        **record.model_dump(),
        waves=tuple(tuple(task_view(task) for task in tasks if task.wave == wave) for wave in waves),
        observations=tuple(Observation(**observation.model_dump()) for observation in seen),
    )
