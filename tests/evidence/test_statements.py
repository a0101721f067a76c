"""Statements are what in-toto and SLSA readers expect, and the same arguments always give the same bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.contracts.canonical import canonical, digest_of
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.errors import BadInput
from fairlead.domain.states import PromotionState
from fairlead.evidence import envelope, statements
from fairlead.evidence.limits import read_canonical, to_canonical
from tests.evidence import world as w
from tests.evidence.forging import payload_of

ABOUT = statements.About(w.PROMOTION, w.ENVIRONMENT, w.NEW, w.NOON)


def _statement(name, story=w.rolled_back):
    world = w.told(story)
    return json.loads(envelope.read_envelope(world.leaves[world.names[name]]).payload)


def test_the_same_story_gives_the_same_bytes():
    assert w.told(w.rolled_back).leaves == w.told(w.rolled_back).leaves


def test_subjects_are_the_components_and_then_the_release():
    subject = _statement("decision")["subject"]
    assert [s["name"] for s in subject] == ["registry.test/shop/api", "registry.test/shop/web", "release:shop/1.1.0"]
    assert subject[-1]["digest"]["sha256"] == digest_of(w.NEW).removeprefix("sha256:")


def test_a_way_back_is_about_the_release_it_goes_to():
    for name in ("way back", "observation prod-1 of way back"):
        assert _statement(name)["subject"][-1]["name"] == "release:shop/1.0.0"
    assert _statement("rollback")["subject"][-1]["name"] == "release:shop/1.1.0"


def test_a_freeze_is_about_its_environment():
    freeze = statements.freeze(
        project="shop", environment="prod", change="freeze", restraint="r1", actor="ana", reason="night", time=w.NOON
    )
    assert freeze.subject[0].name == "environment:shop/prod"
    assert "sha256:" + freeze.subject[0].digest["sha256"] == digest_of(freeze.predicate)


def test_a_key_is_about_itself():
    signer = w.signer("ana")
    added = statements.key(
        project="shop",
        keyid=signer.keyid,
        public_key=signer.public_pem,
        roles=["voter:ana"],
        change="added",
        actor="ben",
        time=w.NOON,
    )
    assert (added.subject[0].name, added.predicate_type) == (f"key:{signer.keyid}", "urn:fairlead:key:v1")


def test_a_verdict_is_a_slsa_verification_summary():
    said = _statement("verdict security")
    predicate = said["predicate"]
    assert said["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("PASSED", ["FAIRLEAD_SECURITY"])
    assert predicate["resourceUri"] == "urn:fairlead:release:shop/1.1.0"
    assert predicate["policy"]["uri"] == "urn:fairlead:gate:security"
    assert predicate["urn:fairlead:vsa-ext:v1"]["decision"] == "allow"


def test_what_does_not_allow_failed():
    predicate = _statement("verdict security", w.denied_by_gate)["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])


def test_a_decision_says_null_where_there_is_nothing():
    decision = statements.decision(
        ABOUT,
        release_statement=w.digest("release"),
        result="deny",
        requester="dora",
        plan=None,
        approval=None,
        verdicts=[],
        votes=None,
    )
    assert {decision.predicate[name] for name in ("plan", "approval", "votes")} == {None}


def test_nothing_is_allowed_by_votes_that_never_opened():
    terms = ApprovalTerms(count=1, requester="cannot_vote", expires_after=60)
    with pytest.raises(BadInput):
        statements.decision(
            ABOUT,
            release_statement=w.digest("release"),
            result="allow",
            requester="dora",
            plan=w.PLAN,
            approval=terms,
            verdicts=[],
            votes=None,
        )


def test_a_null_inside_a_manifest_is_kept_for_its_digest():
    manifest = _statement("release")["predicate"]["manifest"]
    assert manifest["source"] == {"commit": None}
    assert digest_of(manifest) == digest_of(w.NEW)


def test_envelopes_are_dsse():
    item = w.told(w.succeeded).bundle()["envelopes"][0]
    assert item["envelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert payload_of(item)["_type"] == "https://in-toto.io/Statement/v1"
    assert envelope.read_envelope(item["envelope"]).keyid == w.signer("decision").keyid


def test_what_no_verifier_would_read_back_is_not_sealed():
    predicate = {**statements.release(w.NEW, time=w.NOON, created_by="ci").predicate, "number": 2.0**53}
    statement = w.Statement(
        subject=statements.subjects_of([(w.NEW, digest_of(w.NEW))]), predicateType="x", predicate=predicate
    )
    with pytest.raises(BadInput):
        envelope.seal(w.signer("decision"), statement)


def test_an_outcome_names_the_same_as_its_inputs():
    outcome = statements.outcome(ABOUT, state=PromotionState.FAILED, statements=[w.digest("a"), w.digest("b")])
    assert outcome.predicate["statements"] == outcome.predicate["inputs"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_canonical_json_reads_as_itself(value):
    data = to_canonical(value)
    assert read_canonical(data, max_bytes=1_000_000) == value
    assert canonical(json.loads(data)) == data


@given(json_values)
def test_any_other_spelling_is_refused(value):
    spelled = json.dumps(value, indent=1).encode() + b"\n"
    with pytest.raises(BadInput):
        read_canonical(spelled, max_bytes=1_000_000)
