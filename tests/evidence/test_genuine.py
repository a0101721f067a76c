"""What is genuine verifies, whatever its story and however its JSON is written."""

import json

import pytest

from fairlead.evidence.verify import RULES
from tests.evidence import world as w


@pytest.mark.parametrize("story", w.STORIES, ids=lambda story: story.__name__)
def test_every_genuine_story_verifies(story):
    report = w.judged(w.told(story).bundle())
    assert report.verified, [finding for finding in report.findings if finding.problems]


def test_the_report_names_what_it_is_about():
    report = w.judged(w.told(w.succeeded).bundle())
    named = (report.project, report.promotion, report.environment, report.release, report.state)
    assert named == ("shop", w.PROMOTION, "prod", "1.1.0", "succeeded")


def test_the_report_lists_every_rule_once():
    report = w.judged(w.told(w.succeeded).bundle())
    names = [finding.rule for finding in report.findings]
    assert len(names) == len(set(names)) == len(RULES) + 4


def test_the_report_says_what_is_only_the_decision_keys_word():
    report = w.judged(w.told(w.succeeded).bundle())
    assert any("vote 2 by ben was received at" in fact and "in no group" in fact for fact in report.on_trust)


def test_the_spelling_of_the_bundle_itself_is_free():
    pretty = json.dumps(w.told(w.succeeded).bundle(), indent=4).encode()
    assert w.judged(pretty).verified


def test_a_field_that_a_later_version_adds_to_the_bundle_is_no_harm():
    assert w.judged({**w.told(w.succeeded).bundle(), "note": "from the future"}).verified


def test_without_an_outcome_it_is_incomplete_and_not_verified():
    world = w.World()
    world.decide()
    report = w.judged(world.bundle())
    assert (report.incomplete, report.verified, report.failed) == (True, False, ("outcome",))


def test_a_vote_through_a_front_end_counts_by_the_front_ends_key():
    votes = [w.ballot("ana", 12), w.ballot("ben", 13, key="portal", assurance="front_end")]

    def story(world):
        world.decide(ballots=votes)
        world.deploy()
        world.end(w.PromotionState.SUCCEEDED)

    assert w.judged(w.told(story).bundle()).verified


def test_a_key_that_was_retired_afterwards_still_proves_what_it_signed():
    later = {"not_before": "2025-03-01T12:00:00Z", "not_after": "2025-03-01T13:00:00Z"}
    trusted = w.trust(decision=later, agent=later, ledger=later, ana=later)
    assert w.judged(w.told(w.succeeded).bundle(), trusted).verified


def test_the_ledger_continues_an_older_checkpoint():
    world = w.told(w.succeeded)
    for size in range(len(world.leaves)):
        assert w.judged(world.bundle(since=size), since=world.checkpoint(size)).verified


def test_the_proof_of_continuation_may_be_passed_beside_the_bundle():
    world = w.told(w.succeeded)
    older, bundle = world.checkpoint(3), world.bundle(since=3)
    proof = tuple(bundle.pop("consistency")["proof"])
    assert w.judged(bundle, since=older, consistency=proof).verified
