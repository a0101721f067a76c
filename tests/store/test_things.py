"""Projects, keys, releases, answers: what is looked up by name."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import ReleaseState
from fairlead.store import idempotency, keys, projects, releases
from fairlead.store.database import Database
from tests.store import seeds
from tests.store.seeds import DIGEST, NOW, at
from tests.store.together import together


def save(s: Session, **catalogue):
    return projects.save(s, name="shop", catalogue=catalogue, actor="ana", time=NOW)


def declared(s: Session, table: str) -> list[str]:
    return list(s.exec(text(f"SELECT name FROM release.{table} ORDER BY name")).scalars())  # noqa: S608


def test_another_catalogue_is_another_revision(s: Session):
    assert save(s, targets={"a": {}}).revision == 1
    assert save(s, targets={"a": {}}).revision == 1
    changed = save(s, targets={"a": {}, "b": {}})
    assert (changed.revision, changed.digest) == (2, digest_of({"targets": {"a": {}, "b": {}}}))
    assert projects.get(s, "shop") == changed


def test_what_a_catalogue_declares_has_rows(s: Session):
    save(s, targets={"a": {}, "b": {}}, people={"ana": {}})
    save(s, targets={"b": {"x": 1}, "c": {}}, components={"web": {}}, environments={"prod": {}})
    found = {table: declared(s, table) for table in ("targets", "people", "components", "environments")}
    assert found == {"targets": ["b", "c"], "people": [], "components": ["web"], "environments": ["prod"]}


def test_projects_are_listed_by_name(s: Session):
    for name in ("shop", "api"):
        projects.save(s, name=name, catalogue={}, actor="ana", time=NOW)
    assert projects.names(s) == ["api", "shop"]
    assert projects.get(s, "none") is None


def test_two_who_save_at_once_make_a_revision_each(database: Database):
    saved = together(
        database, lambda s, n: projects.save(s, name="shop", catalogue={"n": n}, actor="ana", time=NOW).revision
    )
    assert sorted(saved) == list(range(1, 21))


def add_key(s: Session, id: str, project: str | None = "shop", **more):
    return keys.add(s, id=id, project=project, subject="ana", scope="member", secret_hash=f"h-{id}", time=NOW, **more)


def test_a_key_is_found_by_its_secrets_hash(s: Session):
    added = add_key(s, "k1", expires_at=at(60))
    assert keys.by_hash(s, "h-k1") == added
    assert keys.by_hash(s, "h-k2") is None


def test_keys_are_listed_by_project(s: Session):
    mine, nobodys = add_key(s, "k1"), add_key(s, "k2", project=None)
    assert keys.list_keys(s, "shop") == [mine]
    assert keys.list_keys(s, None) == [nobodys]


def test_a_key_is_revoked_once(s: Session):
    add_key(s, "k1")
    assert keys.revoke(s, "k1", at(5)).revoked_at == at(5)
    assert keys.revoke(s, "k1", at(9)).revoked_at == at(5)
    with pytest.raises(NotFound):
        keys.revoke(s, "k2", NOW)


def test_a_release_is_found_by_version_and_digest(s: Session):
    made = seeds.release(s)
    assert releases.get(s, "shop", "1.0.0") == releases.by_digest(s, "shop", made.digest) == made
    assert made.manifest == seeds.manifest()
    assert releases.get(s, "shop", "2") is releases.by_digest(s, "other", made.digest) is None


def test_the_same_release_again_is_the_one_that_is_there(s: Session):
    assert seeds.release(s) == seeds.release(s)


def test_a_version_with_another_content_is_refused(s: Session):
    seeds.release(s)
    with pytest.raises(Conflict) as caught:
        releases.insert(s, manifest=seeds.manifest(), digest=digest_of("other"), created_by="ana", time=NOW)
    assert caught.value.code == Code.RELEASE_EXISTS


def test_releases_are_paged_newest_first(s: Session):
    made = [seeds.release(s, f"1.{n}.0") for n in range(3)]
    page = releases.list_releases(s, "shop", limit=2)
    assert page == [made[2], made[1]]
    assert releases.list_releases(s, "shop", before=page[-1].ordinal) == [made[0]]


def test_state_and_statement_of_a_release_may_change(s: Session):
    seeds.release(s)
    releases.set_state(s, "shop", "1.0.0", ReleaseState.DEPRECATED)
    changed = releases.set_statement(s, "shop", "1.0.0", DIGEST)
    assert (changed.state, changed.statement) == (ReleaseState.DEPRECATED, DIGEST)
    with pytest.raises(NotFound):
        releases.set_state(s, "shop", "2", ReleaseState.ACTIVE)


@pytest.mark.parametrize("column", ["version", "digest", "project", "created_by", "created_at", "manifest", "ordinal"])
def test_a_releases_identity_never_changes(database: Database, owner: Session, column: str):
    with database.session() as s:
        seeds.project(s, "other")
        seeds.release(s)
    value = {"created_at": "now()", "manifest": "'{}'", "ordinal": "99"}.get(column, "'other'")
    with pytest.raises(ProgrammingError, match="it is a record"):
        owner.exec(text(f"UPDATE release.releases SET {column} = {value}"))  # noqa: S608


@pytest.mark.parametrize("column", ["environment", "requester", "release_digest", "intent"])
def test_a_promotions_identity_never_changes(database: Database, owner: Session, column: str):
    with database.session() as s:
        seeds.promotion(s)
    with pytest.raises(ProgrammingError, match="it is a record"):
        owner.exec(text(f"UPDATE release.promotions SET {column} = 'other'"))  # noqa: S608


@pytest.mark.parametrize("table", ["releases", "promotions"])
@pytest.mark.parametrize("statement", ["DELETE FROM release.{}", "TRUNCATE release.{} CASCADE"])
def test_releases_and_promotions_are_never_removed(owner: Session, table: str, statement: str):
    with pytest.raises(ProgrammingError, match="it is a record"):
        owner.exec(text(statement.format(table)))


@pytest.mark.parametrize("body", [{"id": "p1"}, [1, None], "text", None])
def test_the_first_answer_is_kept(s: Session, body: object):
    idempotency.keep(s, "k1", "key", DIGEST, 202, body, NOW)
    idempotency.keep(s, "k1", "key", digest_of("other"), 500, {}, NOW)
    assert idempotency.find(s, "k1", "key") == (DIGEST, 202, body)


def test_answers_belong_to_a_key_owner(s: Session):
    idempotency.keep(s, "k1", "key", DIGEST, 202, {}, NOW)
    assert idempotency.find(s, "k2", "key") is None
