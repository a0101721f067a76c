"""Every route of the OpenAPI document, with hostile segments, queries, headers and bodies: an answer, never a server error."""

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import httpx
import pytest

from tests.api.office import Office
from tests.fixtures.postgres import FreshDatabase

SEGMENTS = [
    "shop", "prod", "1.0.0", "nothing", "..", "../../etc/passwd", "a/b", "%00", "\0", "\u0430na", "a" * 5000, " ", "-1",
    "'; drop table x; --", "\U0001f600", "sha256:" + "0" * 64, "\u202e", "%ff", "{}", "0",
]  # fmt: skip
VALUES = [
    "", "\0", "-1", "0", "9" * 400, "1e309", "nan", "30s", "-5s", "9999999999h", "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "../..", "\u0430", "x" * 5000, "true",
    "eyJhIjoxfQ==", "AAAA", "[]",
]  # fmt: skip
BODIES = [
    b"", b"null", b"[]", b"{}", b"1", b'"x"', b"\x00", b"\xff\xfe", b"{" * 2000, b"[" * 100_000, b'{"a":1,"a":2}',
    b'{"reason":"\\u0000"}', b'{"reason":"\\ud800"}', b'{"release":1e999}', b'{"version":' + b"9" * 5000 + b"}",
    b"a: &a [1]\nb: [*a, *a]", b"x" * 300_000,
    json.dumps({"release": "\u0430", "environment": "..", "reason": "x" * 100_000}).encode(),
    json.dumps({"version": "../1", "components": {"web": {"tag": "../.."}}, "source": {"a": []}}).encode(),
    json.dumps({"choice": [], "comment": {}, "reason": 7, "until": "9999-12-31T23:59:59-14:00"}).encode(),
    json.dumps({"reason": "x", "until": "0001-01-01T00:00:00+14:00", "expires_at": "1969-01-01T00:00:00Z"}).encode(),
    json.dumps({"payload": "AA==", "payloadType": "x", "signatures": [{"keyid": "\u0430", "sig": "A"}]}).encode(),
    json.dumps({"subject": "\u0430na", "scope": "root", "expires_at": "99999-01-01", "state": [1]}).encode(),
]  # fmt: skip
HEADERS = [
    {}, {"Idempotency-Key": "x" * 5000}, {"Idempotency-Key": "\xff\xfe"}, {"Last-Event-ID": "9" * 400},
    {"Accept": "text/event-stream;q=nan"}, {"Content-Type": "text/\xff"}, {"If-Match": '"'},
    {"Authorization": "Bearer \xff"}, {"Authorization": "Bearer " + "x" * 10_000}, {"Content-Encoding": "gzip"},
]  # fmt: skip


@pytest.fixture
def office(postgres: FreshDatabase) -> Iterator[Office]:
    """The shop's API."""
    made = Office(postgres)
    yield made
    made.wakeups.close()


def operations(office: Office) -> list[tuple[str, str, list[str]]]:
    """Method, path and the names of the query's parameters."""
    return [
        (method.upper(), path, [p["name"] for p in what.get("parameters", []) if p["in"] == "query"])
        for path, methods in sorted(office.app.openapi()["paths"].items())
        for method, what in sorted(methods.items())
    ]


def filled(path: str, good: dict[str, str], bad: str | None, at: int) -> str:
    """A path whose parameters are what exists, but for one."""
    parts = path.split("/")
    places = [i for i, part in enumerate(parts) if part.startswith("{")]
    for number, place in enumerate(places):
        name = parts[place].strip("{}")
        hostile = bad is not None and number == at % len(places)
        parts[place] = quote(bad if hostile and bad is not None else good.get(name, "nothing"), safe="")
    return "/".join(parts)


def hostile_requests(method: str, path: str, queries: list[str], good: dict[str, str]) -> Iterator[httpx.Request]:
    """Each place of a request in turn made hostile, and the others good."""
    base = "http://fairlead"
    if "{" in path:
        for at in range(path.count("{")):
            for bad in SEGMENTS:
                yield httpx.Request(method, base + filled(path, good, bad, at), content=b"{}")
    fine = base + filled(path, good, None, 0)
    for name in queries:
        for value in VALUES:
            if name != "wait" or value != "30s":
                yield httpx.Request(method, f"{fine}?{urlencode({name: value})}", content=b"{}")
    for headers in HEADERS:
        raw = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
        yield httpx.Request(method, fine, headers=raw, content=b"{}")
    if method != "GET":
        for body in BODIES:
            yield httpx.Request(method, fine, content=body)


async def test_no_request_is_a_server_error(office: Office) -> None:
    promotion, _ = office.open_votes()
    good = {"project": "shop", "environment": "prod", "env": "prod", "version": "1.0.0", "id": promotion.id}
    good |= {"promotion": promotion.id, "promotion_id": promotion.id, "deployment": promotion.id}
    broken, count = [], 0
    async with office.client("integration:ci", scope="admin") as client:
        for method, path, queries in operations(office):
            for request in hostile_requests(method, path, queries, good):
                for name, value in client.headers.items():
                    request.headers.setdefault(name, value)
                answer = await asyncio.wait_for(client.send(request), 20)
                count += 1
                problem = answer.headers.get("content-type", "").startswith("application/problem+json")
                if answer.status_code >= 500 or (answer.status_code >= 400 and not (problem and answer.json()["code"])):
                    broken.append(
                        (method, str(request.url)[:120], request.content[:60], answer.status_code, answer.text[:200])
                    )
    assert count > 500
    assert broken == []
