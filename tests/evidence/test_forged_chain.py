"""Nothing from elsewhere, nothing missing, nothing more: projects, promotions, subjects, inputs, the set of statements."""

import json

import pytest

from fairlead.contracts.canonical import digest_of
from tests.evidence import world as w
from tests.evidence.forging import DROP, edit, failed, names_of, put, says

ALL = names_of(w.rolled_back)
OF_PROMOTION = [name for name in ALL if "release" not in name]
VERDICTS = [name for name in ALL if name.startswith("verdict")]
EXTENSION = "urn:fairlead:vsa-ext:v1"


def _field(name, field, value):
    return says(EXTENSION, field, value) if name in VERDICTS else says(field, value)


@pytest.mark.parametrize("name", ALL)
def test_a_statement_of_another_project_is_refused(name):
    assert "project" in failed(w.rolled_back, tamper={name: _field(name, "project", "bank")})


def test_a_trust_file_of_another_project_trusts_nothing_here():
    report = w.judged(w.told(w.succeeded).bundle(), {**w.trust(), "project": "bank"})
    assert {"project", "checkpoint"} <= set(report.failed)


@pytest.mark.parametrize("name", OF_PROMOTION)
def test_a_statement_of_another_promotion_is_refused(name):
    assert "promotion" in failed(w.rolled_back, tamper={name: _field(name, "promotion", "zzzzzzzzzzzz")})


@pytest.mark.parametrize("name", OF_PROMOTION)
def test_a_statement_about_another_environment_is_refused(name):
    assert "promotion" in failed(w.rolled_back, tamper={name: _field(name, "environment", "dev")})


def test_a_bundle_that_says_it_is_of_another_promotion_is_refused():
    bundle = {**w.told(w.succeeded).bundle(), "promotion": "zzzzzzzzzzzz"}
    assert "promotion" in w.judged(bundle).failed


SUBJECTS = {
    "another digest": put("subject", 0, "digest", "sha256", "0" * 64),
    "another name": put("subject", 0, "name", "registry.test/bank/web"),
    "one left out": put("subject", 0, DROP),
    "one more": lambda d: d["subject"].append({"name": "x", "digest": {"sha256": "0" * 64}}),
    "another order": lambda d: d["subject"].reverse(),
    "one more algorithm": put("subject", 0, "digest", "sha512", "0" * 128),
}


@pytest.mark.parametrize("change", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("name", ALL)
def test_a_wrong_subject_is_refused(name, change):
    assert "subject" in failed(w.rolled_back, tamper={name: change})


@pytest.mark.parametrize("name", ALL)
def test_a_statement_that_is_missing_from_the_bundle_is_refused(name):
    report = w.judged(w.told(w.rolled_back).bundle(without=[name]))
    assert "outcome" in report.failed


DROPPED = {
    "old release": "release",
    "release": "release",
    "verdict freeze": "chain",
    "votes": "chain",
    "decision": "chain",
    "deployment": "inputs",
    "observation prod-1": "inputs",
    "verification": "inputs",
    "rollback": "inputs",
    "way back": "inputs",
    "observation prod-1 of way back": "inputs",
    "verification of way back": "outcome",
}


@pytest.mark.parametrize(("name", "rule"), DROPPED.items(), ids=DROPPED)
def test_a_statement_that_was_never_sealed_is_missed_even_if_the_outcome_does_not_name_it(name, rule):
    assert rule in failed(w.rolled_back, drop=[name])


def test_the_table_of_dropped_statements_is_complete():
    assert set(DROPPED) | set(VERDICTS) | {"outcome"} == set(ALL)


def test_a_rollback_cannot_be_kept_secret():
    def story(world):
        world.decide()
        world.deploy(failing="prod-1")
        world.end(w.PromotionState.FAILED, code="unhealthy")

    assert failed(story) == ("rollback",)


def test_a_rollback_dropped_from_the_bundle_is_refused():
    hidden = ["rollback", "way back", "observation prod-1 of way back", "verification of way back"]
    report = w.judged(w.told(w.rolled_back).bundle(without=[*hidden, "old release"]))
    assert {"outcome", "rollback"} <= set(report.failed)


def test_a_statement_of_the_ledger_that_does_not_belong_here_is_refused():
    world = w.told(w.succeeded)
    world.names["a freeze"] = world.names["release"] - 1
    assert {"chain", "outcome"} <= set(w.judged(world.bundle()).failed)


def test_a_release_that_nothing_is_about_is_refused():
    world = w.told(w.succeeded)
    world.went_back = True  # puts the old release into the bundle
    assert {"release", "outcome"} <= set(w.judged(world.bundle()).failed)


TWICE = ("votes", "decision", "deployment", "observation prod-1", "verification", "rollback", "way back", "outcome")


@pytest.mark.parametrize("name", TWICE)
def test_there_is_no_second_statement_of_what_there_is_one_of(name):
    def story(world):
        w.rolled_back(world)
        world.names.pop("outcome")
        again = json.loads(w.envelope.read_envelope(world.leaves[_index(world, name)]).payload)
        again["predicate"]["extra"] = "so that it is another"
        world.seal("again", w.Statement.model_validate(again))
        world.end(w.PromotionState.ROLLED_BACK)

    def _index(world, name):
        return len(world.leaves) - 1 if name == "outcome" else world.names[name]

    assert "chain" in failed(story)


INPUTS = {
    "one left out": edit(lambda said: said["inputs"].pop()),
    "one more": edit(lambda said: said["inputs"].append(w.digest("something"))),
    "another one": edit(lambda said: said["inputs"].insert(0, said["inputs"].pop() and w.digest("something"))),
}
WITH_INPUTS = [name for name in OF_PROMOTION if name not in VERDICTS]


@pytest.mark.parametrize("change", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("name", WITH_INPUTS)
def test_inputs_that_do_not_match_the_table_are_refused(name, change):
    assert "inputs" in failed(w.rolled_back, tamper={name: change})


@pytest.mark.parametrize("name", [name for name in WITH_INPUTS if not name.startswith(("observation", "way"))])
def test_inputs_in_another_order_are_refused(name):
    assert "inputs" in failed(w.rolled_back, tamper={name: edit(lambda said: said["inputs"].reverse())})


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_verdict_rests_on_its_release_and_its_facts(name, place):
    change = says("inputAttestations", place, "digest", "sha256", "0" * 64)
    assert failed(w.rolled_back, tamper={name: change}) == ("inputs",)


def test_a_release_rests_on_nothing():
    change = edit(lambda said: said["inputs"].append(w.digest("something")))
    assert "inputs" in failed(tamper={"release": change})


def test_nothing_rests_on_what_was_sealed_later():
    def story(world):
        w.succeeded(world)
        first, last = world.names["deployment"], world.names["observation prod-1"]
        world.leaves[first], world.leaves[last] = world.leaves[last], world.leaves[first]

    assert "inputs" in failed(story)


def test_a_manifest_that_has_not_the_releases_digest_is_refused():
    change = says("manifest", "components", "web", "repository", "registry.test/bank/web")
    assert "release" in failed(tamper={"release": change})


def test_a_manifest_of_another_version_is_refused():
    assert "release" in failed(tamper={"release": says("version", "9.9.9")})


def test_a_release_of_the_same_name_and_other_content_is_not_the_one_promoted():
    other = w.NEW.model_copy(update={"templates": {"web": w.digest("x"), "api": w.digest("y")}})

    def swap(document):
        document["predicate"]["manifest"] = json.loads(w.canonical(other))
        document["predicate"]["release"] = digest_of(other)

    assert "release" in failed(tamper={"release": swap})


OUTCOMES = {
    "one left out": edit(lambda said: said["statements"].pop()),
    "one more": edit(lambda said: said["statements"].append(w.digest("x"))),
    "another order": edit(lambda said: said["statements"].reverse()),
    "one twice": edit(lambda said: said["statements"].append(said["statements"][0])),
}


@pytest.mark.parametrize("change", OUTCOMES.values(), ids=OUTCOMES)
def test_an_outcome_that_does_not_name_just_what_is_there_is_refused(change):
    assert "outcome" in failed(tamper={"outcome": change})


def test_nothing_is_sealed_after_the_outcome():
    def story(world):
        world.decide()
        world.end(w.PromotionState.FAILED, code="terminated")
        world.deploy()

    assert "outcome" in failed(story)
