"""Deployments: waves, tasks and what was seen."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse
from sqlmodel import Session

from api.deps import CallerDep, ServicesDep, find_deployment
from api.route import Route
from api.shapes import DeploymentSummary, TaskView, task_view
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import DIGEST_PATTERN, Digest
from fairlead.contracts.records import DeploymentRecord, ObservationRecord, SentRecord, TaskRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store import deployments, observations
from fairlead.store.artifacts import last_sent

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


class SentFiles(Frozen):
    """What was sent to one target: the files of the last attempt that got so far."""

    target: str
    files: tuple[SentRecord, ...]


class SentList(Frozen):
    """What a deployment sent to its targets."""

    items: tuple[SentFiles, ...]


@router.get("/deployments/{id}/artifacts")
def list_artifacts(id: Annotated[str, Path(max_length=100)], caller: CallerDep, services: ServicesDep) -> SentList:
    """The files that were sent to each target, by name and digest; secrets stand in them as references."""
    with services.database.session() as s:
        record = find_deployment(s, caller, id)
        return SentList(items=_sent(s, record))


@router.get("/deployments/{id}/artifacts/{digest}", response_class=PlainTextResponse)
def show_artifact(
    id: Annotated[str, Path(max_length=100)],
    digest: Annotated[str, Path(pattern=DIGEST_PATTERN)],
    caller: CallerDep,
    services: ServicesDep,
) -> str:
    """One of them, as it was sent."""
    with services.database.session() as s:
        record = find_deployment(s, caller, id)
        known = {file.digest for sent in _sent(s, record) for file in sent.files}
    if digest not in known:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"deployment {record.id} sent no file {digest}")
    return services.kept.get(record.project, digest)


def _sent(s: Session, record: DeploymentRecord) -> tuple[SentFiles, ...]:
    names = [task.target for task in deployments.tasks(s, record.id) if task.touched]
    return tuple(SentFiles(target=name, files=last_sent(s, record.id, name)) for name in names)


def _view(record: DeploymentRecord, tasks: list[TaskRecord], seen: list[ObservationRecord]) -> DeploymentView:
    waves = sorted({task.wave for task in tasks})
    return DeploymentView(
        **record.model_dump(),
        waves=tuple(tuple(task_view(task) for task in tasks if task.wave == wave) for wave in waves),
        observations=tuple(Observation(**observation.model_dump()) for observation in seen),
    )
