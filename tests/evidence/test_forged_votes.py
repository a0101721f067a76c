"""Votes are judged and counted again: what the decision key says of them is not enough."""

import pytest

from fairlead.contracts.votes import Choice
from tests.evidence import world as w
from tests.evidence.forging import DROP, edit, failed, says

ANA, BEN = w.ballot("ana", 12), w.ballot("ben", 13)


def _allowed(*ballots, **attack):
    """The rules that fail where these votes are said to have been enough, all of them marked as counted."""

    def story(world):
        world.decide(ballots=ballots)
        world.deploy()
        world.end(w.PromotionState.SUCCEEDED)

    return failed(story, **attack)


def _count_all(document):
    for vote in document["predicate"]["votes"]:
        vote["counted"] = True
        vote.pop("code", None)


COUNTED = {"votes": _count_all}


def test_two_votes_are_enough():
    assert _allowed(ANA, BEN) == ()


NOT_ENOUGH = {
    "one of two": (ANA,),
    "none of the group": (w.ballot("ana", 12, groups=()), w.ballot("ben", 13, groups=("dev",))),
    "one for an earlier plan": (w.ballot("ben", 9, plan=w.digest_of(w.EARLIER_PLAN)), ANA),
    "one before votes opened": (w.ballot("ben", 9), ANA),
    "one and a cancel": (ANA, w.ballot("ben", 14, Choice.CANCEL)),
}


@pytest.mark.parametrize("ballots", NOT_ENOUGH.values(), ids=NOT_ENOUGH)
def test_too_few_countable_votes_do_not_allow(ballots):
    assert _allowed(*ballots) == ("approval",)


def test_no_votes_at_all_do_not_allow():
    assert _allowed() == ("approval",)


def test_votes_cannot_be_waved_through_by_leaving_the_statement_out():
    assert {"approval", "inputs"} <= set(_allowed(ANA, drop=["votes"], tamper={"decision": says("votes", None)}))


MISCOUNTED = {
    "twice by one voter": (ANA, w.ballot("ana", 14)),
    "for an earlier plan": (ANA, w.ballot("ben", 9, plan=w.digest_of(w.EARLIER_PLAN))),
    "before votes opened": (w.ballot("ben", 9), ANA),
    "a cancel": (ANA, w.ballot("ben", 13, Choice.CANCEL)),
}


@pytest.mark.parametrize("ballots", MISCOUNTED.values(), ids=MISCOUNTED)
def test_a_vote_that_does_not_count_cannot_be_marked_as_counted(ballots):
    ordered = sorted(ballots, key=lambda vote: vote.received)
    assert {"vote_count", "approval"} <= set(_allowed(*ordered, tamper=COUNTED))


def test_a_vote_that_counts_cannot_be_hushed_up():
    assert _allowed(ANA, BEN, tamper={"votes": says("votes", 0, "counted", False)}) == ("vote_count",)


REFUSED = {
    "of another project": w.ballot("ben", 13, project="bank"),
    "of another promotion": w.ballot("ben", 13, promotion="zzzzzzzzzzzz"),
    "into another environment": w.ballot("ben", 13, environment="dev"),
    "for another release": w.ballot("ben", 13, release=w.digest_of(w.OLD)),
    "by the requester": w.ballot("dora", 13),
    "received late": w.ballot("ben", 13, received=18.1),
    "from the future": w.ballot("ben", 18.1, received=13),
    "after votes closed": w.ballot("ben", w.EXPIRES + 1),
    "with an assurance nobody knows": w.ballot("ben", 13, assurance="trust_me"),
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
def test_a_vote_that_had_to_be_refused_is_refused(bad):
    assert "vote" in _allowed(ANA, bad, tamper=COUNTED)


def test_a_vote_at_the_very_end_counts():
    assert _allowed(ANA, w.ballot("ben", w.EXPIRES), tamper=None) == ()


def test_a_vote_cannot_be_replayed():
    again = w.ReceivedVote(envelope=BEN.envelope, received=w.minute(14), groups=("sre",))
    assert "vote" in _allowed(ANA, BEN, again)


def test_an_older_vote_cannot_be_put_after_a_newer_one_of_the_same_voter():
    older = w.ballot("ben", 13, Choice.APPROVE, received=15)
    newer = w.ballot("ben", 14, Choice.APPROVE, received=14)
    assert "vote" in _allowed(ANA, newer, older)


def test_votes_stand_in_the_order_received():
    assert _allowed(BEN, ANA) == ("vote",)


def test_votes_swapped_between_their_entries_are_refused():
    def swap(document):
        one, other = document["predicate"]["votes"]
        one["envelope"], other["envelope"] = other["envelope"], one["envelope"]

    far = w.ballot("ben", 60)
    assert "vote" in _allowed(ANA, far, tamper={"votes": swap})


SIGNED = {
    "by somebody else": w.ballot("ben", 13, key="ana"),
    "by nobody we know": w.ballot("ben", 13, key="mallory"),
    "by the decision key": w.ballot("ben", 13, key="decision"),
    "by a front end that says it was the voter's own key": w.ballot("ben", 13, key="portal"),
    "by the voter who says it was a front end": w.ballot("ben", 13, assurance="front_end"),
}


@pytest.mark.parametrize("bad", SIGNED.values(), ids=SIGNED)
def test_a_vote_is_signed_by_who_it_says(bad):
    assert _allowed(ANA, bad) == ("vote_signature",)


def test_a_vote_whose_words_were_changed_has_no_signature():
    forged = w.ballot("ben", 13, Choice.REJECT)
    body = {**forged.envelope, "payload": BEN.envelope["payload"]}
    assert _allowed(ANA, w.ReceivedVote(body, forged.received, ("sre",))) == ("vote_signature",)


def test_what_cannot_be_read_as_a_vote_is_refused():
    assert "vote_signature" in _allowed(ANA, BEN, tamper={"votes": says("votes", 1, "envelope", "payload", "e30=")})


def test_one_reject_forbids():
    no = w.ballot("cem", 14, Choice.REJECT)
    assert "approval" in _allowed(ANA, BEN, no)


def test_a_reject_forbids_even_if_its_voter_approves_later():
    no = w.ballot("ana", 11, Choice.REJECT)
    assert "approval" in _allowed(no, ANA, BEN)


DECISIONS = {
    "a voter turns out to have been the requester": says("requester", "ana"),
    "another plan turns out to have been meant": says("plan", w.digest("another plan")),
}


@pytest.mark.parametrize("change", DECISIONS.values(), ids=DECISIONS)
def test_the_decision_cannot_reinterpret_votes(change):
    assert "vote_count" in _allowed(ANA, BEN, tamper={"decision": change})


def test_votes_counted_for_another_plan_than_decided_on_are_refused():
    assert {"vote_count", "inputs"} <= set(_allowed(ANA, BEN, tamper={"votes": says("plan", w.digest("x"))}))


def test_the_window_cannot_be_moved_after_the_votes():
    later = says("approval", "opened", "2025-03-01T12:12:30Z")
    earlier = says("approval", "expires", "2025-03-01T12:12:30Z")
    assert "vote_count" in _allowed(ANA, BEN, tamper={"decision": later})
    assert "vote" in _allowed(ANA, BEN, tamper={"decision": earlier})


def test_a_rule_that_lets_the_requester_vote_must_say_so():
    votes = (ANA, w.ballot("dora", 13))
    assert "vote" in _allowed(*votes, tamper={"decision": says("approval", "requester", "anything")})


@pytest.mark.parametrize("field", ["count", "groups", "requester", "opened", "expires"])
def test_an_approval_rule_is_all_written_out(field):
    assert _allowed(ANA, BEN, tamper={"decision": edit(lambda said: said["approval"].pop(field))}) == ("statement",)


@pytest.mark.parametrize("field", ["plan", "approval", "votes"])
def test_a_decision_says_null_where_there_is_nothing(field):
    assert failed(w.expired, tamper={"decision": says(field, DROP)}) == ("statement",)
