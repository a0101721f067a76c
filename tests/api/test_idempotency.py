"""The same key and request: the same answer. Another request: refused. Another owner: another request."""

import asyncio

import httpx

from api import idempotency
from tests.api.office import BASE, SHOP_PATH, Office

PROMOTIONS = f"{SHOP_PATH}/promotions"
KEY = {"Idempotency-Key": "build-7"}


async def ask(
    client: httpx.AsyncClient, environment: str = "dev", headers: dict[str, str] | None = KEY
) -> httpx.Response:
    return await client.post(PROMOTIONS, json={"release": "1.0.0", "environment": environment}, headers=headers)


async def count(client: httpx.AsyncClient) -> int:
    return len((await client.get(PROMOTIONS)).json()["items"])


async def test_the_same_request_is_answered_alike_and_done_once(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    first, again = await ask(ana), await ask(ana)
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        202,
        first.json(),
        first.headers["Location"],
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await count(ana) == 1
    assert office.orchestrator.started == [first.json()["id"]]


async def test_requests_at_the_same_time_are_one(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    answers = await asyncio.gather(*(ask(ana) for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(ana) == 1


async def test_another_body_under_the_key_is_refused(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    await ask(ana)
    answer = await ask(ana, "staging")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert await count(ana) == 1


async def test_another_path_under_the_key_is_refused(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    made = (await ask(ana)).json()
    answer = await ana.post(f"{BASE}/promotions/{made['id']}/retry", headers=KEY)
    assert answer.json()["code"] == "idempotency_mismatch"


async def test_keys_of_different_owners_never_meet(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    async with office.client("ben") as ben:
        first, other = await ask(ana), await ask(ben)
    assert first.json()["id"] != other.json()["id"]


async def test_without_a_key_every_request_counts(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    await ask(ana, headers=None)
    await ask(ana, headers=None)
    assert await count(ana) == 2


async def test_a_refusal_is_an_answer_too(office: Office, ana: httpx.AsyncClient):
    first = await ask(ana)
    office.shop.release("1.0.0")
    again = await ask(ana)
    assert (first.status_code, again.status_code, again.json()) == (404, 404, first.json())
    assert again.headers["content-type"] == "application/problem+json"


async def test_a_bad_shape_never_used_the_key(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    await ana.post(PROMOTIONS, json={"relase": "1.0.0"}, headers=KEY)
    assert (await ask(ana)).status_code == 202


async def test_a_repeated_key_request_does_not_tell_the_secret_again(admin: httpx.AsyncClient):
    first = await admin.post(f"{SHOP_PATH}/keys", json={"subject": "ben"}, headers=KEY)
    again = await admin.post(f"{SHOP_PATH}/keys", json={"subject": "ben"}, headers=KEY)
    assert again.json() == {**first.json(), "key": None}


async def test_a_request_whose_answer_was_lost_makes_no_second_promotion(office: Office, ana, monkeypatch):
    """As when the server dies right after it wrote the row."""
    office.shop.release("1.0.0")
    monkeypatch.setattr(idempotency, "_keep", lambda *_: None)
    first, again = await ask(ana), await ask(ana)
    assert (again.status_code, again.json()) == (202, first.json())
    assert await count(ana) == 1


async def test_a_key_that_is_no_text_is_refused(ana: httpx.AsyncClient):
    answer = await ask(ana, headers={"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


async def test_the_same_vote_request_is_the_same_update(office: Office, ana: httpx.AsyncClient, monkeypatch):
    """Also where the kept answer is lost, as when the server dies right before it keeps it."""
    promotion, plan = office.open_votes(requester="integration:ci")
    envelope = office.shop.vote("ana", promotion, plan, time=office.time)
    monkeypatch.setattr(idempotency, "_keep", lambda *_: None)
    path = f"{BASE}/promotions/{promotion.id}/votes"
    answers = [await ana.post(path, json=envelope, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
