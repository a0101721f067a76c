"""What a workflow's steps failed with and are tried again for, by Temporal's own word."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.failure.v1 import Failure
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from fairlead.adapters.temporal import RPC_TIMEOUT, mapped_errors
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class Retry:
    """A step that failed before. `attempt`: which one is under way, or comes at `next_at`."""

    step: str
    attempt: int
    code: str
    detail: str
    next_at: datetime | None


async def retries(client: Client, workflow: str) -> tuple[Retry, ...]:
    """Those of a workflow; none where it is not there."""
    try:
        with mapped_errors():
            found = await client.get_workflow_handle(workflow).describe(rpc_timeout=RPC_TIMEOUT)
    except NotFound:
        return ()
    return tuple(_read(found.raw_description.pending_activities))


def _read(pending: Iterable[PendingActivityInfo]) -> Iterator[Retry]:
    for activity in pending:
        if activity.HasField("last_failure"):
            failure = _whole(activity.last_failure)
            waits = activity.HasField("next_attempt_schedule_time")
            yield Retry(
                step=activity.activity_type.name,
                attempt=activity.attempt,
                code=_code(failure),
                detail=failure.message,
                next_at=activity.next_attempt_schedule_time.ToDatetime(UTC) if waits else None,
            )


def _whole(failure: Failure) -> Failure:
    """Of one that is too large for it Temporal keeps what fits, inside a failure of its own."""
    return failure.cause if failure.HasField("server_failure_info") and failure.HasField("cause") else failure


def _code(failure: Failure) -> str:
    if failure.HasField("timeout_failure_info"):
        return Code.TIMED_OUT
    code = failure.application_failure_info.type
    return code if code in set(Code) else Code.INTERNAL_ERROR
