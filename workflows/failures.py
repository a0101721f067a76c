"""Reads what activities failed with. Workflows look at codes only, never at prose."""

from dataclasses import dataclass

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)

from fairlead.domain.codes import Code

_OUR_OUTAGES = frozenset({Code.DATABASE_UNAVAILABLE, Code.TEMPORAL_UNAVAILABLE})
_CODES: dict[type[BaseException], Code] = {
    TimeoutError: Code.TIMED_OUT,
    CancelledError: Code.CANCELLED,
    TerminatedError: Code.TERMINATED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed."""

    code: str
    detail: str = ""


def read_failure(error: ActivityError | ChildWorkflowError) -> Failure:
    """The code and detail that an activity or child failed with; what is none of ours is `internal_error`."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        code = cause.type if cause.type in set(Code) else Code.INTERNAL_ERROR
        return Failure(str(code), cause.message)
    return Failure(_CODES.get(type(cause or error), Code.INTERNAL_ERROR), str(cause or error))


def is_outage(error: ActivityError) -> bool:
    """Whether our own machinery was away (a worker that stopped, a database that did not answer): nothing about the target."""
    cause = error.cause
    if isinstance(cause, TimeoutError):
        return cause.type is TimeoutType.HEARTBEAT
    return isinstance(cause, ApplicationError) and cause.type in _OUR_OUTAGES


def refusal(failure: Failure, *details: object) -> ApplicationError:
    """A failure as the workflow's own end, or as the answer to an update."""
    return ApplicationError(failure.detail or failure.code, *details, type=failure.code, non_retryable=True)
