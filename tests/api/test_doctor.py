"""What the server finds wrong with itself, and how to mend it."""

import sys
from datetime import timedelta
from importlib.machinery import ModuleSpec
from types import ModuleType

import httpx
import pytest

from fairlead.store import migrating
from tests.activities.shop import SHOP
from tests.api.office import BASE, Office


async def found(client: httpx.AsyncClient) -> dict[str, str]:
    answer = await client.get(f"{BASE}/doctor")
    return {item["check"]: item["grade"] for item in answer.json()["items"]}


async def test_all_is_well(ana: httpx.AsyncClient) -> None:
    assert set((await found(ana)).values()) == {"ok"}


async def test_a_queue_that_nobody_serves_is_told(office: Office, ana: httpx.AsyncClient) -> None:
    office.orchestrator.workers = 0
    grades = await found(ana)
    assert {check for check, grade in grades.items() if grade == "failed"} == {
        "worker of fairlead-control",
        "worker of fairlead-targets",
    }


async def test_a_temporal_that_is_away_is_told(office: Office, ana: httpx.AsyncClient) -> None:
    office.orchestrator.available = False
    assert (await found(ana))["temporal"] == "failed"


async def test_an_old_schema_is_told(ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "newest", lambda: "9999")
    assert (await found(ana))["database"] == "failed"


@pytest.mark.parametrize(("library", "grade"), [("krb5", "warning"), ("gssapi", "warning"), (None, "ok")])
async def test_targets_that_want_tickets_need_libraries(
    office: Office, ana: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, library: str | None, grade: str
) -> None:
    host = {"type": "winrm_host", "endpoint": "https://win-1.example:5986", "winrm": {"auth": "kerberos"}}
    assert "kerberos" not in await found(ana)
    office.shop.apply({**SHOP, "targets": {**SHOP["targets"], "more": host}})
    for known in ("gssapi", "krb5"):
        there = None if known == library else ModuleType(known)
        monkeypatch.setitem(sys.modules, known, there)
        if there:
            there.__spec__ = ModuleSpec(known, None)
    assert (await found(ana))["kerberos"] == grade


async def test_a_key_that_ends_soon_is_told(office: Office) -> None:
    from fairlead.commands import keys

    made = keys.create_key(
        office.services.database,
        project="shop",
        subject="ana",
        scope="member",
        now=office.time,
        expires_at=office.time + timedelta(days=3),
    )
    async with office.client("") as client:
        client.headers["Authorization"] = f"Bearer {made.secret}"
        assert (await found(client))["bearer key"] == "warning"


def test_the_newest_revision_is_what_migrating_leaves(office: Office) -> None:
    with office.services.database.session() as s:
        assert migrating.revision(s) == migrating.newest()


async def test_nobody_is_told_without_a_key(office: Office) -> None:
    async with office.client("") as client:
        assert (await client.get(f"{BASE}/doctor")).status_code == 401
