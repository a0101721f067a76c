"""What was decided, done and seen must be the same thing, and the outcome must follow from it."""

import pytest

from tests.evidence import world as w
from tests.evidence.forging import edit, failed, says

EXTENSION = "urn:fairlead:vsa-ext:v1"
OTHER = w.digest("something else")


def _document(*path_and_value):
    return {"decision": says("planDocument", *path_and_value)}


PLANS = {
    "another digest of a component": _document("targets", 0, "components", 0, "digest", OTHER),
    "another configuration": _document("targets", 0, "components", 0, "config", OTHER),
    "another template": _document("targets", 0, "components", 0, "template", OTHER),
    "another environment": _document("environment", "dev"),
    "another release": _document("release", OTHER),
    "a target twice": {
        "decision": edit(lambda said: said["planDocument"]["targets"].append(said["planDocument"]["targets"][0]))
    },
    "no target": _document("targets", []),
    "a document without digest": {"decision": says("plan", None)},
    "a digest without document": {"decision": edit(lambda said: said.pop("planDocument"))},
    "a field nobody voted on": _document("note", "harmless"),
}


@pytest.mark.parametrize("tamper", PLANS.values(), ids=PLANS)
def test_a_plan_that_is_not_the_one_decided_on_is_refused(tamper):
    assert "plan" in failed(tamper=tamper)


def _replan(change):
    """A plan changed with its digest, as the decision key could; votes and deployment still name the old one."""

    def tamper(document):
        said = document["predicate"]
        change(said["planDocument"])
        said["plan"] = w.digest_of(said["planDocument"])
        said["inputs"][1] = said["plan"]

    return {"decision": tamper}


def test_a_plan_for_a_foreign_component_is_refused_whoever_wrote_it():
    foreign = _replan(lambda plan: plan["targets"][0]["components"][0].update(digest=OTHER))
    assert {"plan", "vote_count", "deployment"} <= set(failed(tamper=foreign))


def test_a_plan_of_another_project_is_refused():
    assert "project" in failed(tamper=_replan(lambda plan: plan.update(project="bank")))


VERDICTS = {
    "passed though it denied": {"verificationResult": "PASSED", "verifiedLevels": ["FAIRLEAD_SECURITY"]},
    "another verifier": {"verifier": {"id": "urn:fairlead:decision:bank"}},
    "another resource": {"resourceUri": "urn:fairlead:release:shop/9.9.9"},
    "a level of nobody": {"verifiedLevels": ["SLSA_BUILD_LEVEL_3"]},
    "judged after it was sealed": {"timeVerified": "2025-03-01T20:00:00Z"},
}


@pytest.mark.parametrize("fields", VERDICTS.values(), ids=VERDICTS)
def test_a_summary_that_does_not_say_what_its_gate_said_is_refused(fields):
    change = edit(lambda said: said.update(fields))
    assert "verdict" in failed(w.denied_by_gate, tamper={"verdict security": change})


def test_a_gate_has_one_verdict():
    change = edit(
        lambda said: (said[EXTENSION].update(gate="freeze"), said["policy"].update(uri="urn:fairlead:gate:freeze"))
    )
    assert "verdict" in failed(tamper={"verdict security": change})


@pytest.mark.parametrize("answer", ["deny", "pending", "error"])
def test_nothing_but_allow_allows(answer):
    def refuse(document):
        said = document["predicate"]
        said[EXTENSION]["decision"] = answer
        said["verificationResult"], said["verifiedLevels"] = "FAILED", ["FAILED"]

    assert failed(tamper={"verdict security": refuse}) == ("decision",)


def test_a_verdict_about_another_plan_does_not_allow():
    assert failed(tamper={"verdict security": says(EXTENSION, "plan", OTHER)}) == ("decision",)


def test_what_was_denied_cannot_have_been_deployed():
    assert {"decision", "outcome"} <= set(failed(tamper={"decision": says("result", "deny")}))


def test_nothing_is_deployed_without_a_decision():
    assert "decision" in failed(drop=["decision"])


DEPLOYMENTS = {
    "another digest": says("targets", 0, "components", 0, "digest", OTHER),
    "the digest of another component": says("targets", 0, "components", 0, "digest", w.NEW.components["api"].digest),
    "another configuration": says("targets", 0, "components", 0, "config", OTHER),
    "a component left out": edit(lambda said: said["targets"][0]["components"].pop()),
    "another name": says("targets", 0, "components", 0, "name", "db"),
    "a target left out": edit(lambda said: said["targets"].pop()),
    "a target twice": edit(lambda said: said["targets"].append(said["targets"][0])),
    "another target": says("targets", 0, "name", "prod-9"),
    "a target taken down": says("targets", 0, "retire", True),
    "a target handed over": says("targets", 0, "hand_over", True),
    "another plan": says("plan", OTHER),
    "success with a lost task": says("targets", 0, "state", "lost"),
}


@pytest.mark.parametrize("change", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_a_deployment_that_is_not_the_plan_is_refused(change):
    assert "deployment" in failed(tamper={"deployment": change})


def test_a_platforms_digest_is_the_same_release():
    arm = w.NEW.components["web"].platforms["linux/arm64"]
    assert failed(tamper={"deployment": says("targets", 0, "components", 0, "digest", arm)}) == ()


def test_a_deployment_of_another_release_is_refused():
    def swap(said):
        said["targets"][0].update(release="1.0.0", release_digest=w.digest_of(w.OLD))

    assert {"deployment", "release"} <= set(failed(tamper={"deployment": edit(swap)}))


def test_a_target_named_with_another_version_is_refused():
    assert failed(tamper={"deployment": says("targets", 0, "release", "1.0.0")}) == ("release",)


def test_a_deployment_of_another_promotion_is_refused():
    assert "chain" in failed(tamper={"deployment": says("deployment", "zzzzzzzzzzzz")})


WAYS_BACK = {
    "another digest": says("targets", 0, "components", 0, "digest", OTHER),
    "another configuration": says("targets", 0, "components", 0, "config", OTHER),
    "another target": says("targets", 0, "name", "prod-2"),
    "taken down": says("targets", 0, "retire", True),
    "handed over": says("targets", 0, "hand_over", True),
    "an older number": says("number", 7),
    "success with a failed task": says("targets", 0, "state", "failed"),
}


@pytest.mark.parametrize("change", WAYS_BACK.values(), ids=WAYS_BACK)
def test_a_way_back_that_is_not_what_was_sealed_before_is_refused(change):
    assert "deployment" in failed(w.rolled_back, tamper={"way back": change})


ROLLBACKS = {
    "to a digest of no release": says("targets", 0, "components", 0, "digest", OTHER),
    "to nothing": says("targets", 0, "components", []),
    "of a target that was not touched": says("targets", 0, "name", "prod-2"),
    "of no target": says("targets", []),
    "of another deployment": says("deployment", "zzzzzzzzzzzz"),
    "taken down and going somewhere": says("targets", 0, "retire", True),
}


@pytest.mark.parametrize("change", ROLLBACKS.values(), ids=ROLLBACKS)
def test_a_rollback_goes_back_where_it_can(change):
    assert "rollback" in failed(w.rolled_back, tamper={"rollback": change})


def test_what_was_verified_is_not_rolled_back():
    def story(world):
        world.decide()
        world.deploy()
        world.roll_back()
        world.end(w.PromotionState.ROLLED_BACK)

    assert "rollback" in failed(story)


OBSERVATIONS = {
    "another digest": says("components", 0, "digest", OTHER),
    "no digest": edit(lambda said: said["components"][0].pop("digest")),
    "the digest of another release": says("components", 0, "digest", w.manifest_of("0.9.0").components["web"].digest),
    "another configuration": says("components", 0, "config", OTHER),
    "not healthy": says("components", 0, "health", "unhealthy"),
    "unverifiable": says("components", 0, "health", "unverifiable"),
    "a component not seen": edit(lambda said: said["components"].pop()),
    "one too many": edit(lambda said: said["components"].append({**said["components"][0], "name": "miner"})),
    "one twice": edit(lambda said: said["components"].append(said["components"][0])),
    "not reached": says("reachable", False),
    "another target": says("target", "prod-9"),
    "another release": says("retire", True),
    "handed over": says("hand_over", True),
}


@pytest.mark.parametrize("change", OBSERVATIONS.values(), ids=OBSERVATIONS)
@pytest.mark.parametrize(
    "place", [(w.succeeded, "prod-2"), (w.rolled_back, "prod-1 of way back")], ids=["there", "back"]
)
def test_an_observation_that_is_not_what_was_deployed_is_not_ok(place, change):
    story, name = place
    assert "observation" in failed(story, tamper={f"observation {name}": change})


def test_what_was_taken_down_must_be_gone():
    alive = {"name": "web", "health": "healthy", "restarts": 0}
    change = edit(lambda said: said["components"].append(alive))
    assert "observation" in failed(w.retired, tamper={"observation prod-1 of way back": change})


def test_a_verification_does_not_pass_what_was_not_seen_well():
    assert "verification" in failed(tamper={"observation prod-2": says("ok", False)})


def test_a_verification_does_not_pass_what_failed():
    assert {"verification", "outcome"} <= set(failed(tamper={"deployment": says("result", "failed")}))


def test_a_target_that_nobody_looked_at_is_not_verified():
    assert {"verification", "inputs"} <= set(failed(drop=["observation prod-3"]))


S = w.PromotionState
ENDS = {
    "succeeded, denied": (w.denied_by_gate, S.SUCCEEDED),
    "succeeded, rolled back": (w.rolled_back, S.SUCCEEDED),
    "rolled back, never deployed": (w.denied_by_gate, S.ROLLED_BACK),
    "rolled back, verified": (w.succeeded, S.ROLLED_BACK),
    "rolled back, taken down": (w.retired, S.ROLLED_BACK),
    "rejected, deployed": (w.succeeded, S.REJECTED),
    "rejected, nobody said no": (w.cancelled, S.REJECTED),
    "expired, deployed": (w.succeeded, S.EXPIRED),
    "superseded, deployed": (w.succeeded, S.SUPERSEDED),
    "not ended at all": (w.succeeded, S.VERIFYING),
}


@pytest.mark.parametrize(("story", "state"), ENDS.values(), ids=ENDS)
def test_an_outcome_that_does_not_follow_is_refused(story, state):
    # a code would name the rule that said no, which a verifier cannot see
    changes = {"outcome": says("state", state.value), "decision": edit(lambda said: said.pop("code", None))}
    assert "outcome" in failed(story, tamper=changes)


def test_a_success_needs_its_verification():
    assert "outcome" in failed(tamper={"verification": says("result", "failed")})


def test_a_rollback_that_did_not_arrive_is_no_rollback():
    assert "outcome" in failed(w.rolled_back, tamper={"verification of way back": says("result", "failed")})


SENT = {"name": "web.json", "digest": OTHER}
FILES = {
    "two files of one name": says("targets", 0, "sent", [SENT, SENT]),
    "files where nothing was changed": edit(
        lambda said: said["targets"][0].update(sent=[SENT], touched=False, state="skipped")
    ),
    "files where something was taken down": edit(lambda said: said["targets"][0].update(sent=[SENT], retire=True)),
}


@pytest.mark.parametrize("tamper", FILES.values(), ids=FILES)
def test_files_that_cannot_have_been_sent_are_refused(tamper):
    assert "deployment" in failed(tamper={"deployment": tamper})


def test_files_that_were_sent_are_believed():
    assert failed(tamper={"deployment": says("targets", 0, "sent", [SENT])}) == ()
