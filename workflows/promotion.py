"""`Promotion`: brings one release into one environment, from request to a terminal state."""

from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from fairlead.contracts import names
from fairlead.contracts.messages import PromotionInput, PromotionResult
from fairlead.contracts.steps import Blocker
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.states import PromotionState


@workflow.defn(name=names.PROMOTION)
class PromotionWorkflow:
    """The story of one promotion."""

    @workflow.init
    def __init__(self, input: PromotionInput) -> None:
        self._input = input

    @workflow.run
    async def run(self, input: PromotionInput) -> PromotionResult:
        """From request to a terminal state."""
        raise NotImplementedError

    @workflow.update(name="vote")
    async def vote(self, envelope: Any) -> VoteAnswer:
        """A signed vote envelope. Fails with an ApplicationError whose type is the code when the vote is refused."""
        raise NotImplementedError

    @workflow.signal(name="vote")
    async def vote_signal(self, envelope: RawValue) -> None:
        """The same, from bots and the Temporal Web UI."""

    @workflow.update(name="cancel")
    async def cancel(self, request: Any) -> VoteAnswer:
        """A CancelRequest of somebody the API authenticated, or a signed cancel envelope."""
        raise NotImplementedError

    @workflow.signal(name="cancel")
    async def cancel_signal(self, envelope: RawValue) -> None:
        """A signed cancel envelope, from bots and the Temporal Web UI."""

    @workflow.signal(name=names.SIGNAL_REEVALUATE)
    def reevaluate(self, hint: RawValue) -> None:
        """Something that a gate looks at has changed."""

    @workflow.signal(name=names.SIGNAL_ADMITTED)
    def admitted(self, hint: RawValue) -> None:
        """The lane has moved."""

    @workflow.signal(name=names.SIGNAL_PROGRESS)
    def progress(self, hint: RawValue) -> None:
        """The deployment has moved."""

    @workflow.query
    def state(self) -> PromotionState:
        """Where the promotion stands."""
        raise NotImplementedError

    @workflow.query
    def why(self) -> tuple[Blocker, ...]:
        """What keeps it from moving."""
        raise NotImplementedError
