"""Environments: what is shown of them, freezes, holds, rollbacks, observations, the matrix."""

import httpx
import pytest

from fairlead.contracts import names
from tests.activities.shop import at
from tests.api.office import SHOP_PATH, Office, catalogue_text

PROD = f"{SHOP_PATH}/environments/prod"


@pytest.mark.parametrize(("kinds", "kind"), [("freezes", "freeze"), ("holds", "hold")])
async def test_what_is_begun_is_shown_and_can_be_ended(office: Office, ana: httpx.AsyncClient, kinds, kind):
    made = await ana.post(f"{PROD}/{kinds}", json={"reason": "incident 42", "for": "1h"})
    assert len(made.json()["id"]) == 12
    assert (made.status_code, made.json()["kind"], made.json()["actor"]) == (201, kind, "ana")
    assert made.json()["until"] == at(3600).isoformat().replace("+00:00", "Z")
    [shown] = (await ana.get(PROD)).json()[kinds]
    assert shown == made.json()
    ended = await ana.delete(f"{PROD}/{kinds}/{made.json()['id'][:4]}")
    assert [item["ended_by"] for item in ended.json()["items"]] == ["ana"]
    assert (await ana.get(PROD)).json()[kinds] == []


async def test_all_freezes_end_at_once_and_holds_stay(office: Office, ana: httpx.AsyncClient):
    for kinds, reason in (("freezes", "a"), ("freezes", "b"), ("holds", "c")):
        await ana.post(f"{PROD}/{kinds}", json={"reason": reason})
    ended = await ana.delete(f"{PROD}/freezes")
    assert {item["reason"] for item in ended.json()["items"]} == {"a", "b"}
    shown = (await ana.get(PROD)).json()
    assert (len(shown["freezes"]), len(shown["holds"])) == (0, 1)


async def test_a_hold_is_no_freeze(office: Office, ana: httpx.AsyncClient):
    hold = (await ana.post(f"{PROD}/holds", json={"reason": "x"})).json()
    answer = await ana.delete(f"{PROD}/freezes/{hold['id']}")
    assert (answer.status_code, answer.json()["code"]) == (404, "freeze_not_found")


async def test_without_temporal_a_freeze_is_refused_as_unavailable(office: Office, ana: httpx.AsyncClient):
    office.orchestrator.available = False
    answer = await ana.post(f"{PROD}/freezes", json={"reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (503, "temporal_unavailable")


async def test_what_blocks_an_environment(office: Office, ana: httpx.AsyncClient):
    await ana.post(f"{PROD}/freezes", json={"reason": "incident 42", "for": "1h"})
    answer = (await ana.get(f"{PROD}/why")).json()
    [blocker] = answer["blocked_by"]
    assert (blocker["code"], blocker["rule"], blocker["since"]) == (
        "frozen",
        "freeze",
        at(0).isoformat().replace("+00:00", "Z"),
    )
    assert answer["next_change_at"] == blocker["until"]


async def test_what_blocks_each_promotion_into_an_environment(office: Office, ana: httpx.AsyncClient):
    promotion, _ = office.open_votes()
    office.shop.append(names.promotion_subject(promotion.id), "queued", state="queued")
    office.promotion(environment="dev")
    await ana.post(f"{PROD}/holds", json={"reason": "incident 42"})
    [waiting] = (await ana.get(f"{PROD}/why")).json()["promotions"]
    assert (waiting["promotion"], waiting["state"]) == (promotion.id, "queued")
    assert [blocker["code"] for blocker in waiting["blocked_by"]] == ["held"]


async def test_the_queue_and_its_holder_are_shown(office: Office, ana: httpx.AsyncClient):
    first, second = office.promotion("1"), office.promotion("2")
    office.shop.admit(first)
    with office.services.database.session() as s:
        from fairlead.store import lanes

        lanes.enqueue(s, promotion=second.id, project="shop", environment="prod", time=at(5))
    shown = (await ana.get(PROD)).json()
    assert (shown["holder"]["promotion"], shown["holder"]["release"]) == (first.id, "1")
    assert [(place["promotion"], place["position"]) for place in shown["queue"]] == [(second.id, 0)]


async def test_every_environment_is_listed_in_order(ana: httpx.AsyncClient):
    items = (await ana.get(f"{SHOP_PATH}/environments")).json()["items"]
    assert [item["name"] for item in items] == ["dev", "staging", "prod"]
    assert [target["release"] for target in items[2]["targets"]] == [None, None]


async def test_observations_of_targets_never_seen(ana: httpx.AsyncClient):
    items = (await ana.get(f"{PROD}/observations")).json()["items"]
    assert [(item["target"], item["observed_at"], item["drift"]) for item in items] == [
        ("prod-1", None, []),
        ("prod-2", None, []),
    ]


async def test_only_fairlead_itself_asks_for_a_re_convergence(ana: httpx.AsyncClient):
    body = {"release": "1.0.0", "environment": "dev", "intent": "reconverge"}
    answer = await ana.post(f"{SHOP_PATH}/promotions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")


async def test_freezes_holds_and_drift_are_told_in_order(ana: httpx.AsyncClient):
    await ana.post(f"{PROD}/holds", json={"reason": "incident 42"})
    await ana.delete(f"{PROD}/holds")
    first = (await ana.get(f"{PROD}/events", params={"limit": 1})).json()
    rest = (await ana.get(f"{PROD}/events", params={"cursor": first["next"]})).json()
    assert [event["type"] for event in (*first["items"], *rest["items"])] == ["hold", "resume"]


async def test_an_empty_matrix_names_what_there_is(ana: httpx.AsyncClient):
    matrix = (await ana.get(f"{SHOP_PATH}/matrix")).json()
    assert matrix["environments"] == ["dev", "staging", "prod"]
    assert matrix["components"] == [{"component": "web", "environments": []}]


async def test_a_dry_run_answers_the_diff_and_changes_nothing(office: Office, admin: httpx.AsyncClient):
    text = catalogue_text()  # without the people's keys
    planned = (await admin.put(f"{SHOP_PATH}?dry_run=true", content=text)).json()
    assert {(change["action"], change["name"]) for change in planned["changes"]} == {
        ("change", name) for name in ("ana", "ben", "cho")
    }
    assert (await admin.get(SHOP_PATH)).json()["revision"] == 1
    done = (await admin.put(SHOP_PATH, content=text)).json()
    assert (done["revision"], done["changes"]) == (2, planned["changes"])
    assert (await admin.put(SHOP_PATH, content=text)).json()["changes"] == []


async def test_a_new_catalogue_and_a_new_report_poke_open_promotions(office: Office, admin: httpx.AsyncClient):
    promotion = office.promotion()
    await admin.put(SHOP_PATH, content=catalogue_text())
    assert office.orchestrator.poked == [promotion.id]
    digest = "sha256:" + "1" * 64
    report = {
        "SchemaVersion": 2,
        "ArtifactName": "web",
        "Metadata": {"RepoDigests": [f"shop/web@{digest}"]},
        "Results": [],
    }
    answer = await admin.post(f"{SHOP_PATH}/reports", params={"digest": digest}, json=report)
    assert (answer.status_code, answer.json()["kind"]) == (201, "trivy")
    assert office.orchestrator.poked == [promotion.id] * 2


async def test_a_release_is_created_once_and_deprecated(ana: httpx.AsyncClient):
    body = {"version": "1.0.0", "components": {"web": {"tag": "1.0.0"}}, "source": {"commit": "abc"}}
    first, again = [await ana.post(f"{SHOP_PATH}/releases", json=body) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert first.json()["manifest"]["schema"] == "fairlead/release/v1"
    differing = await ana.post(f"{SHOP_PATH}/releases", json={**body, "source": {"commit": "def"}})
    assert (differing.status_code, differing.json()["code"]) == (409, "release_exists")
    changed = await ana.patch(f"{SHOP_PATH}/releases/1.0.0", json={"state": "deprecated"})
    assert changed.json()["state"] == "deprecated"
    asked = await ana.post(f"{SHOP_PATH}/promotions", json={"release": "1.0.0", "environment": "dev"})
    assert (asked.status_code, asked.json()["code"]) == (409, "release_deprecated")
