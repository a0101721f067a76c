"""Every operation of the OpenAPI document, on the running system: what fits the document and what does not is answered as the document says.

Cases at the edges of each schema are taken one by one; random ones besides are left to `make soak`. Both are the same in every run.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import GenerationConfig
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi import checks

from api.app import create_app
from api.services import Services
from api.temporal import TemporalOrchestrator
from fairlead.commands import keys
from fairlead.store.waiting import Wakeups
from tests.activities.shop import PlayedImages
from tests.fixtures.postgres import FreshDatabase
from tests.fixtures.temporal import fresh_client
from tests.workers.running import RunningShop
from workers.clock import now

pytestmark = pytest.mark.temporal

EXAMPLES = 20
SECONDS = 60
BOTH = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
SCHEMA = schemathesis.openapi.from_dict(create_app(None).openapi())  # type: ignore[arg-type]
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    *(checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance),
    *(checks.response_headers_conformance, checks.negative_data_rejection, checks.missing_required_header),
    *(checks.unsupported_method, checks.allow_header_conformance),
]
RANDOM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Served:
    """The running system, what is in it by the names that paths give it, and an admin's session."""

    url: str
    names: dict[str, str]
    session: requests.Session

    def hold_to(self, case: Any) -> None:
        """Ask, and hold the answer to the document."""
        answer = case.call(base_url=self.url, session=self.session, timeout=SECONDS)
        case.validate_response(answer, checks=CHECKS)

    def within(self, operation: Any) -> dict[str, str]:
        """Path parameters that name what is there; the others are made up."""
        asked = {parameter.name for parameter in operation.path_parameters}
        return {name: thing for name, thing in self.names.items() if name in asked}


@pytest.fixture(scope="module")
async def served(
    make_database: Callable[[], AbstractContextManager[FreshDatabase]], temporal_server_address: str
) -> AsyncIterator[Served]:
    """The API on a loopback port, over real Postgres and Temporal, with a worker and a promotion that has succeeded."""
    with make_database() as postgres:
        shop, wakeups = RunningShop(postgres.db, await fresh_client(temporal_server_address)), Wakeups(postgres.app_url)
        server = uvicorn.Server(uvicorn.Config(create_app(services(shop, wakeups)), log_level="error", lifespan="off"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            async with shop.worker():
                serving = asyncio.create_task(server.serve([listener]))
                promotion = await shop.ends(await shop.start("1.0.0"))
                yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", things(promotion.id), session(shop))
                server.should_exit = True
                await serving
        wakeups.close()


def services(shop: RunningShop, wakeups: Wakeups) -> Services:
    return Services(
        database=shop.db,
        wakeups=wakeups,
        orchestrator=TemporalOrchestrator(shop.client),
        images=PlayedImages(),
        decision=shop.decision,
        ledger=shop.ledger,
        now=now,
        agents={"worker": shop.agent},
    )


def things(promotion: str) -> dict[str, str]:
    return {"project": "shop", "env": "dev", "version": "1.0.0", "id": promotion}


def session(shop: RunningShop) -> requests.Session:
    made = keys.create_key(shop.db, project="shop", subject="ana", scope="admin", now=now())
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {made.secret}"
    return session


def at_the_edges(operation: Any) -> Iterator[Any]:
    return SCHEMA.iter_coverage_cases(operation, generation_modes=BOTH, generation_config=GenerationConfig())


@pytest.mark.parametrize("label", OPERATIONS)
async def test_an_operation_answers_as_the_document_says_at_every_edge(served: Served, label: str) -> None:
    def ask() -> None:
        for number, case in enumerate(at_the_edges(OPERATIONS[label])):
            if number % 2:  # else whatever the path says is not there
                case.path_parameters.update(served.within(OPERATIONS[label]))
            served.hold_to(case)

    await asyncio.to_thread(ask)


@pytest.mark.soak
@pytest.mark.parametrize("label", OPERATIONS)
async def test_an_operation_answers_as_the_document_says_whatever_is_sent(served: Served, label: str) -> None:
    operation = OPERATIONS[label]
    ways = [operation.as_strategy(GenerationMode.POSITIVE, path_parameters=served.within(operation))]
    if list(operation.iter_parameters()) or operation.body:
        ways.append(operation.as_strategy(GenerationMode.NEGATIVE))
    for cases in ways:
        await asyncio.to_thread(RANDOM(given(cases)(served.hold_to)))
