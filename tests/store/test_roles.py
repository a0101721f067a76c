"""History and evidence: the application role adds and reads, nothing else; triggers refuse the owner too."""

import psycopg
import pytest
from psycopg import errors

from fairlead.store.database import libpq_url
from fairlead.store.migrating import APPEND_ONLY
from tests.fixtures.postgres import FreshDatabase

FORBIDDEN = {
    "update": "UPDATE release.{table} SET project = 'x'",
    "delete": "DELETE FROM release.{table}",
    "truncate": "TRUNCATE release.{table} CASCADE",
    "disable trigger": "ALTER TABLE release.{table} DISABLE TRIGGER ALL",
    "disable our trigger": "ALTER TABLE release.{table} DISABLE TRIGGER append_only",
    "drop": "DROP TABLE release.{table}",
}
FORBIDDEN_TO_OWNER = ("update", "delete", "truncate")


def _statement(name: str, table: str) -> str:
    column = "subject" if table == "events" else "project"
    return FORBIDDEN[name].format(table=table).replace("project", column)


@pytest.fixture(scope="module")
def shared(make_database):
    with make_database() as fresh:
        yield fresh


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_application_role_cannot(shared: FreshDatabase, name: str, table: str):
    refused = pytest.raises(errors.InsufficientPrivilege, match=r"permission denied|must be owner")
    with psycopg.connect(libpq_url(shared.app_url)) as app, refused:
        app.execute(_statement(name, table))


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("name", FORBIDDEN_TO_OWNER)
def test_triggers_refuse_the_owner(shared: FreshDatabase, name: str, table: str):
    with (
        psycopg.connect(libpq_url(shared.owner_url)) as owner,
        pytest.raises(errors.InsufficientPrivilege, match="it is a record"),
    ):
        owner.execute(_statement(name, table))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_application_role_can_read(shared: FreshDatabase, table: str):
    with psycopg.connect(libpq_url(shared.app_url)) as app:
        assert app.execute(f"SELECT count(*) FROM release.{table}").fetchone() == (0,)  # noqa: S608


@pytest.mark.parametrize("url", ["app_url", "owner_url"])
def test_nobody_of_ours_can_switch_triggers_off_for_a_session(shared: FreshDatabase, url: str):
    with psycopg.connect(libpq_url(getattr(shared, url))) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("SET session_replication_role = replica")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE release.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "DROP FUNCTION release.refuse CASCADE",
        "CREATE OR REPLACE FUNCTION release.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DELETE FROM release.promotions",
        "DELETE FROM release.deployments",
        "DELETE FROM release.fences",
        "UPDATE release.releases SET digest = 'x'",
        "UPDATE release.keys SET secret_hash = 'x'",
        "UPDATE release.holds SET reason = 'x'",
        "UPDATE release.idempotency SET status = 200",
        "SET ROLE fairlead_owner",
        "COPY release.events FROM PROGRAM 'true'",
    ],
)
def test_the_application_role_cannot_go_around(shared: FreshDatabase, statement: str):
    with psycopg.connect(libpq_url(shared.app_url)) as app, pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)
