"""All that the API asks of Temporal: starting promotions and lanes, and sending updates and hints.

Every call maps Temporal's errors to our tree: what a workflow refused comes back as the Refused that it was.
"""

from typing import Any, Protocol

from temporalio.client import Client

from fairlead.contracts.messages import CancelRequest, PromotionInput, RestraintAnswer, RestraintRequest
from fairlead.contracts.votes import VoteAnswer


class Orchestrator(Protocol):
    """What the API needs of whatever runs workflows. `update_id` makes a repeated update answer as the first did."""

    async def start_promotion(self, request: PromotionInput) -> None:
        """Start a promotion's workflow, once. Raises Unavailable (temporal_unavailable)."""

    async def vote(self, promotion: str, envelope: Any, update_id: str) -> VoteAnswer:
        """Send a vote and wait for the answer. Raises Conflict (promotion_closed) when the workflow is over."""

    async def cancel(self, promotion: str, request: CancelRequest, update_id: str) -> VoteAnswer:
        """Send a cancel and wait for the answer."""

    async def restrain(
        self, kind: str, project: str, environment: str, request: RestraintRequest, update_id: str
    ) -> RestraintAnswer:
        """Send `freeze`, `thaw`, `hold` or `resume` to a lane, starting it where it is not running."""

    async def poke(self, promotion: str) -> None:
        """Hint that a fact has changed. A promotion that is not there is fine, and so is a Temporal that is not."""

    async def check(self) -> None:
        """Raises Unavailable (temporal_unavailable) unless Temporal answers."""


class TemporalOrchestrator:
    """The real one."""

    def __init__(self, client: Client) -> None:
        self._client = client
