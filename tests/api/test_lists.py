"""Lists come in pages and filter."""

import httpx
import pytest

from tests.activities.shop import at
from tests.api.office import BASE, SHOP_PATH, Office

PROMOTIONS = f"{SHOP_PATH}/promotions"


async def all_pages(client: httpx.AsyncClient, path: str, limit: int) -> list[list[dict]]:
    pages, cursor = [], None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=query)).json()
        pages.append(page["items"])
        if (cursor := page["next"]) is None:
            return pages


@pytest.mark.parametrize(("limit", "sizes"), [(2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (200, [5])])
async def test_pages_hold_everything_once_newest_first(office: Office, ana: httpx.AsyncClient, limit, sizes):
    ids = [office.promotion(environment="dev").id for _ in range(5)]
    pages = await all_pages(ana, PROMOTIONS, limit)
    assert [len(page) for page in pages] == sizes
    assert [item["id"] for page in pages for item in page] == ids[::-1]


async def test_a_page_stays_in_place_while_new_ones_come(office: Office, ana: httpx.AsyncClient):
    ids = [office.promotion(environment="dev").id for _ in range(3)]
    first = (await ana.get(PROMOTIONS, params={"limit": 2})).json()
    office.promotion(environment="dev")
    second = (await ana.get(PROMOTIONS, params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["id"] for item in second["items"]] == ids[:1]


async def test_releases_come_in_pages_too(office: Office, ana: httpx.AsyncClient):
    for version in ("1", "2", "3"):
        office.shop.release(version)
    pages = await all_pages(ana, f"{SHOP_PATH}/releases", 2)
    assert [[release["version"] for release in page] for page in pages] == [["3", "2"], ["1"]]


FILTERS = {
    "environment": ({"environment": "staging"}, ["b"]),
    "release": ({"release": "2"}, ["c"]),
    "state": ({"state": "rejected"}, ["a"]),
    "since": ({"since": at(10).isoformat()}, ["c", "b"]),
    "until": ({"until": at(10).isoformat()}, ["a"]),
    "a range": ({"since": at(10).isoformat(), "until": at(20).isoformat()}, ["b"]),
    "none that fits": ({"environment": "dev", "release": "3"}, []),
}


@pytest.mark.parametrize(("query", "expected"), FILTERS.values(), ids=FILTERS)
async def test_promotions_filter(office: Office, ana: httpx.AsyncClient, query, expected):
    made = {
        "a": office.shop.promote("1", "dev", now=at(0)).id,
        "b": office.shop.promote("1", "staging", now=at(10)).id,
        "c": office.shop.promote("2", "dev", now=at(20)).id,
    }
    office.shop.append(f"promotion/{made['a']}", "ended", state="rejected")
    items = (await ana.get(PROMOTIONS, params=query)).json()["items"]
    assert [item["id"] for item in items] == [made[name] for name in expected]


async def test_events_come_in_order_from_where_one_was(office: Office, ana: httpx.AsyncClient):
    promotion, _ = office.open_votes()
    path = f"{BASE}/promotions/{promotion.id}/events"
    pages = await all_pages(ana, path, 3)
    types = [event["type"] for page in pages for event in page]
    assert types == ["requested", "evaluating", "evaluated", "votes_opened"]
    later = (await ana.get(path, params={"after": 2})).json()["items"]
    assert [event["type"] for event in later] == ["votes_opened"]
