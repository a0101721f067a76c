"""Temporal as a client sees it: our workflows started by their business keys, messaged, and looked at; its errors mapped to ours."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHistoryEventFilterType,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from fairlead.contracts import names
from fairlead.contracts.messages import LaneInput, LaneRequest, PromotionInput
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Unavailable

RPC_TIMEOUT = timedelta(seconds=5)


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Raises NotFound for a workflow that is not there, Unavailable (temporal_unavailable) for all else that goes wrong."""
    try:
        yield
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise NotFound(Code.NOT_FOUND, "no such workflow is running") from error
        raise Unavailable(Code.TEMPORAL_UNAVAILABLE, f"Temporal does not answer: {error.message}") from error
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as error:
        raise Unavailable(
            Code.TEMPORAL_UNAVAILABLE,
            "no worker has answered yet; it may still happen",
            hint="ask again with the same Idempotency-Key",
        ) from error


def search_attributes(**values: str) -> TypedSearchAttributes:
    """Search attributes by name; all of ours are keywords."""
    pairs = (SearchAttributePair(SearchAttributeKey.for_keyword(name), value) for name, value in values.items())
    return TypedSearchAttributes(list(pairs))


async def start_promotion(client: Client, request: PromotionInput) -> bool:
    """Start a promotion's workflow unless it runs. False when it ran before and is closed: it never starts twice."""
    attributes = {
        names.ATTRIBUTE_PROJECT: request.project,
        names.ATTRIBUTE_ENVIRONMENT: request.environment,
        names.ATTRIBUTE_RELEASE: request.release,
    }
    try:
        with mapped_errors():
            await client.start_workflow(
                names.PROMOTION,
                request,
                id=names.promotion_workflow(request.promotion),
                task_queue=names.QUEUE_CONTROL,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=search_attributes(**attributes),
                static_summary=f"{request.release} to {request.environment} of {request.project}",
                rpc_timeout=RPC_TIMEOUT,
            )
    except WorkflowAlreadyStartedError:
        return False
    return True


def lane_start(project: str, environment: str) -> dict[str, Any]:
    """How a lane is started, as keyword arguments; where it runs already it is left as it is."""
    attributes = {names.ATTRIBUTE_PROJECT: project, names.ATTRIBUTE_ENVIRONMENT: environment}
    return {
        "id": names.lane_workflow(project, environment),
        "task_queue": names.QUEUE_CONTROL,
        "id_conflict_policy": WorkflowIDConflictPolicy.USE_EXISTING,
        "search_attributes": search_attributes(**attributes),
        "static_summary": f"Lane into {environment} of {project}",
    }


async def start_lane(client: Client, project: str, environment: str) -> None:
    """Start a lane unless it runs; it takes its queue up from Postgres."""
    lane = LaneInput(project=project, environment=environment)
    with mapped_errors():
        await client.start_workflow(names.LANE, lane, **lane_start(project, environment), rpc_timeout=RPC_TIMEOUT)


@asynccontextmanager
async def looked_at(start: Any) -> AsyncIterator[None]:
    """The SDK tells a failed or cancelled start a second time, in a future that complains when nobody looks at it."""
    try:
        yield
    except Exception:
        with suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(start.workflow_handle(), 1)
        raise


async def enter_lane(client: Client, project: str, environment: str, request: LaneRequest, update_id: str) -> None:
    """Send `enter`, starting the lane where it is not running; returns when it has been accepted."""
    lane = LaneInput(project=project, environment=environment)
    start: Any = WithStartWorkflowOperation(names.LANE, lane, **lane_start(project, environment))
    async with looked_at(start):
        with mapped_errors():
            await client.start_update_with_start_workflow(
                "enter",
                request,
                start_workflow_operation=start,
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                id=update_id,
                rpc_timeout=RPC_TIMEOUT,
            )


async def leave_lane(client: Client, project: str, environment: str, request: LaneRequest, update_id: str) -> None:
    """Send `leave`. Raises NotFound where no lane is running."""
    handle = client.get_workflow_handle(names.lane_workflow(project, environment))
    with mapped_errors():
        await handle.start_update(
            "leave",
            request,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            id=update_id,
            rpc_timeout=RPC_TIMEOUT,
        )


async def signal_reevaluate(client: Client, promotion: str) -> bool:
    """Hint to a promotion that a fact has changed; False where it is not running."""
    handle = client.get_workflow_handle(names.promotion_workflow(promotion))
    try:
        with mapped_errors():
            await handle.signal(names.SIGNAL_REEVALUATE, None, rpc_timeout=RPC_TIMEOUT)
    except NotFound:
        return False
    return True


async def cancel(client: Client, workflow: str) -> None:
    """Ask for native cancellation. Raises NotFound where it is not running."""
    with mapped_errors():
        await client.get_workflow_handle(workflow).cancel(rpc_timeout=RPC_TIMEOUT)


async def pollers(client: Client, queue: str) -> int:
    """How many workers have asked for activities of a queue in the last minutes."""
    with mapped_errors():
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            ),
            timeout=RPC_TIMEOUT,
        )
    return len({poller.identity for poller in answer.pollers})


async def status(client: Client, workflow: str) -> WorkflowExecutionStatus | None:
    """How the latest run of a workflow stands, None where Temporal knows none."""
    try:
        with mapped_errors():
            found = await client.get_workflow_handle(workflow).describe(rpc_timeout=RPC_TIMEOUT)
    except NotFound:
        return None
    return found.status


async def is_running(client: Client, workflow: str) -> bool:
    """Whether a workflow is there and has not closed."""
    return await status(client, workflow) == WorkflowExecutionStatus.RUNNING


async def running(client: Client, workflow_type: str) -> frozenset[str]:
    """Ids of the workflows of a type that run, in a few calls. It lags: who matters and is not in it must be asked for by name."""
    query = f"WorkflowType = '{workflow_type}' AND ExecutionStatus = 'Running'"
    with mapped_errors():
        return frozenset([found.id async for found in client.list_workflows(query, rpc_timeout=RPC_TIMEOUT)])


async def wait_closed(client: Client, workflow: str) -> None:
    """Return when the workflow's present run has closed, by any means; at once where there is none."""
    handle = client.get_workflow_handle(workflow)
    events = handle.fetch_history_events(
        wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT, skip_archival=True
    )
    try:
        with mapped_errors():
            async for event in events:
                if event.event_type != EventType.EVENT_TYPE_UNSPECIFIED:
                    return
    except NotFound:
        return


async def failure_codes(client: Client, workflow: str) -> tuple[str, ...]:
    """Our codes in the failure that a workflow closed with, the outermost first."""
    try:
        with mapped_errors():
            await client.get_workflow_handle(workflow).result(rpc_timeout=RPC_TIMEOUT)
    except NotFound:
        return ()
    except WorkflowFailureError as error:
        return tuple(_codes(error))
    return ()


def _codes(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        if isinstance(error, ApplicationError) and error.type:
            yield error.type
        error = error.__cause__
