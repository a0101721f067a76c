"""A key reaches into its project only, and only an admin's changes people and keys."""

from datetime import timedelta

import httpx
import pytest

from fairlead.commands import keys
from tests.activities.shop import NOW, SHOP
from tests.api.office import BASE, SHOP_PATH, Office, catalogue_text

HEADERS = {
    "none": {},
    "another scheme": {"Authorization": "Basic YTpi"},
    "no key": {"Authorization": "Bearer "},
    "an unknown key": {"Authorization": "Bearer flk_unknown"},
    "no ASCII": {"Authorization": "Bearer \xe4".encode("latin-1")},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_nobody_is_unauthenticated(office: Office, headers):
    async with office.client("") as client:
        answer = await client.get(f"{SHOP_PATH}/releases", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_expired_key_is_unauthenticated(office: Office):
    made = keys.create_key(
        office.services.database,
        project="shop",
        subject="ana",
        scope="member",
        now=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    office.time = NOW + timedelta(hours=1)
    async with office.client("") as client:
        answer = await client.get(f"{BASE}/whoami", headers={"Authorization": f"Bearer {made.secret}"})
    assert answer.status_code == 401


ELSEWHERE = [
    f"{BASE}/projects/other/releases",
    f"{BASE}/projects/none/releases",
    f"{BASE}/projects/other/environments/dev",
]


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_another_projects_key_is_not_allowed_whether_or_not_it_exists(ana: httpx.AsyncClient, path):
    answer = await ana.get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_another_projects_promotion_is_not_there(office: Office):
    promotion = office.promotion()
    async with office.client("integration:all", scope="admin", project=None) as everywhere:
        text = catalogue_text(project="other")
        assert (await everywhere.put(f"{BASE}/projects/other", content=text)).status_code == 200
        assert (await everywhere.get(f"{BASE}/promotions/{promotion.id}")).status_code == 200
    async with office.client("integration:x", project="other") as stranger:
        answer = await stranger.get(f"{BASE}/promotions/{promotion.id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "promotion_not_found")


MORE_PEOPLE = {**SHOP["people"], "dan": {"groups": [], "keys": []}}
FOR_ADMINS = {
    "make a key": ("POST", f"{SHOP_PATH}/keys", {"json": {"subject": "ben"}}),
    "list keys": ("GET", f"{SHOP_PATH}/keys", {}),
    "revoke a key": ("DELETE", f"{SHOP_PATH}/keys/any", {}),
    "change people": ("PUT", SHOP_PATH, {"content": catalogue_text(people=MORE_PEOPLE)}),
}


@pytest.mark.parametrize(("verb", "path", "request_"), FOR_ADMINS.values(), ids=FOR_ADMINS)
async def test_a_member_may_not(ana: httpx.AsyncClient, verb, path, request_):
    answer = await ana.request(verb, path, **request_)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_a_new_key_works_and_is_kept_nowhere(office: Office, admin: httpx.AsyncClient):
    made = (await admin.post(f"{SHOP_PATH}/keys", json={"subject": "ben"})).json()
    async with office.client("") as client:
        who = await client.get(f"{BASE}/whoami", headers={"Authorization": f"Bearer {made['key']}"})
    assert (who.json()["subject"], who.json()["scope"]) == ("ben", "member")
    assert made["key"] not in (await admin.get(f"{SHOP_PATH}/keys")).text


async def test_a_key_for_somebody_unknown_is_refused(admin: httpx.AsyncClient):
    answer = await admin.post(f"{SHOP_PATH}/keys", json={"subject": "bne"})
    assert (answer.status_code, answer.json()["code"]) == (404, "subject_not_found")


async def test_a_revoked_key_opens_nothing_any_more(office: Office, admin: httpx.AsyncClient):
    made = (await admin.post(f"{SHOP_PATH}/keys", json={"subject": "ben"})).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await admin.get("/api/v1/whoami", headers=headers)).json()["subject"] == "ben"
    for _ in range(2):
        assert (await admin.delete(f"{SHOP_PATH}/keys/{made['id']}")).json()["revoked_at"]
    assert (await admin.get("/api/v1/whoami", headers=headers)).status_code == 401


async def test_no_key_of_another_project_is_revoked(admin: httpx.AsyncClient):
    assert (await admin.delete(f"{SHOP_PATH}/keys/none")).json()["code"] == "not_found"
