"""Every refusal is a problem document with status, code and where it applies."""

import httpx
import pytest

from fairlead.domain.codes import Code
from tests.api.office import BASE, SHOP_PATH, Office, catalogue_text

DEEP = "[" * 100 + "]" * 100
RELEASES, PROMOTIONS = f"{SHOP_PATH}/releases", f"{SHOP_PATH}/promotions"
FREEZES = f"{SHOP_PATH}/environments/prod/freezes"
ASK = '{"release": "1.0.0", "environment": "prod"'

REFUSED_BODIES = {
    "not JSON": (PROMOTIONS, '{"release": ', 422, "document_malformed", None),
    "a key twice": (PROMOTIONS, '{"release": "1", "release": "2"}', 422, "duplicate_key", None),
    "too deep": (PROMOTIONS, DEEP, 422, "document_too_deep", None),
    "too deep for the parser": (PROMOTIONS, "[" * 100_000, 422, "document_too_deep", None),
    "NaN": (PROMOTIONS, '{"release": NaN}', 422, "document_malformed", None),
    "NUL": (PROMOTIONS, ASK + ', "reason": "a\\u0000b"}', 422, "document_malformed", "/reason"),
    "unpaired surrogate": (PROMOTIONS, ASK + ', "reason": "\\ud800"}', 422, "document_malformed", "/reason"),
    "no UTF-8": (PROMOTIONS, b'{"release": "\xff"}', 422, "document_malformed", None),
    "too large": (PROMOTIONS, " " * (1024 * 1024 + 1), 422, "document_too_large", None),
    "unknown field": (PROMOTIONS, ASK + ', "a/b": 1}', 422, "bad_request", "/a~1b"),
    "missing field": (PROMOTIONS, '{"release": "1.0.0"}', 422, "bad_request", "/environment"),
    "no body": (PROMOTIONS, "", 422, "bad_request", ""),
    "bad intent": (PROMOTIONS, ASK + ', "intent": "force"}', 422, "bad_request", "/intent"),
    "unknown release": (PROMOTIONS, ASK.replace("1.0.0", "9") + "}", 404, "release_not_found", None),
    "unknown environment": (PROMOTIONS, ASK.replace("prod", "prd") + "}", 404, "environment_not_found", None),
    "tag and digest": (
        RELEASES,
        '{"version": "2", "components": {"web": {"tag": "a", "digest": "b"}}}',
        422,
        "bad_request",
        "/components/web",
    ),
    "unknown component": (
        RELEASES,
        '{"version": "2", "components": {"wob": {"tag": "a"}}}',
        422,
        "component_not_found",
        None,
    ),
    "freeze without a reason": (FREEZES, '{"for": "1h"}', 422, "bad_request", "/reason"),
    "freeze with a blank reason": (FREEZES, '{"reason": " "}', 422, "bad_request", "/reason"),
    "freeze for a bad duration": (FREEZES, '{"reason": "x", "for": "an hour"}', 422, "bad_duration", "/for"),
    "freeze that is over": (FREEZES, '{"reason": "x", "until": "2001-01-01T00:00:00Z"}', 422, "bad_value", "/until"),
    "freeze without a time zone": (
        FREEZES,
        '{"reason": "x", "until": "2031-01-01T00:00:00"}',
        422,
        "bad_request",
        "/until",
    ),
    "freeze of nowhere": (FREEZES.replace("prod", "x"), '{"reason": "x"}', 404, "environment_not_found", None),
    "rollback to nothing": (f"{SHOP_PATH}/environments/prod/rollbacks", "{}", 409, "nothing_to_roll_back_to", None),
    "report about no digest": (f"{SHOP_PATH}/reports?digest=web", "{}", 422, "bad_reference", None),
    "report that is none": (f"{SHOP_PATH}/reports?digest=sha256:{'0' * 64}", "{}", 422, "report_invalid", None),
}


@pytest.mark.parametrize(("path", "body", "status", "code", "pointer"), REFUSED_BODIES.values(), ids=REFUSED_BODIES)
async def test_a_bad_body_is_refused(ana: httpx.AsyncClient, path, body, status, code, pointer):
    answer = await ana.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem["errors"]]


REFUSED_PATHS = {
    "unknown route": ("GET", f"{BASE}/nothing", 404, "not_found"),
    "verb it does not take": ("DELETE", PROMOTIONS, 405, "method_not_allowed"),
    "unknown release": ("GET", f"{RELEASES}/9", 404, "release_not_found"),
    "unknown promotion": ("GET", f"{BASE}/promotions/zzzz", 404, "promotion_not_found"),
    "unknown promotion's plan": ("GET", f"{BASE}/promotions/zzzz/plan", 404, "promotion_not_found"),
    "unknown deployment": ("GET", f"{BASE}/deployments/zzzz", 404, "promotion_not_found"),
    "unknown environment": ("GET", f"{SHOP_PATH}/environments/prd", 404, "environment_not_found"),
    "unknown freeze": ("DELETE", f"{FREEZES}/zzzz", 404, "freeze_not_found"),
    "unknown hold": ("DELETE", f"{SHOP_PATH}/environments/prod/holds/zzzz", 404, "hold_not_found"),
    "cursor of nobody": ("GET", f"{PROMOTIONS}?cursor=abc", 422, "bad_cursor"),
    "cursor in no alphabet": ("GET", f"{PROMOTIONS}?cursor=%C3%A4", 422, "bad_cursor"),
    "page too large": ("GET", f"{PROMOTIONS}?limit=1000", 422, "bad_request"),
    "unknown state": ("GET", f"{PROMOTIONS}?state=done", 422, "bad_request"),
    "NUL in a filter": ("GET", f"{PROMOTIONS}?release=%00", 422, "bad_request"),
    "time without a zone": ("GET", f"{PROMOTIONS}?since=2030-01-01T00:00:00", 422, "bad_request"),
    "dry run of no release": ("GET", f"{SHOP_PATH}/plan?release=9&environment=dev", 404, "release_not_found"),
    "dry run into nowhere": ("GET", f"{SHOP_PATH}/plan?environment=prd", 422, "bad_request"),
}


@pytest.mark.parametrize(("verb", "path", "status", "code"), REFUSED_PATHS.values(), ids=REFUSED_PATHS)
async def test_a_bad_path_is_refused(ana: httpx.AsyncClient, verb, path, status, code):
    answer = await ana.request(verb, path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()


async def test_a_catalogue_is_refused_with_line_and_column(admin: httpx.AsyncClient):
    text = catalogue_text().replace("after:\n    - dev", "after:\n    - dve")
    answer = await admin.put(SHOP_PATH, content=text)
    [error] = answer.json()["errors"]
    line = text.splitlines().index("    - dve") + 1
    assert (answer.status_code, error["code"], error["line"], error["column"]) == (422, "unknown_name", line, 7)
    assert error["pointer"] == "/environments/staging/after/0"


async def test_a_catalogue_of_another_project_is_refused(admin: httpx.AsyncClient):
    answer = await admin.put(SHOP_PATH, content=catalogue_text(project="other"))
    assert (answer.status_code, answer.json()["code"]) == (422, "project_mismatch")


async def test_a_missing_name_gets_a_hint_at_the_nearest(ana: httpx.AsyncClient):
    answer = await ana.get(f"{SHOP_PATH}/environments/stagin")
    assert "did you mean staging" in answer.json()["detail"]


async def test_a_bug_of_ours_is_an_internal_error_without_its_words(
    office: Office, ana: httpx.AsyncClient, monkeypatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("api.routes.releases.stored.list_releases", broken)
    answer = await ana.get(RELEASES)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


async def test_a_database_that_is_away_is_unavailable(office: Office, ana: httpx.AsyncClient, monkeypatch):
    from fairlead.domain.errors import Unavailable

    def away(*_: object, **__: object) -> None:
        raise Unavailable(Code.DATABASE_UNAVAILABLE, "the database is away")

    monkeypatch.setattr("api.routes.releases.stored.list_releases", away)
    answer = await ana.get(RELEASES)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]


async def test_a_vote_that_does_not_come_as_json_is_refused(office: Office):
    promotion, _ = office.open_votes()
    async with office.client("ana") as client:
        answer = await client.post(f"/api/v1/promotions/{promotion.id}/votes", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_request")
