"""Having a worker ask a target, by a small workflow, and waiting for its answer: nothing else reaches targets."""

from datetime import timedelta
from typing import TypeVar

from temporalio.client import Client, WorkflowFailureError

from fairlead.adapters.temporal import RPC_TIMEOUT, mapped_errors
from fairlead.contracts import names
from fairlead.contracts.base import Frozen
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable

A = TypeVar("A", bound=Frozen)

PATIENCE = timedelta(seconds=30)


async def ask(client: Client, question: str, request: Frozen, answer: type[A], *, id: str, summary: str) -> A:
    """Run the workflow of this type. Raises Unavailable (temporal_unavailable); what nobody has taken up soon is not done any more."""
    try:
        with mapped_errors():
            said: A = await client.execute_workflow(
                question,
                request,
                id=id,
                task_queue=names.QUEUE_CONTROL,
                execution_timeout=PATIENCE,
                result_type=answer,
                static_summary=summary,
                rpc_timeout=RPC_TIMEOUT,
            )
    except WorkflowFailureError as error:
        raise Unavailable(
            Code.TEMPORAL_UNAVAILABLE, "no worker could ask it", hint="fairlead doctor tells whether workers are there"
        ) from error
    return said
