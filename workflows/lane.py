"""`Lane`: the single writer of one environment."""

from temporalio import workflow

from fairlead.contracts import names
from fairlead.contracts.messages import LaneInput, LaneRequest, RestraintAnswer, RestraintRequest


@workflow.defn(name=names.LANE)
class LaneWorkflow:
    """Orders the promotions into one environment."""

    @workflow.init
    def __init__(self, input: LaneInput) -> None:
        self._input = input

    @workflow.run
    async def run(self, input: LaneInput) -> None:
        """Runs on for as long as the environment exists."""
        raise NotImplementedError

    @workflow.update
    async def enter(self, request: LaneRequest) -> None:
        """Put a promotion at the end of the queue."""

    @workflow.update
    async def leave(self, request: LaneRequest) -> None:
        """Take a promotion out of the queue, or give its place back."""

    @workflow.update
    async def freeze(self, request: RestraintRequest) -> RestraintAnswer:
        """Nobody may change the environment, rollback intent apart."""
        raise NotImplementedError

    @workflow.update
    async def thaw(self, request: RestraintRequest) -> RestraintAnswer:
        """End one freeze, or all."""
        raise NotImplementedError

    @workflow.update
    async def hold(self, request: RestraintRequest) -> RestraintAnswer:
        """Automation must not change the environment."""
        raise NotImplementedError

    @workflow.update
    async def resume(self, request: RestraintRequest) -> RestraintAnswer:
        """End one hold, or all."""
        raise NotImplementedError

    @workflow.signal(name=names.SIGNAL_REEVALUATE)
    def reevaluate(self) -> None:
        """Something that keeps the head of the queue in place may have changed."""
