"""Targets over HTTP: the inventory, maintenance, retiring."""

import httpx
import pytest

from tests.activities.shop import SHOP, at
from tests.api.office import SHOP_PATH, Office

TARGETS = f"{SHOP_PATH}/targets"
DOWN = {"reason": "new disk"}


def labelled(office: Office) -> None:
    """prod-1 is in ams, prod-2 in fra."""
    sites = {"prod-1": "ams", "prod-2": "fra"}
    targets = {n: {**t, "labels": {"site": sites[n]}} if n in sites else t for n, t in SHOP["targets"].items()}
    office.shop.apply({**SHOP, "targets": targets})


@pytest.mark.parametrize(
    ("query", "names"),
    [("", 5), ("?label=site=ams", ["prod-1"]), ("?label=site=ams&label=site=fra", ["prod-2"]), ("?label=a=b", [])],
)
async def test_targets_are_listed_by_label(office: Office, ana: httpx.AsyncClient, query: str, names: object):
    labelled(office)
    items = (await ana.get(TARGETS + query)).json()["items"]
    assert [t["name"] for t in items] == names or len(items) == names


async def test_a_label_says_name_and_value(office: Office, ana: httpx.AsyncClient):
    answer = await ana.get(f"{TARGETS}?label=site")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


async def test_maintenance_is_shown_wherever_it_matters_and_ends(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="staging")
    begun = await ana.post(f"{TARGETS}/stg-2/maintenance", json={**DOWN, "for": "1h"})
    until = at(3600).isoformat().replace("+00:00", "Z")
    assert (begun.status_code, begun.json()["state"], begun.json()["until"]) == (200, "maintenance", until)
    environment = f"{SHOP_PATH}/environments/staging"
    for place in (
        f"{environment}/why",
        f"/api/v1/promotions/{promotion.id}/why",
        f"/api/v1/promotions/{promotion.id}/plan",
    ):
        assert (await ana.get(place)).json()["skipped"] == [begun.json()], place
    planned = (await ana.get(f"{SHOP_PATH}/plan?release=1.0.0&environment=staging")).json()
    assert [target["name"] for target in planned["plan"]["targets"]] == ["stg-1"]
    assert [t["status"]["state"] for t in (await ana.get(environment)).json()["targets"]] == ["active", "maintenance"]
    assert (await ana.post(f"{TARGETS}/stg-2/activate")).json()["state"] == "active"
    events = (await ana.get(f"{TARGETS}/stg-2/events")).json()["items"]
    assert [(event["type"], event["actor"]) for event in events] == [("maintenance", "ana"), ("activated", "ana")]
    assert office.orchestrator.poked == [promotion.id] * 2


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "code"),
    [
        ("POST", "stg-3/maintenance", DOWN, 404, "target_not_found"),
        ("POST", "stg-1/maintenance", {"reason": " "}, 422, "bad_request"),
        ("POST", "stg-1/maintenance", {**DOWN, "for": "1h", "until": "2031-01-01T00:00:00Z"}, 422, "bad_value"),
        ("POST", "stg-3/activate", None, 404, "target_not_found"),
        ("GET", "stg-3", None, 404, "target_not_found"),
        ("GET", "stg-3/events", None, 404, "target_not_found"),
        ("GET", "stg-1/retirement", None, 409, "nothing_to_retire"),
    ],
)
async def test_what_cannot_be_is_refused(office: Office, ana: httpx.AsyncClient, verb, path, body, status, code):
    answer = await ana.request(verb, f"{TARGETS}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    if code == "target_not_found":
        assert "did you mean stg-2 or stg-1" in answer.json()["detail"]


async def test_what_runs_is_retired_by_a_promotion(office: Office, ana: httpx.AsyncClient):
    office.shop.succeed(office.shop.open_deployment(office.promotion(environment="dev")))
    shown = (await ana.get(f"{TARGETS}/dev-1/retirement")).json()
    assert [(t["name"], t["retire"], t["removed"]) for t in shown["targets"]] == [("dev-1", True, ["web"])]
    asked = await ana.post(f"{TARGETS}/dev-1/retirement", json=DOWN)
    made = asked.json()["promotion"]
    assert (asked.status_code, made["intent"], made["reason"]) == (202, "retire", "new disk")
    assert asked.headers["location"] == f"/api/v1/promotions/{made['id']}"
    again = await ana.post(f"{SHOP_PATH}/environments/dev/retirement", json=DOWN)
    assert (again.status_code, again.json()["code"]) == (409, "target_retiring")
    component = await ana.get(f"{SHOP_PATH}/environments/dev/components/wbe/retirement")
    assert (component.status_code, "did you mean web" in component.json()["detail"]) == (404, True)


async def test_what_runs_is_handed_over_by_a_promotion(office: Office, ana: httpx.AsyncClient):
    office.shop.succeed(office.shop.open_deployment(office.promotion(environment="dev")))
    place = f"{TARGETS}/dev-1/retirement"
    for query, over in (("", False), ("?hand_over=true", True)):
        [shown] = (await ana.get(place + query)).json()["targets"]
        assert (shown["retire"], shown["hand_over"]) == (True, over)
    web = await ana.post(f"{SHOP_PATH}/environments/dev/components/web/retirement", json={**DOWN, "hand_over": True})
    assert (web.status_code, web.json()["code"]) == (422, "hand_over_whole")
    made = (await ana.post(place, json={**DOWN, "hand_over": True})).json()["promotion"]
    planned = (await ana.get(f"/api/v1/promotions/{made['id']}/plan")).json()["plan"]
    assert [t["hand_over"] for t in planned["targets"]] == [True]
    status = (await ana.get(f"{TARGETS}/dev-1")).json()["status"]
    assert (status["state"], status["handed_over"], status["promotion"]) == ("retiring", True, made["id"])


async def test_where_nothing_runs_it_is_retired_at_once_and_can_be_taken_back(office: Office, ana: httpx.AsyncClient):
    office.shop.apply({**SHOP, "targets": {**SHOP["targets"], "old-1": SHOP["targets"]["dev-1"]}})
    for target in ("dev-1", "old-1"):
        asked = await ana.post(f"{TARGETS}/{target}/retirement", json=DOWN)
        assert (asked.status_code, asked.json()) == (202, {"retired": True, "promotion": None})
        assert (await ana.get(f"{TARGETS}/{target}")).json()["status"]["state"] == "retired"
    refused = await ana.post(f"{SHOP_PATH}/promotions", json={"release": "1.0.0", "environment": "dev"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_target_serves")
    assert (await ana.post(f"{TARGETS}/dev-1/activate", json={"reason": "back"})).json()["state"] == "active"


async def test_a_component_is_retired_and_taken_back(office: Office, ana: httpx.AsyncClient):
    web = f"{SHOP_PATH}/environments/dev/components/web"
    assert (await ana.post(f"{web}/retirement", json=DOWN)).json()["retired"] is True
    assert [(await ana.post(f"{web}/activate")).json()["was_retired"] for _ in range(2)] == [True, False]


async def test_targets_are_checked_one_or_all_and_no_answer_is_told_too(office: Office, ana: httpx.AsyncClient):
    one = (await ana.post(f"{SHOP_PATH}/target-checks", json={"target": "stg-1"})).json()["items"]
    assert [(t["target"], t["items"][0]["grade"]) for t in one] == [("stg-1", "ok")]
    assert len((await ana.post(f"{SHOP_PATH}/target-checks", json={})).json()["items"]) == 5
    unknown = await ana.post(f"{SHOP_PATH}/target-checks", json={"target": "stg"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "target_not_found")
    office.orchestrator.available = False
    [silent] = (await ana.post(f"{SHOP_PATH}/target-checks", json={"target": "stg-1"})).json()["items"]
    assert (silent["items"][0]["check"], silent["items"][0]["code"]) == ("worker", "temporal_unavailable")
