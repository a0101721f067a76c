"""Sessions are transactions, and Postgres' errors become ours."""

import socket
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from fairlead.contracts.steps import Append
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.store import documents, history, projects, promotions
from fairlead.store.database import Database, migrate
from fairlead.store.migrating import newest
from tests.fixtures.postgres import FreshDatabase
from tests.store import seeds


def test_a_session_commits_at_its_end(database: Database):
    with database.session() as s:
        seeds.project(s)
    with database.session() as s:
        assert projects.names(s) == ["shop"]


def test_a_session_that_fails_leaves_nothing(database: Database):
    def fail() -> None:
        with database.session() as s:
            seeds.project(s)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.session() as s:
        assert projects.names(s) == []


def test_a_database_that_is_not_there_is_unavailable():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        nowhere = Database(f"postgresql://nobody:x@127.0.0.1:{held.getsockname()[1]}/none")
        with pytest.raises(Unavailable) as caught, nowhere.session() as s:
            projects.names(s)
    assert caught.value.code == Code.DATABASE_UNAVAILABLE


def test_connections_that_were_cut_are_replaced_unnoticed(database: Database, postgres: FreshDatabase):
    with database.session() as s:
        pid = _backend(s)
    other = Database(postgres.app_url)
    with other.session() as s:
        s.exec(text("SELECT pg_terminate_backend(:pid)").bindparams(pid=pid))
    other.dispose()
    with database.session() as s:
        assert _backend(s) != pid


def test_who_comes_second_with_a_row_is_asked_to_try_again(database: Database):
    with database.session() as s:
        seeds.project(s)
        seeds.release(s)
        seeds.promotion(s)
    with pytest.raises(Unavailable) as caught, database.session() as s:
        seeds.promotion(s)
    assert caught.value.code == Code.DATABASE_UNAVAILABLE


def _backend(s: Session) -> int:
    return s.exec(text("SELECT pg_backend_pid()")).scalar_one()


def test_a_connection_cut_in_the_middle_is_unavailable(database: Database):
    with pytest.raises(Unavailable), database.session() as s:
        s.exec(text("SELECT pg_terminate_backend(pg_backend_pid())"))


_EVERYWHERE = [
    (bad, where) for bad in ("a\0b", "a\ud800b") for where in ("query", "json", "catalogue", "event", "document")
]


@pytest.mark.parametrize(("bad", "where"), [case for case in _EVERYWHERE if case != ("a\0b", "document")])
def test_text_that_cannot_be_stored_is_bad_input(database: Database, bad: str, where: str):
    with pytest.raises(BadInput), database.session() as s:
        _use(s, bad, where)


def test_a_document_may_hold_what_json_may(database: Database):
    with database.session() as s:
        assert documents.artifact(s, documents.put_artifact(s, "shop", {"text": "a\0b"})) == {"text": "a\0b"}


def _use(s: Session, bad: str, where: str) -> Any:
    if where == "query":
        return promotions.get(s, bad)
    if where == "catalogue":
        return projects.save(s, name="shop", catalogue={"people": {bad: {}}}, actor="ana", time=seeds.NOW)
    if where == "document":
        return documents.put_artifact(s, "shop", {"text": bad})
    if where == "event":
        return history.append(s, Append(subject="edge/x", sequence=0, type=bad, time=seeds.NOW))
    return history.append(s, Append(subject="edge/x", sequence=0, type="t", time=seeds.NOW, data={"text": bad}))


@pytest.mark.parametrize(
    "time",
    [datetime.fromisoformat("2026-01-01"), datetime.max.replace(tzinfo=timezone(-timedelta(hours=14)))],
    ids=["naive", "far"],
)
def test_a_time_that_is_no_instant_is_bad_input(database: Database, time: datetime):
    with pytest.raises(BadInput), database.session() as s:
        history.append(s, Append(subject="edge/x", sequence=0, type="t", time=time))


def test_a_number_out_of_range_is_bad_input(database: Database):
    with pytest.raises(BadInput), database.session() as s:
        promotions.list_promotions(s, "shop", before=2**70)


def test_migrating_twice_is_migrating_once(owner_url: str, database: Database):
    migrate(owner_url)
    with database.session() as s:
        assert s.exec(text("SELECT version_num FROM release.revision")).scalar_one() == newest()


def test_migrating_for_a_role_that_is_not_there_is_refused_with_the_remedy(owner_url: str):
    with pytest.raises(BadInput) as caught:
        migrate(owner_url, app_role="nobody_here")
    assert "CREATE ROLE nobody_here" in (caught.value.hint or "")
