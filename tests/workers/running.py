"""A shop whose promotions really run: real Postgres, real Temporal, a real worker, and targets in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

from temporalio.client import Client, WorkflowFailureError

from api.temporal import TemporalOrchestrator
from fairlead.adapters import temporal
from fairlead.commands import catalogue, ids, plans, sealing
from fairlead.commands.promotions import workflow_input
from fairlead.contracts import names
from fairlead.contracts.messages import RestraintRequest
from fairlead.contracts.records import PromotionRecord, RestraintRecord
from fairlead.contracts.target import TargetAddress
from fairlead.contracts.votes import Choice
from fairlead.domain.states import PromotionState
from fairlead.evidence.report import Report
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from fairlead.ports import FailPoints, NoFailPoints
from fairlead.store import projects, restraints
from fairlead.store.database import Database
from tests.activities.shop import Shop
from workers.access import Keys
from workers.clock import now
from workers.wiring import build_activities
from workers.worker import build_workers, run_workers

T = TypeVar("T")
PATIENCE = 300.0


class RunningShop(Shop):
    """The shop with a Temporal client; times are real ones."""

    def __init__(self, db: Database, client: Client) -> None:
        super().__init__(db)
        self.client = client

    @property
    def now(self) -> datetime:
        return now()

    @property
    def keys(self) -> Keys:
        return Keys(decision=self.decision, ledger=self.ledger, agent=self.agent)

    @asynccontextmanager
    async def worker(self, points: FailPoints | None = None) -> AsyncIterator[None]:
        """A worker like that of production, on both queues."""
        activities = build_activities(
            self.db, self.client, self.keys, self.executors, points or NoFailPoints(), self.safe
        )
        stop = asyncio.Event()
        running = asyncio.create_task(run_workers(build_workers(self.client, activities), stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def start(self, version: str, environment: str = "dev", **more: str) -> PromotionRecord:
        """Request a promotion and start its workflow, as the API does."""
        promotion = await asyncio.to_thread(lambda: self.promote(version, environment, now=now(), **more))
        await temporal.start_promotion(self.client, workflow_input(promotion))
        return promotion

    async def reaches(self, promotion: str, *states: PromotionState) -> PromotionRecord:
        """Its row once it is in one of these states; ended otherwise, it never will be."""

        async def look() -> PromotionRecord | None:
            row = await asyncio.to_thread(self.row, promotion)
            assert not row.state.is_terminal or row.state in states, f"{row.state}: {row.code} {row.detail}"
            return row if row.state in states else None

        return await eventually(look)

    async def ends(self, promotion: PromotionRecord) -> PromotionRecord:
        """Its row once its workflow has closed."""
        handle = self.client.get_workflow_handle(names.promotion_workflow(promotion.id))
        try:
            async with asyncio.timeout(PATIENCE):
                await handle.result()
        except WorkflowFailureError:
            pass  # a promotion that ends badly is a failed workflow
        return await asyncio.to_thread(self.row, promotion.id)

    async def succeed_in(self, version: str, *environments: str) -> None:
        """Bring a release through environments that ask for no votes."""
        for environment in environments:
            row = await self.ends(await self.start(version, environment))
            assert row.state is PromotionState.SUCCEEDED, f"{environment}: {row.state} {row.code} {row.detail}"

    async def send_vote(self, voter: str, promotion: PromotionRecord, choice: Choice = Choice.APPROVE) -> None:
        """Send a signed vote as a raw signal."""
        row = await asyncio.to_thread(self.row, promotion.id)
        assert row.plan is not None
        envelope = self.vote(voter, row, row.plan, choice=choice, time=now(), nonce=voter)
        handle = self.client.get_workflow_handle(names.promotion_workflow(promotion.id))
        await handle.signal(names.SIGNAL_VOTE, envelope)

    async def restrain(self, kind: str, environment: str, restraint: str | None = None) -> tuple[str, ...]:
        """Send `freeze`, `thaw`, `hold` or `resume` to a lane, as the API does."""
        id = restraint or ids.new_id()
        request = RestraintRequest(request=f"{kind}/{id}", actor="ana", reason="a test", restraint=restraint)
        answer = await TemporalOrchestrator(self.client).restrain(kind, "shop", environment, request, f"{kind}/{id}")
        return answer.restraints

    def restraints(self, environment: str) -> list[RestraintRecord]:
        """Open freezes and holds."""
        with self.db.session() as s:
            return restraints.open_at(s, "shop", environment, now())

    def address(self, target: str) -> TargetAddress:
        """Where a target is."""
        with self.db.session() as s:
            found = projects.get(s, "shop")
        assert found is not None
        declared = catalogue.load(found.catalogue)
        environment = next(name for name, place in declared.environments.items() if target in place.targets)
        return next(a for a in plans.addresses(declared, environment) if a.target == target)

    def verified(self, promotion: str) -> Report:
        """What a verifier says who was handed the bundle and the trust file."""
        agents = {"worker": self.agent}
        with self.db.session() as s:
            bundle = sealing.export_bundle(s, self.ledger, promotion)
            trust = sealing.trust_file(s, "shop", decision=self.decision, ledger=self.ledger, agents=agents)
        return verify(json.dumps(bundle).encode(), read_trust(trust))


async def eventually(look: Callable[[], Awaitable[T | None]]) -> T:
    """Look again until there is something to see."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.05)
