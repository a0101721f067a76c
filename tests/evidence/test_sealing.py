"""What is sealed in the ledger comes out as bundles that verify with the trust file that the server writes."""

import json
from copy import deepcopy

import pytest

from fairlead.commands import sealing
from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotFound
from fairlead.evidence import bundle as bundles
from fairlead.evidence import statements
from fairlead.store import ledger, projects, promotions, releases
from tests.domain.documents import GOOD
from tests.evidence import world as w

KEYS = {"decision": w.signer("decision"), "ledger": w.signer("ledger"), "agents": {"worker": w.signer("agent")}}


class StoredWorld(w.World):
    """The same stories, sealed in Postgres."""

    def __init__(self, s):
        super().__init__()
        self.s = s

    def seal(self, name, statement):
        kind = "vsa" if name.startswith("verdict ") else statement.predicate_type.split(":")[2]
        self.digests[name] = sealing.seal(
            self.s,
            w.signer("agent" if kind in w.AGENT_KINDS else "decision"),
            project=w.PROJECT,
            key=name,
            kind=kind,
            promotion=None if kind == "release" else w.PROMOTION,
            statement=statement,
            time=w.NOON,
        )
        return self.digests[name]

    def release(self, name, manifest):
        digest = digest_of(manifest)
        releases.insert(self.s, manifest=manifest, digest=digest, created_by="ci", time=w.NOON)
        statement = super().release(name, manifest)
        releases.set_statement(self.s, w.PROJECT, manifest.version, statement)
        if manifest is w.NEW:
            _request(self.s, digest)
        return statement

    def end(self, state, *, time=60, code=None):
        named = sealing.statements_of(self.s, w.PROJECT, w.PROMOTION)
        self.seal("outcome", statements.outcome(self.about(time), state=state, statements=named, code=code))


def _request(s, release):
    promotions.insert(
        s,
        id=w.PROMOTION,
        project=w.PROJECT,
        environment=w.ENVIRONMENT,
        release="1.1.0",
        release_digest=release,
        requester=w.REQUESTER,
        reason="",
        intent="promote",
        through_hold=None,
        retry_of=None,
        requested_at=w.NOON,
        expires_at=w.minute(600),
    )


def _save(s, *people):
    document = deepcopy(GOOD)
    document["project"] = w.PROJECT
    document["people"] = {name: {"groups": ["sre"], "keys": [w.signer(name).public_pem]} for name in people}
    projects.save(s, name=w.PROJECT, catalogue=document, actor="ana", time=w.NOON)


@pytest.fixture
def session(database):
    with database.session() as s:
        _save(s, *w.VOTERS)
        yield s


def _trust(s):
    return sealing.trust_file(s, w.PROJECT, **KEYS)


def _export(s, **asked):
    return sealing.export_bundle(s, KEYS["ledger"], w.PROMOTION, **asked)


@pytest.mark.parametrize("story", w.STORIES, ids=lambda story: story.__name__)
def test_what_was_sealed_is_exported_and_verifies(session, story):
    story(StoredWorld(session))
    report = w.judged(_export(session), _trust(session))
    assert report.verified, [finding for finding in report.findings if finding.problems]


def test_a_bundle_survives_the_json_of_an_answer(session):
    w.succeeded(StoredWorld(session))
    answered = json.dumps(_export(session), indent=2).encode()
    assert w.judged(answered, json.loads(json.dumps(_trust(session)))).verified


def test_a_rollbacks_bundle_holds_the_release_that_was_gone_back_to(session):
    w.rolled_back(StoredWorld(session))
    assert len(_export(session)["envelopes"]) == len(sealing.statements_of(session, w.PROJECT, w.PROMOTION)) + 1
    assert ledger.of_promotion(session, w.PROMOTION)[-1].kind == "outcome"


def test_an_unfinished_promotion_exports_as_incomplete(session):
    StoredWorld(session).decide()
    report = w.judged(_export(session), _trust(session))
    assert (report.incomplete, report.failed) == (True, ("outcome",))


def test_sealing_again_is_sealing_once(session):
    world = StoredWorld(session)
    first = world.release("release", w.OLD)
    again = statements.release(w.OLD, time=w.minute(0), created_by="ci")
    assert world.seal("release", again) == first
    assert ledger.size(session, w.PROJECT) == 1


def test_another_statement_under_the_same_key_is_a_conflict(session):
    world = StoredWorld(session)
    world.release("release", w.OLD)
    with pytest.raises(Conflict) as caught:
        world.seal("release", statements.release(w.OLD, time=w.minute(1), created_by="ci"))
    assert caught.value.code == Code.HISTORY_CONFLICT


def test_an_outcome_built_again_is_the_same(session):
    world = StoredWorld(session)
    w.succeeded(world)
    first = world.digests["outcome"]
    world.end(w.PromotionState.SUCCEEDED)
    assert world.digests["outcome"] == first


def test_the_ledger_grows_and_proves_it(session):
    world = StoredWorld(session)
    world.decide()
    older = sealing.checkpoint(session, KEYS["ledger"], w.PROJECT)
    world.deploy()
    world.end(w.PromotionState.SUCCEEDED)
    exported = _export(session, since=older)
    assert w.judged(exported, _trust(session), since=older).verified
    with pytest.raises(BadInput):
        _export(session, since=w.told(w.rolled_back).checkpoint())


def test_there_is_no_bundle_of_no_promotion(session):
    with pytest.raises(NotFound) as caught:
        _export(session)
    assert caught.value.code == Code.PROMOTION_NOT_FOUND


def test_the_trust_file_names_servers_agents_and_voters(session):
    roles = {key["keyid"]: key["roles"] for key in _trust(session)["keys"]}
    assert roles[w.signer("decision").keyid] == ["decision"]
    assert roles[w.signer("agent").keyid] == ["agent:worker"]
    assert roles[w.signer("ana").keyid] == ["voter:ana"]
    assert len(roles) == 3 + len(w.VOTERS)


def test_one_key_in_two_parts_has_both_roles(session):
    keys = sealing.trust_file(session, w.PROJECT, **{**KEYS, "agents": {"worker": w.signer("decision")}})["keys"]
    assert keys[0]["roles"] == ["decision", "agent:worker"]


def _record(s, minute):
    sealing.record_keys(s, w.PROJECT, **KEYS, actor="ana", time=w.minute(minute))


def test_a_retired_key_stays_trusted_for_what_it_signed_before(session):
    _record(session, 0)
    w.succeeded(StoredWorld(session))
    _save(session, "ben", "cem")
    _record(session, 90)
    trusted = _trust(session)
    ana = next(key for key in trusted["keys"] if key["keyid"] == w.signer("ana").keyid)
    assert (ana["roles"], ana["not_after"]) == (["voter:ana"], "2025-03-01T13:30:00Z")
    assert w.judged(_export(session), trusted).verified


def test_recording_keys_again_seals_nothing(session):
    _record(session, 0)
    size = ledger.size(session, w.PROJECT)
    _record(session, 5)
    assert ledger.size(session, w.PROJECT) == size == 3 + len(w.VOTERS)


def test_a_key_that_comes_back_is_no_longer_retired(session):
    _record(session, 0)
    _save(session, "ben", "cem")
    _record(session, 1)
    _save(session, *w.VOTERS)
    _record(session, 2)
    assert not any("not_after" in key for key in _trust(session)["keys"])


def test_a_bundle_is_written_in_its_one_form(session):
    w.succeeded(StoredWorld(session))
    exported = _export(session)
    assert json.loads(bundles.write(exported)) == exported
