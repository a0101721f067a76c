"""What machines ask of the server itself."""

import httpx

from tests.api.office import BASE, SHOP_PATH, Office


async def test_health_needs_no_key(office: Office):
    async with office.client("") as nobody:
        assert (await nobody.get("/healthz")).json() == {"status": "ok"}


async def test_ready_says_what_is_missing(office: Office, ana: httpx.AsyncClient):
    assert (await ana.get("/readyz")).json()["checks"] == {"database": "ok", "temporal": "ok"}
    office.orchestrator.available = False
    answer = await ana.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["temporal"]) == (200, "Temporal is away")


async def test_requests_are_counted_by_route_not_by_path(office: Office, ana: httpx.AsyncClient):
    for version in ("1", "2"):
        await ana.get(f"{SHOP_PATH}/releases/{version}")
    await ana.get("/nothing/here")
    lines = (await ana.get("/metrics")).text.splitlines()
    counted = 'fairlead_http_requests_total{method="GET",route="%s",status="404"} %d'
    assert counted % ("/projects/{project}/releases/{version}", 2) in lines
    assert counted % ("none", 1) in lines


async def test_the_openapi_document_describes_every_route(ana: httpx.AsyncClient):
    document = (await ana.get("/openapi.json")).json()
    described = {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs}
    assert {f"POST {BASE}/projects/{{project}}/promotions", f"GET {BASE}/promotions/{{id}}/why"} <= described
    operations = [operation for verbs in document["paths"].values() for operation in verbs.values()]
    assert all(operation.get("description") or operation.get("summary") for operation in operations)
    for path, verbs in document["paths"].items():
        secured = all("security" in operation for operation in verbs.values())
        assert secured == path.startswith(BASE), path
