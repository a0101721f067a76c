"""Our errors as Temporal sees them."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import FailureInterceptor, to_application_error
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, FairleadError, NotFound, Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost


@pytest.mark.parametrize("kind", [Refused, BadInput, NotFound, Conflict, FenceLost])
def test_what_is_refused_is_never_retried(kind: type[FairleadError]) -> None:
    error = to_application_error(kind(Code.FENCE_LOST, "gave way"))
    assert (error.type, error.non_retryable) == ("fence_lost", True)


def test_what_is_unavailable_is_retried() -> None:
    assert not to_application_error(Unavailable(Code.DATABASE_UNAVAILABLE, "gone")).non_retryable


def test_code_detail_and_fields_travel_as_plain_values() -> None:
    fields = {"claim": Claim(2, 1), "port": 8080, "free": None}
    error = to_application_error(Refused(Code.PORT_TAKEN, "taken", fields=fields))
    plain = {"claim": "2.1", "port": 8080, "free": None}
    assert error.details == ({"code": "port_taken", "detail": "taken", "fields": plain},)


class Failing(ActivityInboundInterceptor):
    """An activity that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> None:
        raise self._error


async def run(error: Exception) -> None:
    wrapped = FailureInterceptor().intercept_activity(Failing(error))
    await wrapped.execute_activity(ExecuteActivityInput(lambda: None, [], None, {}))


async def test_the_interceptor_maps_what_is_raised_on_purpose() -> None:
    with pytest.raises(ApplicationError) as caught:
        await run(Unavailable(Code.TEMPORAL_UNAVAILABLE, "no answer"))
    assert caught.value.type == "temporal_unavailable"


async def test_the_interceptor_leaves_bugs_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        await run(ZeroDivisionError())
