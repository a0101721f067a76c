"""What comes to a workflow with another number of payloads than its handlers take: none of it may stop the workflow."""

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from fairlead.contracts import names
from fairlead.domain.codes import Code
from workflows.failures import Failure, refusal

JUDGED_BY_THEMSELVES = (names.SIGNAL_VOTE, names.SIGNAL_CANCEL)
"""Updates whose validators take any value."""


class MessageInterceptor(Interceptor):
    """All our signals and updates take one argument; the SDK calls handlers with however many were sent."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Wrap the handlers of every workflow."""
        return _OneArgument


class _OneArgument(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Several payloads become one that is no JSON object: still a hint, but no vote."""
        if len(input.args) > 1:
            input.args = [RawValue(Payload(data=_as_bytes(input.args)))]
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """What the handler would refuse, its validator never sees; but what is no vote, the validator of votes says itself."""
        if len(input.args) != 1 or input.update not in JUDGED_BY_THEMSELVES:
            _require_one_object(input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """The sender of an update waits for an answer, so it gets one."""
        _require_one_object(input)
        return await super().handle_update_handler(input)


def _require_one_object(input: HandleUpdateInput) -> None:
    # The SDK hands null and binary payloads over as they are, whatever type the handler takes.
    if len(input.args) != 1 or input.args[0] is None or isinstance(input.args[0], bytes):
        raise refusal(Failure(Code.BAD_REQUEST, f"{input.update} takes one argument, a JSON object"))


def _as_bytes(args: Sequence[Any]) -> bytes:
    """The same for the same payloads, also for those that were not decoded: a replay must find the same digest."""
    plain = [arg.payload.data if isinstance(arg, RawValue) else arg for arg in args]
    return repr(plain).encode(errors="backslashreplace")
