"""A promotion's place in its lane, seen from the promotion."""

from datetime import timedelta

from temporalio import workflow

from fairlead.contracts.activities import LaneActivities
from fairlead.contracts.messages import PromotionInput
from fairlead.contracts.steps import Admission, LaneRef, PromotionRef
from workflows.options import RECORD
from workflows.patience import Bell, wait_until

_LEAVING = frozenset({"waiting", "admitted"})


class Place:
    """Asks the lane, and believes only what Postgres says. Each request to the lane has an id of its own."""

    def __init__(self, input: PromotionInput) -> None:
        self._input = input
        self._requests = 0
        self.bell = Bell()
        self.taken = False

    async def enter(self) -> None:
        """Get into the queue, at its end."""
        self.taken = True
        where = f"the lane into {self._input.environment}"
        await workflow.execute_activity_method(
            LaneActivities.enter, self._request("enter"), summary=f"Enter {where}", **RECORD
        )

    async def leave(self) -> None:
        """Get out of the queue, or give the place back."""
        if self.taken:
            self.taken = False
            where = f"the lane into {self._input.environment}"
            await workflow.execute_activity_method(
                LaneActivities.leave, self._request("leave"), summary=f"Leave {where}", **RECORD
            )

    def keep(self) -> None:
        """There is a deployment now: the lane itself watches for its end."""
        self.taken = False

    async def stand_aside(self) -> None:
        """Leave, and return only when the lane has taken note: who comes back at once must not find the old place."""
        await self.leave()
        self.bell.quiet()
        while (await self.admission()).status in _LEAVING:
            await wait_until(
                lambda: self.bell.rung, timeout=timedelta(seconds=2), summary="Until the lane has taken note"
            )
            self.bell.quiet()

    async def admission(self) -> Admission:
        """Where the promotion stands."""
        return await workflow.execute_activity_method(
            LaneActivities.read_admission,
            PromotionRef(promotion=self._input.promotion),
            summary="Read the place in the lane",
            **RECORD,
        )

    def _request(self, what: str) -> LaneRef:
        self._requests += 1
        return LaneRef(
            promotion=self._input.promotion,
            project=self._input.project,
            environment=self._input.environment,
            request=f"{what}/{self._input.promotion}/{self._requests}",
        )
