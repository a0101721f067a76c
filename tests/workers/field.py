"""The field that random schedules are played on: two APIs and two workers over one Postgres and one Temporal, where time can be forwarded."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import deepcopy
from typing import Any, TypeVar

import httpx
from sqlmodel import col, select
from temporalio import activity
from temporalio.client import Client, RPCError, WorkflowFailureError
from temporalio.plugin import SimplePlugin
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from agents.memory import MemoryHost
from api.app import create_app
from api.services import Services
from api.temporal import TemporalOrchestrator
from fairlead.adapters import temporal
from fairlead.commands import keys
from fairlead.contracts import names
from fairlead.domain.states import DeploymentState
from fairlead.store.database import Database
from fairlead.store.tables.deployment import Deployment
from fairlead.store.waiting import Wakeups
from tests.activities.shop import SHOP, PlayedImages
from tests.fixtures.postgres import FreshDatabase
from tests.fixtures.temporal import Patient
from tests.workers.running import PATIENCE, RunningShop
from tests.workers.stage import Holds
from workers.clock import now
from workers.plugin import build_plugin
from workers.wiring import build_activities
from workers.worker import build_workers

R = TypeVar("R")
RELEASE = "1.0.0"
SWEEP_EVERY = 1.0
REST = 3.0
"""Seconds between two replacements of a worker: each lets all that is open be replayed."""
PROMPT = {"min_healthy_time": "0s", "healthy_deadline": "5s"}
ENDED = [state for state in DeploymentState if state.is_terminal]


class Field:
    """`crowds`: deployments that were at work beside others in the same environment; there must be none, ever."""

    def __init__(self, environment: WorkflowEnvironment, postgres: FreshDatabase, lanes: int) -> None:
        self.env, self.client = environment, environment.client
        self.postgres, self.shop = postgres, RunningShop(postgres.db, environment.client)
        self.holds = Holds()
        self.shop.executors = {"process_host": MemoryHost(self.shop.world, self.holds)}
        self.lanes = [f"lane{number}" for number in range(lanes)]
        self.loop = asyncio.get_running_loop()
        self.crowds: list[tuple[str, str]] = []
        self.played = 0
        self._requests = itertools.count(1)
        self._declare()
        self._callers = {who: self._key(who) for who in ("ana", "ben")}
        self._workers: list[AsyncExitStack] = []
        self._apis: list[httpx.AsyncClient] = []
        self._replacing = asyncio.Lock()
        self._rested = 0.0

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Do it in the loop of the field; from the thread of a player."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def ask(self, api: int, caller: str, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The answer of one of the two; None where it refuses, or cannot serve it now."""
        headers["Authorization"] = f"Bearer {self._callers[caller]}"
        answer = await self._apis[api].request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code != 500, answer.text
        return answer.json() if answer.is_success else None

    async def promote(self, api: int, lane: str, through_hold: str | None = None) -> str:
        """Ask for a promotion, of the other API where one cannot serve it now; its id."""
        body = {"release": RELEASE, "environment": lane, "through_hold": through_hold}
        once = {"Idempotency-Key": f"{lane} {next(self._requests)}"}
        async with asyncio.timeout(PATIENCE):
            while not (asked := await self.ask(api, "ana", "POST", "/projects/shop/promotions", body, **once)):
                api = 1 - api
        return str(asked["id"])

    async def look(self, deployment: str) -> None:
        """See who else deploys into this environment now: an open row whose workflow runs. A rollback belongs to what failed."""
        for other in await asyncio.to_thread(self._others, deployment):
            if await temporal.is_running(self.client, names.deployment_workflow(other)):
                self.crowds.append((deployment, other))

    def _others(self, deployment: str) -> list[str]:
        with self.postgres.db.session() as s:
            mine = s.get_one(Deployment, deployment)
            here = select(Deployment.id).where(
                Deployment.environment == mine.environment,
                Deployment.promotion != mine.promotion,
                col(Deployment.state).not_in(ENDED),
            )
            return list(s.exec(here))

    async def replace_worker(self) -> None:
        """Another takes the place of the one that has been there longest."""
        async with self._replacing:
            if self.loop.time() >= self._rested:
                await self.start_worker()
                await self._workers.pop(0).aclose()
                self._rested = self.loop.time() + REST

    async def start_worker(self) -> None:
        stack, shop, db = AsyncExitStack(), self.shop, Database(self.postgres.app_url)
        stack.callback(db.dispose)
        client = await self._connect(SimplePlugin("watch", interceptors=[Watch(self)]))
        activities = build_activities(db, client, shop.keys, shop.executors, self.holds, shop.safe)
        for worker in build_workers(client, activities):
            await stack.enter_async_context(worker)
        self._workers.append(stack)

    async def start_api(self, stack: AsyncExitStack) -> None:
        db, wakeups = Database(self.postgres.app_url), Wakeups(self.postgres.app_url)
        stack.callback(db.dispose)
        stack.callback(wakeups.close)
        services = Services(
            database=db,
            wakeups=wakeups,
            orchestrator=TemporalOrchestrator(await self._connect()),
            images=PlayedImages(),
            decision=self.shop.decision,
            ledger=self.shop.ledger,
            now=now,
            agents={"worker": self.shop.agent},
        )
        transport = httpx.ASGITransport(create_app(services))
        here = httpx.AsyncClient(transport=transport, base_url="http://fairlead", timeout=60)
        self._apis.append(await stack.enter_async_context(here))

    async def stop_workers(self) -> None:
        for stack in self._workers:
            await stack.aclose()

    async def sweep(self) -> None:
        """As the Schedule does in production."""
        for number in itertools.count(1):
            with suppress(WorkflowFailureError, RPCError):
                await self.client.execute_workflow(
                    names.RECONCILE, id=f"sweep/{number}", task_queue=names.QUEUE_CONTROL
                )
            await asyncio.sleep(SWEEP_EVERY)

    async def _connect(self, *more: SimplePlugin) -> Client:
        """Workers of one connection would be one."""
        address = self.client.service_client.config.target_host
        return await Client.connect(address, plugins=[build_plugin(), Patient(), *more])

    def _declare(self) -> None:
        """One target for each lane; every other asks for a vote."""
        document = deepcopy(SHOP) | {"environments": {}, "targets": {}}
        for number, lane in enumerate(self.lanes):
            vote = {"approval": {"count": 1}} if number % 2 else {}
            document["environments"][lane] = {"targets": [f"{lane}-1"], "strategy": PROMPT, **vote}
            document["targets"][f"{lane}-1"] = {"type": "process_host", "endpoint": f"process:{lane}"}
        self.shop.apply(document, now())
        self.shop.release(RELEASE, now())

    def _key(self, who: str) -> str:
        return keys.create_key(self.postgres.db, project="shop", subject=who, scope="member", now=now()).secret


class Watch(Interceptor):
    """Looks around whenever a deployment has been opened, and before it changes a target."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return Watching(next, self._field)


class Watching(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, field: Field) -> None:
        super().__init__(next)
        self._field = field

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        type = activity.info().activity_type
        if type == "apply":
            await self._field.look(input.args[0].deployment)
        done = await super().execute_activity(input)
        if type == "open_deployment":
            await self._field.look(input.args[0].promotion)
        return done


@asynccontextmanager
async def a_field(environment: WorkflowEnvironment, postgres: FreshDatabase, lanes: int) -> AsyncIterator[Field]:
    """Time goes on by itself, except where a schedule forwards it."""
    field = Field(environment, postgres, lanes)
    async with AsyncExitStack() as stack:
        stack.enter_context(environment.with_time_skipping_disabled())
        for _ in range(2):
            await field.start_api(stack)
            await field.start_worker()
        stack.push_async_callback(field.stop_workers)
        sweeping = asyncio.create_task(field.sweep())
        stack.callback(sweeping.cancel)
        yield field
