"""Documents, reports, observations and restraints."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import ReportRecord, RestraintRecord
from fairlead.contracts.release import ReleaseManifest
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.store import documents, observations, reports, restraints
from fairlead.store.database import Database
from tests.store import seeds
from tests.store.seeds import DIGEST, NOW, at

KINDS = {
    "plan": (documents.put_plan, documents.plan),
    "facts": (documents.put_facts, documents.facts),
    "artifact": (documents.put_artifact, documents.artifact),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_kept_under_its_digest(s: Session, kind: str):
    put, get = KINDS[kind]
    value = {"b": [1, 2.5, None], "a": "text"}
    assert put(s, "shop", value) == put(s, "other", value) == put(s, "shop", value) == digest_of(value)
    assert get(s, digest_of(value)) == value
    assert get(s, DIGEST) is None


def test_many_facts_are_kept_at_once_and_those_that_were_there_stay(s: Session):
    known = documents.put_facts(s, "shop", {"a": 1})
    documents.put_all_facts(s, "shop", [{"b": 2}, {"a": 1}, {"b": 2}])
    assert [documents.facts(s, digest) for digest in (known, digest_of({"b": 2}))] == [{"a": 1}, {"b": 2}]
    documents.put_all_facts(s, "shop", [])


def test_a_model_is_kept_as_its_canonical_form(s: Session):
    manifest = seeds.manifest()
    digest = documents.put_plan(s, "shop", manifest)
    assert digest == digest_of(manifest)
    assert ReleaseManifest.model_validate(documents.plan(s, digest)) == manifest


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_any_json_value_keeps_its_digest(database: Database, value: object):
    with database.session() as s:
        digest = documents.put_artifact(s, "shop", value)
        assert digest_of(documents.artifact(s, digest)) == digest


def report(kind: str, project: str = "shop") -> ReportRecord:
    return ReportRecord(project=project, digest=DIGEST, kind=kind, document=DIGEST, imported_at=NOW, imported_by="ci")


def test_reports_come_newest_first(s: Session):
    for kind in ("trivy", "openvex", "trivy"):
        reports.add(s, report(kind))
    reports.add(s, report("trivy", "other"))
    assert [r.kind for r in reports.of_digest(s, "shop", DIGEST)] == ["trivy", "openvex", "trivy"]


def observe(s: Session, target: str, seconds: float, content: str, deployment: str | None = "p1"):
    return observations.add(
        s,
        project="shop",
        environment="prod",
        target=target,
        deployment=deployment,
        time=at(seconds),
        content={"seen": content},
    )


def test_the_latest_observation_of_each_target(s: Session):
    for target, seconds, content in (("t1", 5, "new"), ("t1", 1, "old"), ("t2", 0, "only")):
        observe(s, target, seconds, content)
    latest = {each.target: each.content["seen"] for each in observations.latest(s, "shop", "prod")}
    assert latest == {"t1": "new", "t2": "only"}


@pytest.mark.parametrize("deployment", ["p1", None])
def test_the_same_observation_is_kept_once(s: Session, deployment: str | None):
    first = observe(s, "t1", 1, "same", deployment)
    assert observe(s, "t1", 1, "same", deployment) == first
    assert observations.latest(s, "shop", "prod") == [first]


def test_observations_are_found_by_deployment_and_content(s: Session):
    first, second = observe(s, "t1", 1, "a"), observe(s, "t2", 2, "b")
    observe(s, "t1", 3, "c", deployment=None)
    assert observations.of_deployment(s, "p1") == [first, second]
    assert observations.by_digest(s, "shop", digest_of({"seen": "b"})) == second
    assert observations.by_digest(s, "other", second.digest) is None


def restrain(s: Session, id: str, kind: str = "freeze", **changes) -> RestraintRecord:
    values = {"project": "shop", "environment": "prod", "reason": "r", "actor": "ana", "since": NOW}
    return restraints.add(s, RestraintRecord(id=id, kind=kind, **{**values, **changes}))


def open_ids(s: Session, seconds: float = 1, **more) -> list[str]:
    return [r.id for r in restraints.open_at(s, "shop", "prod", at(seconds), **more)]


def test_restraints_of_both_kinds_come_oldest_first(s: Session):
    restrain(s, "r2", "hold", since=at(-5), deployment="p1")
    restrain(s, "r1", "freeze")
    restrain(s, "r3", "freeze", environment="dev")
    assert open_ids(s) == ["r2", "r1"]
    assert open_ids(s, kind="hold") == ["r2"]
    assert restraints.get(s, "r2").deployment == "p1"


def test_a_restraint_is_over_when_its_time_is(s: Session):
    restrain(s, "r1", until=at(10))
    assert open_ids(s, 9) == ["r1"]
    assert open_ids(s, 10) == []


def test_a_restraint_is_kept_and_ended_once(s: Session):
    first = restrain(s, "r1")
    assert restrain(s, "r1", reason="other") == first
    ended = restraints.end(s, "r1", time=at(5), actor="ben")
    assert restraints.end(s, "r1", time=at(9), actor="cid") == ended
    assert (ended.ended_at, ended.ended_by) == (at(5), "ben")
    assert open_ids(s) == []


def test_a_restraint_that_is_not_there_cannot_end(s: Session):
    assert restraints.get(s, "r1") is None
    with pytest.raises(NotFound) as caught:
        restraints.end(s, "r1", time=NOW, actor="ana")
    assert caught.value.code == Code.HOLD_NOT_FOUND
