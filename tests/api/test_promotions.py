"""A promotion from request to answer: started, voted on, refused, cancelled, explained."""

from datetime import timedelta

import httpx
import pytest

from api import forecasting
from fairlead.adapters.retries import Retry
from fairlead.contracts import names
from fairlead.contracts.votes import Choice
from fairlead.domain.codes import Code
from tests.activities.shop import NOW, at, new_signer
from tests.api.office import BASE, SHOP_PATH, Office

PROMOTIONS = f"{SHOP_PATH}/promotions"


def path(promotion, *parts: str) -> str:
    return "/".join([BASE, "promotions", promotion.id, *parts])


async def test_a_request_is_accepted_and_started(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    answer = await ana.post(PROMOTIONS, json={"release": "1.0.0", "environment": "prod", "reason": "because"})
    made = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{BASE}/promotions/{made['id']}")
    assert (made["state"], made["status"], made["requester"], made["reason"]) == (
        "requested",
        "queued",
        "ana",
        "because",
    )
    assert office.orchestrator.started == [made["id"]]


async def test_without_temporal_the_request_stays(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    office.orchestrator.available = False
    answer = await ana.post(PROMOTIONS, json={"release": "1.0.0", "environment": "prod"})
    assert answer.status_code == 202
    assert office.shop.row(answer.json()["id"]).state == "requested"


async def test_a_unique_prefix_names_a_promotion(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    answer = await ana.get(f"{BASE}/promotions/{promotion.id[:4]}")
    assert answer.json()["id"] == promotion.id


async def test_a_prefix_of_several_is_ambiguous(office: Office, ana: httpx.AsyncClient):
    ids, first = [], set()
    while len(first) == len(ids):  # 32 letters to begin with, so this ends soon
        ids.append(office.promotion(environment="dev").id)
        first.add(ids[-1][0])
    answer = await ana.get(f"{BASE}/promotions/{ids[-1][0]}")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_id")
    assert ids[-1] in answer.json()["fields"]["ids"]


async def test_a_vote_counts_and_is_shown(office: Office):
    promotion, plan = office.open_votes()
    envelope = office.shop.vote("ben", promotion, plan, time=office.time, comment="looks right")
    async with office.client("ben") as ben:
        answer = await ben.post(path(promotion, "votes"), json=envelope)
        view = (await ben.get(path(promotion))).json()
    assert (answer.status_code, answer.json()["actor"]) == (200, "ben")
    [vote] = view["votes"]
    assert (vote["voter"], vote["choice"], vote["comment"], vote["counted"]) == ("ben", "approve", "looks right", True)
    assert view["sequence"] == 4


async def test_of_two_votes_of_one_person_the_last_counts(office: Office, ana: httpx.AsyncClient):
    promotion, plan = office.open_votes()
    for seconds in (1, 2):
        office.time = at(seconds)
        envelope = office.shop.vote("ben", promotion, plan, time=office.time, nonce=str(seconds))
        assert (await ana.post(path(promotion, "votes"), json=envelope)).status_code == 200
    votes = (await ana.get(path(promotion))).json()["votes"]
    assert [(vote["counted"], vote["code"]) for vote in votes] == [(False, "superseded"), (True, None)]


REFUSED_VOTES = {
    "by the requester": ("ana", {}, 403, "vote_by_requester", "ana"),
    "with another's key": ("ben", {"signer": new_signer()}, 403, "vote_unknown_key", "unknown"),
    "in another's name": ("ben", {"voter": "cho"}, 403, "vote_wrong_voter", "ben"),
    "about another plan": ("ben", {"plan": "sha256:" + "0" * 64}, 409, "vote_wrong_plan", "ben"),
    "about another promotion": ("ben", {"promotion": "b" * 12}, 422, "vote_wrong_promotion", "ben"),
    "too old": ("ben", {"time": at(-600)}, 409, "vote_stale", "ben"),
}


@pytest.mark.parametrize(("voter", "changes", "status", "code", "actor"), REFUSED_VOTES.values(), ids=REFUSED_VOTES)
async def test_a_vote_is_refused_and_the_refusal_is_seen(office: Office, ana, voter, changes, status, code, actor):
    promotion, plan = office.open_votes()
    envelope = office.shop.vote(voter, promotion, plan, **{"time": office.time, **changes})
    answer = await ana.post(path(promotion, "votes"), json=envelope)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    [refused] = (await ana.get(path(promotion))).json()["refused_votes"]
    assert (refused["code"], refused["actor"], refused["via"]) == (code, actor, "update")
    assert refused["payload_digest"].startswith("sha256:")
    assert office.shop.events(names.edge_subject(promotion.id)) == []


NO_VOTES = {
    "a list": ([1], 422, "vote_malformed"),
    "text": ("approve", 422, "vote_malformed"),
    "null": (None, 422, "vote_malformed"),
    "too large": ({"payload": "x" * 20_000}, 422, "vote_too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), NO_VOTES.values(), ids=NO_VOTES)
async def test_what_is_no_vote_is_recorded_at_the_edge(office: Office, ana, body, status, code):
    promotion, _ = office.open_votes()
    answer = await ana.post(path(promotion, "votes"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    [event] = office.shop.events(names.edge_subject(promotion.id))
    assert (event.type, event.code, event.actor, event.data["via"]) == ("vote_refused", code, "unknown", "api")
    for view in ((await ana.get(path(promotion))).json(), (await ana.get(path(promotion, "why"))).json()):
        assert [vote["code"] for vote in view["refused_votes"]] == [code]


async def test_a_vote_on_what_is_over_is_recorded_at_the_edge(office: Office, ana: httpx.AsyncClient):
    promotion, plan = office.open_votes()
    office.shop.append(names.promotion_subject(promotion.id), "ended", state="expired")
    office.orchestrator.running = False
    answer = await ana.post(path(promotion, "votes"), json=office.shop.vote("ben", promotion, plan))
    assert (answer.status_code, answer.json()["code"]) == (409, "promotion_closed")
    assert [event.code for event in office.shop.events(names.edge_subject(promotion.id))] == ["promotion_closed"]


async def test_a_vote_before_the_workflow_began_starts_it(office: Office, ana: httpx.AsyncClient):
    promotion, plan = office.open_votes()
    office.orchestrator.running = False
    answer = await ana.post(path(promotion, "votes"), json=office.shop.vote("ben", promotion, plan))
    assert (answer.status_code, answer.json()["code"]) == (503, "temporal_unavailable")
    assert office.orchestrator.started == [promotion.id]
    assert office.shop.events(names.edge_subject(promotion.id)) == []


async def test_a_cancel_names_who_asked(office: Office, ana: httpx.AsyncClient):
    promotion, _ = office.open_votes()
    answer = await ana.post(path(promotion, "cancel"), json={"reason": "wrong one"})
    assert (answer.status_code, answer.json()["actor"]) == (200, "ana")
    event = office.shop.events(names.promotion_subject(promotion.id))[-1]
    assert (event.type, event.actor, event.data["comment"]) == ("cancel_accepted", "ana", "wrong one")


async def test_a_cancel_needs_no_body(office: Office, ana: httpx.AsyncClient):
    promotion, _ = office.open_votes()
    assert (await ana.post(path(promotion, "cancel"))).status_code == 200


async def test_a_signed_cancel_counts_as_its_signers(office: Office, ana: httpx.AsyncClient):
    promotion, plan = office.open_votes()
    envelope = office.shop.vote("ben", promotion, plan, choice=Choice.CANCEL, time=office.time)
    answer = await ana.post(path(promotion, "cancel"), json=envelope)
    assert (answer.status_code, answer.json()["actor"], answer.json()["choice"]) == (200, "ben", "cancel")


@pytest.mark.parametrize(
    ("body", "pointer"), [({"why": "x"}, "/why"), ({"reason": 1}, "/reason"), ({"reason": "x" * 2000}, "/reason")]
)
async def test_a_cancel_that_is_none_is_refused(office: Office, ana: httpx.AsyncClient, body, pointer):
    promotion, _ = office.open_votes()
    answer = await ana.post(path(promotion, "cancel"), json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_retry_is_a_new_promotion(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="dev")
    assert (await ana.post(path(promotion, "retry"))).json()["code"] == "promotion_not_closed"
    office.shop.append(names.promotion_subject(promotion.id), "ended", state="expired")
    answer = await ana.post(path(promotion, "retry"))
    assert (answer.status_code, answer.json()["retry_of"]) == (202, promotion.id)
    assert office.orchestrator.started == [answer.json()["id"]]


async def test_a_plan_is_shown_with_what_it_changes(office: Office, ana: httpx.AsyncClient):
    promotion, plan = office.open_votes()
    shown = (await ana.get(path(promotion, "plan"))).json()
    assert (shown["digest"], shown["current"]) == (plan, True)
    actions = {(t["name"], c["name"], c["action"]) for t in shown["targets"] for c in t["components"]}
    assert actions == {("prod-1", "web", "create"), ("prod-2", "web", "create")}


async def test_a_dry_run_makes_the_same_plan_and_no_promotion(office: Office, ana: httpx.AsyncClient):
    _, plan = office.open_votes()
    before = (await ana.get(PROMOTIONS)).json()
    shown = (await ana.get(f"{SHOP_PATH}/plan", params={"release": "1.0.0", "environment": "prod"})).json()
    assert shown["digest"] == plan
    assert (await ana.get(PROMOTIONS)).json() == before


async def test_the_targets_of_a_dry_run_are_asked_each_and_one_that_is_silent_hides_no_other(
    office: Office, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    office.shop.release("1.0.0")
    asked = f"{SHOP_PATH}/plan/targets?release=1.0.0&environment=prod"
    told = (await ana.get(asked)).json()
    plain = (await ana.get(asked.replace("/targets", ""))).json()
    said = [(f["target"], f["lines"], f["code"]) for f in told.pop("forecasts")]
    assert said == [(name, [f"{plain['digest']} would be carried out"], None) for name in ("prod-1", "prod-2")]
    assert told == plain
    monkeypatch.setattr(forecasting, "PATIENCE", timedelta(seconds=1))
    office.orchestrator.silent = {"prod-1"}
    assert codes(await ana.get(asked)) == {"prod-1": "temporal_unavailable", "prod-2": None}
    office.orchestrator.available = False
    assert codes(await ana.get(asked)) == dict.fromkeys(("prod-1", "prod-2"), "temporal_unavailable")


def codes(answer: httpx.Response) -> dict[str, str | None]:
    assert answer.status_code == 200
    return {forecast["target"]: forecast["code"] for forecast in answer.json()["forecasts"]}


async def test_the_kept_facts_give_the_same_verdicts(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion()
    evaluation = office.shop.evaluate(promotion.id)
    subject = names.promotion_subject(promotion.id)
    office.shop.append(subject, "evaluating", state="evaluating")
    verdicts = evaluation.model_dump(mode="json")["verdicts"]
    office.shop.append(subject, "evaluated", data={"plan": evaluation.plan, "verdicts": verdicts})
    answer = (await ana.get(path(promotion, "replay"))).json()
    assert answer["same"] is True
    assert {verdict["gate"] for verdict in answer["verdicts"]} == {verdict["gate"] for verdict in verdicts} != set()


async def test_why_tells_what_fails_outside_and_is_tried_again(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="staging")
    office.shop.append(names.promotion_subject(promotion.id), "evaluating", state="evaluating")
    office.shop.open_deployment(promotion)
    full = Retry(step="apply", attempt=3, code=Code.TARGET_FULL, detail="no space is left", next_at=NOW)
    office.orchestrator.retried[names.deployment_workflow(promotion.id)] = [full]
    [blocker] = (await ana.get(path(promotion, "why"))).json()["blocked_by"]
    assert (blocker["code"], blocker["rule"], blocker["details"]) == (
        "target_full",
        "retry",
        {"step": "apply", "attempt": 3},
    )
    office.orchestrator.available = False
    [blocker] = (await ana.get(path(promotion, "why"))).json()["blocked_by"]
    assert blocker["code"] == "temporal_unavailable"


async def test_a_deployment_is_shown_wave_by_wave(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="staging")
    office.shop.open_deployment(promotion)
    shown = (await ana.get(f"{BASE}/deployments/{promotion.id[:6]}")).json()
    assert [[task["target"] for task in wave] for wave in shown["waves"]] == [["stg-1"], ["stg-2"]]
    view = (await ana.get(path(promotion))).json()
    assert [task["id"] for task in view["tasks"]] == [f"{promotion.id}/stg-1", f"{promotion.id}/stg-2"]
    assert view["deployments"][0]["state"] == "queued"


async def test_evidence_comes_as_a_bundle_and_trust_as_a_file(office: Office, ana: httpx.AsyncClient):
    promotion = office.promotion(environment="dev")
    bundle = (await ana.get(path(promotion, "evidence"))).json()
    assert (bundle["promotion"], len(bundle["envelopes"])) == (promotion.id, 1)
    trust = (await ana.get(f"{SHOP_PATH}/trust")).json()
    roles = {role for key in trust["keys"] for role in key["roles"]}
    assert roles == {"decision", "ledger", "agent:worker", "voter:ana", "voter:ben", "voter:cho"}
