"""A secret reaches the application and is nowhere else: not in histories, rows, logs or evidence, though the application tells it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fairlead.domain.masking import MASK
from fairlead.store.database import libpq_url
from tests.system.shop import Shop
from tests.system.whole import WholeSystem
from workers.embedded_postgres import EmbeddedPostgres

pytestmark = pytest.mark.process

FIRST, SECOND = "s3cr3t-first-8a1f0c", "s3cr3t-second-77b2e4"


@pytest.fixture
def secret(system: WholeSystem, shop: Shop) -> Path:
    """A file that holds it; the shop's application is given it as TOKEN, and tells it."""
    path = system.folder / f"{shop.name}.secret"
    path.write_text(FIRST + "\n")
    path.chmod(0o600)
    shop.document["components"]["web"] |= {"secrets": {"TOKEN": f"file://{path}"}, "env": {"TELL": "TOKEN"}}
    shop.apply()
    shop.release("1.0.1")
    return path


def printed(shop: Shop) -> str:
    """What the application itself printed on its host."""
    return (shop.host / f"{shop.name}-dev-dev-1" / "components" / "web" / "log").read_text()


def rows(system: WholeSystem) -> Iterator[tuple[str, bytes]]:
    """Every row of every table."""
    with psycopg.connect(libpq_url(EmbeddedPostgres(system.data / "postgres").owner_url)) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names are the database's own
                yield table, b" ".join(v if isinstance(v, bytes) else str(v).encode() for v in row)


def files(system: WholeSystem, shop: Shop) -> Iterator[tuple[str, bytes]]:
    """Every file of the system but those where secrets have to be, and what applications printed themselves."""
    yield str(system.log), system.log.read_bytes()
    for path in system.data.rglob("*"):
        is_theirs = "components" in path.parts and path.name in {"log", "log.1"}
        if path.is_file() and not path.is_symlink() and path.parent.name != "secrets" and not is_theirs:
            yield str(path), path.read_bytes()


async def histories(system: WholeSystem) -> Iterator[tuple[str, bytes]]:
    """Every event of every workflow."""
    client = await system.temporal()
    found: list[tuple[str, bytes]] = []
    async for workflow in client.list_workflows():
        handle = client.get_workflow_handle(workflow.id, run_id=workflow.run_id)
        found += [(workflow.id, event.SerializeToString()) async for event in handle.fetch_history_events()]
    return iter(found)


def places_of(value: str, found: Iterator[tuple[str, bytes]]) -> set[str]:
    """Where a value stands, plainly or in Base64."""
    forms = (value.encode(), base64.b64encode(value.encode())[:-4])
    return {place for place, content in found if any(form in content for form in forms)}


async def test_it_is_in_no_history_row_log_or_evidence(system: WholeSystem, shop: Shop, secret: Path) -> None:
    good = shop.succeed("1.0.1", "dev")
    assert FIRST in printed(shop)
    shop.release("1.1.0", broken=True)
    shop.document["environments"]["dev"]["strategy"]["healthy_deadline"] = "3s"
    shop.apply()
    bad = shop.promote("1.1.0", "dev")
    assert shop.ends(bad)["state"] == "rolled_back"
    assert f"it is {MASK}" in str(shop.view(bad)["tasks"])
    heard = shop.ana.get(f"/promotions/{bad}/logs")["items"]
    assert f"it is {MASK}" in [line for task in heard for line in task["lines"]]
    live = shop.ana.get(f"{shop.path}/targets/dev-1/logs")
    assert (live["state"], [item["lines"] for item in live["items"]]) == ("live", [[f"it is {MASK}"]])
    told: list[Any] = [shop.ana.http.get(f"/promotions/{id}/evidence").content for id in (good, bad)]
    told += [shop.ana.http.get(f"/promotions/{id}").content for id in (good, bad)]
    found = {
        "histories": places_of(FIRST, await histories(system)),
        "rows": places_of(FIRST, rows(system)),
        "files": places_of(FIRST, files(system, shop)),
        "answers": places_of(FIRST, ((str(place), content) for place, content in enumerate(told))),
    }
    assert found == {"histories": set(), "rows": set(), "files": set(), "answers": set()}


def test_another_value_is_another_plan_and_the_same_release_brings_it(shop: Shop, secret: Path) -> None:
    first = shop.succeed("1.0.1", "dev")
    secret.write_text(SECOND)
    second = shop.succeed("1.0.1", "dev")
    assert SECOND in printed(shop)
    assert shop.view(first)["plan"] != shop.view(second)["plan"]


def test_a_secret_that_is_gone_is_told_before_anything_is_asked_for(shop: Shop, secret: Path) -> None:
    secret.unlink()
    answer = shop.ana.ask("GET", f"{shop.path}/plan", release="1.0.1", environment="dev")
    assert answer.says == (404, "secret_not_found")
    id = shop.promote("1.0.1", "dev")
    assert shop.is_blocked_by(id, "secret_not_found")
    secret.write_text(SECOND)
    secret.chmod(0o644)
    assert shop.ana.ask("GET", f"{shop.path}/plan", release="1.0.1", environment="dev").says == (403, "secret_denied")
    secret.chmod(0o600)
    shop.document["environments"]["dev"]["soak"] = "1s"
    shop.apply()
    assert shop.ends(id)["state"] == "succeeded"
