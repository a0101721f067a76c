"""All that the API asks of Temporal: starting promotions and lanes, and sending updates and hints.

Every call maps Temporal's errors to our tree: what a workflow refused comes back as the Refused that it was.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from api.refusals import refusal
from fairlead.adapters import asking, retries, temporal
from fairlead.adapters.retries import Retry
from fairlead.contracts import names
from fairlead.contracts.checks import CheckTarget, TargetChecked
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.messages import CancelRequest, LaneInput, PromotionInput, RestraintAnswer, RestraintRequest
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, FairleadError, NotFound, Unavailable

UPDATE_TIMEOUT = timedelta(seconds=10)
_GONE = "AcceptedUpdateCompletedWorkflow"
"""How Temporal says that a workflow ended before it had answered."""

Answer = TypeVar("Answer")


class NotRunning(Conflict):
    """No such workflow is running: it is over, or has not begun."""


class Orchestrator(Protocol):
    """What the API needs of whatever runs workflows. `update_id` makes a repeated update answer as the first did."""

    async def start_promotion(self, request: PromotionInput) -> None:
        """Start a promotion's workflow, once. Raises Unavailable (temporal_unavailable)."""

    async def vote(self, promotion: str, envelope: Any, update_id: str) -> VoteAnswer:
        """Send a vote and wait for the answer. Raises NotRunning (promotion_closed)."""

    async def cancel(self, promotion: str, request: CancelRequest | Mapping[str, Any], update_id: str) -> VoteAnswer:
        """Send a cancel, of somebody authenticated or a signed envelope, and wait for the answer. Raises NotRunning (promotion_closed)."""

    async def restrain(
        self, kind: str, project: str, environment: str, request: RestraintRequest, update_id: str
    ) -> RestraintAnswer:
        """Send `freeze`, `thaw`, `hold` or `resume` to a lane, starting it where it is not running."""

    async def poke(self, promotion: str) -> None:
        """Hint that a fact has changed. A promotion that is not there is fine, and so is a Temporal that is not."""

    async def retries(self, workflow: str) -> tuple[Retry, ...]:
        """What a workflow's steps failed with and are tried again for. Raises Unavailable (temporal_unavailable)."""

    async def read_logs(self, request: ReadLogs, id: str) -> LogsRead:
        """Have a worker read what runs on a target into the store. Raises Unavailable (temporal_unavailable) where none answers soon."""

    async def check_target(self, request: CheckTarget, id: str) -> TargetChecked:
        """Have a worker ask a target. Raises Unavailable (temporal_unavailable) where none answers soon."""

    async def forecast_target(self, request: ForecastTarget, id: str) -> TargetForecast:
        """Have a worker ask a target what would change there. Raises Unavailable (temporal_unavailable) where none answers soon."""

    async def check(self) -> None:
        """Raises Unavailable (temporal_unavailable) unless Temporal answers."""

    async def pollers(self, queue: str) -> int:
        """How many workers have asked for activities of a queue in the last minutes. Raises Unavailable (temporal_unavailable)."""


class TemporalOrchestrator:
    """The real one. `timeout`: how long to wait for the answer to an update."""

    def __init__(self, client: Client, *, timeout: timedelta = UPDATE_TIMEOUT) -> None:
        self._client = client
        self._timeout = timeout
        # The RPC's own timeout ends when the update is accepted; a worker may die before it answers.
        self._patience = timeout.total_seconds() * 1.5

    async def start_promotion(self, request: PromotionInput) -> None:
        with _mapped():
            await temporal.start_promotion(self._client, request)

    async def vote(self, promotion: str, envelope: Any, update_id: str) -> VoteAnswer:
        return await self._ask(promotion, "vote", envelope, update_id)

    async def cancel(self, promotion: str, request: CancelRequest | Mapping[str, Any], update_id: str) -> VoteAnswer:
        return await self._ask(promotion, "cancel", request, update_id)

    async def restrain(
        self, kind: str, project: str, environment: str, request: RestraintRequest, update_id: str
    ) -> RestraintAnswer:
        lane = LaneInput(project=project, environment=environment)
        start: Any = WithStartWorkflowOperation(names.LANE, lane, **temporal.lane_start(project, environment))
        async with temporal.looked_at(start):
            with _mapped():
                async with asyncio.timeout(self._patience):
                    answer: RestraintAnswer = await self._client.execute_update_with_start_workflow(
                        kind,
                        request,
                        start_workflow_operation=start,
                        id=update_id,
                        result_type=RestraintAnswer,
                        rpc_timeout=self._timeout,
                    )
        return answer

    async def poke(self, promotion: str) -> None:
        try:
            with _mapped():
                await temporal.signal_reevaluate(self._client, promotion)
        except Unavailable:
            return  # a hint: the promotion looks again by itself

    async def retries(self, workflow: str) -> tuple[Retry, ...]:
        with _mapped():
            return await retries.retries(self._client, workflow)

    async def read_logs(self, request: ReadLogs, id: str) -> LogsRead:
        with _mapped():
            async with asyncio.timeout(self._timeout.total_seconds()):
                return await asking.ask(
                    self._client,
                    names.LOGS,
                    request,
                    LogsRead,
                    id=names.logs_workflow(request.project, request.target, id),
                    summary=f"Read the last lines on {request.target} of {request.project}",
                )

    async def check_target(self, request: CheckTarget, id: str) -> TargetChecked:
        with _mapped():
            return await asking.ask(
                self._client,
                names.CHECK,
                request,
                TargetChecked,
                id=names.check_workflow(request.project, request.target, id),
                summary=f"Ask {request.target} of {request.project} whether it is fit",
            )

    async def forecast_target(self, request: ForecastTarget, id: str) -> TargetForecast:
        target = request.target.name
        with _mapped():
            return await asking.ask(
                self._client,
                names.FORECAST,
                request,
                TargetForecast,
                id=names.forecast_workflow(request.project, target, id),
                summary=f"Ask {target} of {request.project} what would change there",
            )

    async def check(self) -> None:
        with _mapped():
            await self._client.service_client.check_health(timeout=temporal.RPC_TIMEOUT)

    async def pollers(self, queue: str) -> int:
        with _mapped():
            return await temporal.pollers(self._client, queue)

    async def _ask(self, promotion: str, update: str, argument: Any, update_id: str) -> VoteAnswer:
        handle = self._client.get_workflow_handle(names.promotion_workflow(promotion))
        try:
            with _mapped():
                async with asyncio.timeout(self._patience):
                    answer: VoteAnswer = await handle.execute_update(
                        update, argument, id=update_id, result_type=VoteAnswer, rpc_timeout=self._timeout
                    )
        except NotFound as error:
            raise NotRunning(Code.PROMOTION_CLOSED, f"promotion {promotion} is over") from error
        if not answer.accepted:
            raise refusal(answer.code, answer.detail, _told(answer.model_dump()))
        return answer


@contextmanager
def _mapped() -> Iterator[None]:
    """Beyond what the adapter maps: refused updates, and a server that was never reached."""
    try:
        with temporal.mapped_errors():
            yield
    except WorkflowUpdateFailedError as error:
        raise _of_update(error) from error
    except RuntimeError as error:  # all that a lazy client says of a connection it could not make
        raise Unavailable(Code.TEMPORAL_UNAVAILABLE, "Temporal cannot be reached") from error


def _of_update(error: WorkflowUpdateFailedError) -> FairleadError:
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type is None:
        return Conflict(Code.PROMOTION_CLOSED, "the workflow ended before it answered")
    if cause.type == _GONE:
        return Conflict(Code.PROMOTION_CLOSED, "the workflow ended before it answered")
    details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
    return refusal(cause.type, str(details.get("detail") or cause.message), details.get("fields") or _told(details))


def _told(answer: Mapping[str, Any]) -> dict[str, object]:
    """What a refused vote's answer says of it."""
    known = {"payload_digest": answer.get("digest"), "actor": answer.get("actor")}
    return {name: value for name, value in known.items() if value is not None}
