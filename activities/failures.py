"""The one place where our error tree becomes Temporal's: Refused is never retried, Unavailable is."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from fairlead.domain.errors import FairleadError, Refused, Unavailable

_PLAIN = (str, int, float, bool, type(None))


def to_application_error(error: FairleadError) -> ApplicationError:
    """What a workflow sees of an error: its code as `type`, and code, detail and fields as details."""
    details = {"code": str(error.code), "detail": error.detail, "fields": _plain(error.fields)}
    return ApplicationError(
        error.detail,
        details,
        type=str(error.code),
        non_retryable=isinstance(error, Refused),
        next_retry_delay=_delay(error),
    )


def _delay(error: FairleadError) -> timedelta | None:
    """What whoever was asked wants us to wait; None leaves it to the activity's own backoff."""
    if not isinstance(error, Unavailable) or error.retry_after is None:
        return None
    return timedelta(seconds=error.retry_after)


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, _PLAIN) else str(value) for name, value in fields.items()}


class FailureInterceptor(Interceptor):
    """Maps what activities raise on purpose; anything else is a bug, left as it is and retried."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap the execution of every activity."""
        return _MapFailures(next)


class _MapFailures(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except FairleadError as error:
            raise to_application_error(error) from error
