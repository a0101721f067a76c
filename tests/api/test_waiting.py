"""A waiting reader is woken by the next event, not by the clock."""

import asyncio

import httpx

from fairlead.contracts import names
from tests.api.office import BASE, Office

FOREVER = 60.0
"""Longer than a test may take: whoever only waits for the time fails by it."""


async def waiting(office: Office, client: httpx.AsyncClient, path: str) -> asyncio.Task[httpx.Response]:
    """A request that waits, once it listens."""
    task = asyncio.create_task(client.get(path, timeout=FOREVER))
    async with asyncio.timeout(10):
        while not office.wakeups._waiters and not task.done():
            await asyncio.sleep(0.01)
    return task


async def test_the_next_event_wakes(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    task = await waiting(office, ana, f"{BASE}/promotions/{promotion.id}?wait=60s&after=0")
    assert not task.done()
    await asyncio.to_thread(office.shop.append, names.promotion_subject(promotion.id), "evaluating", state="evaluating")
    async with asyncio.timeout(15):
        view = (await task).json()
    assert (view["state"], view["sequence"]) == ("evaluating", 1)


async def test_a_task_that_moves_wakes_too(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="staging")
    office.shop.open_deployment(promotion)
    task = await waiting(office, ana, f"{BASE}/promotions/{promotion.id}?wait=60s")
    assert not task.done()
    subject = names.deployment_subject(promotion.id)
    await asyncio.to_thread(office.shop.append, subject, "preparing", state="preparing")
    async with asyncio.timeout(15):
        view = (await task).json()
    assert view["deployments"][0]["state"] == "preparing"


async def test_what_has_happened_is_not_waited_for(office: Office, ana: httpx.AsyncClient):
    promotion, _ = office.open_votes()
    async with asyncio.timeout(15):
        view = (await ana.get(f"{BASE}/promotions/{promotion.id}?wait=60s&after=1", timeout=FOREVER)).json()
    assert view["sequence"] == 3


async def test_what_is_over_is_not_waited_for(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    office.shop.append(names.promotion_subject(promotion.id), "ended", state="failed")
    async with asyncio.timeout(15):
        view = (await ana.get(f"{BASE}/promotions/{promotion.id}?wait=60s", timeout=FOREVER)).json()
    assert view["status"] == "failed"


async def test_the_time_ends_a_wait(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    view = (await ana.get(f"{BASE}/promotions/{promotion.id}?wait=100ms", timeout=FOREVER)).json()
    assert view["state"] == "requested"


async def test_a_wait_that_is_no_duration_is_refused(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    answer = await ana.get(f"{BASE}/promotions/{promotion.id}?wait=soon")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_duration")
