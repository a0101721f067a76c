"""The last lines that applications printed: live through a worker, else what is kept."""

from datetime import datetime
from typing import Literal

from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session

from api.services import Services
from fairlead.commands import inventory
from fairlead.commands.catalogue import of_project
from fairlead.commands.ids import new_id
from fairlead.contracts.base import Frozen
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.records import LogRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Unavailable
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.states import TaskState
from fairlead.store import deployments, logs


class ComponentLog(Frozen):
    """The end of what a component printed on a target, as it was at `time`."""

    target: str
    component: str
    deployment: str
    time: datetime
    lines: tuple[str, ...]


class TargetLogs(Frozen):
    """`live`: read just now. `unavailable`: it could not be, `code` says why; the items are what was kept before."""

    project: str
    target: str
    state: Literal["live", "unavailable"]
    code: str | None = None
    detail: str = ""
    items: tuple[ComponentLog, ...]


class TaskLog(ComponentLog):
    """Lines kept of a task, and how the task stands."""

    state: TaskState
    code: str | None


class TaskLogs(Frozen):
    """What is kept of a deployment, or of all of a promotion."""

    items: tuple[TaskLog, ...]


async def live(services: Services, request: ReadLogs) -> TargetLogs:
    """What runs on a target printed. Raises NotFound (target_not_found, component_not_found)."""
    await run_in_threadpool(_require_target, services, request)
    try:
        read = await services.orchestrator.read_logs(request, new_id())
    except Unavailable as error:
        read = LogsRead(code=str(error.code), detail=error.detail)
    return await run_in_threadpool(_answer, services, request, read)


def kept(s: Session, project: str, ids: list[str], target: str | None, lines: int) -> TaskLogs:
    """The lines of these deployments' tasks."""
    found: list[TaskLog] = []
    for id in ids:
        tasks = {task.target: task for task in deployments.tasks(s, id)}
        for record in reversed(logs.of_deployment(s, project, id)):
            task = tasks.get(record.target)
            if task is not None and target in {None, record.target}:
                shown = _shown(record, lines).model_dump()
                found.append(TaskLog(**shown, state=task.state, code=task.code))
    return TaskLogs(items=tuple(found))


def _require_target(services: Services, request: ReadLogs) -> None:
    with services.database.session() as s:
        known = of_project(s, request.project)
    inventory.require_target(known, request.target)
    if request.component is not None and request.component not in known.components:
        detail = f"{request.project} has no component {request.component!r:.60}"
        raise NotFound(Code.COMPONENT_NOT_FOUND, detail + did_you_mean(request.component, known.components))


def _answer(services: Services, request: ReadLogs, read: LogsRead) -> TargetLogs:
    with services.database.session() as s:
        found = logs.of_target(s, request.project, request.target)
    newest = read.deployment or (found[0].deployment if found else "")
    items = [r for r in found if r.deployment == newest and request.component in {None, r.component}]
    return TargetLogs(
        project=request.project,
        target=request.target,
        state="unavailable" if read.code else "live",
        code=read.code,
        detail=read.detail,
        items=tuple(_shown(record, request.lines) for record in items),
    )


def _shown(record: LogRecord, lines: int) -> ComponentLog:
    known = record.model_dump(exclude={"project", "text"})
    return ComponentLog(**known, lines=tuple(record.text.splitlines()[-lines:]))
