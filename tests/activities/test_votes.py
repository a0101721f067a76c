"""Votes and cancels: judged once, recorded with who is proven to have sent them, answered the same when asked again."""

from typing import Any

import pytest

from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.messages import CancelRequest
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.steps import JudgeCancel, JudgeVote
from fairlead.contracts.votes import Choice, VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.store import votes
from tests.activities.shop import Shop, at, new_signer


@pytest.fixture
def asked(shop: Shop) -> PromotionRecord:
    return shop.promote("1.0.0", "prod")


@pytest.fixture
def plan(shop: Shop, asked: PromotionRecord) -> str:
    return shop.open_votes(asked)


def judge(shop: Shop, asked: PromotionRecord, plan: str | None, envelope: Any, /, **changes: Any) -> VoteAnswer:
    fields = {
        "promotion": asked.id,
        "sequence": len(shop.events(names.promotion_subject(asked.id))),
        "received": at(12),
        "envelope": envelope,
        "via": "signal",
        "plan": plan,
        "opened": at(0),
        "expires": at(3600),
    }
    return shop.gates.judge_vote(JudgeVote(**{**fields, **changes}))


def cancel(shop: Shop, asked: PromotionRecord, **changes: Any) -> VoteAnswer:
    sequence = len(shop.events(names.promotion_subject(asked.id)))
    fields = {"promotion": asked.id, "sequence": sequence, "received": at(12), "via": "signal"}
    return shop.gates.judge_cancel(JudgeCancel(**{**fields, **changes}))


def test_an_accepted_vote_is_kept_verbatim_and_recorded_with_its_voter(
    shop: Shop, asked: PromotionRecord, plan: str
) -> None:
    envelope = shop.vote("ben", asked, plan, comment="looks good")
    answer = judge(shop, asked, plan, envelope)
    event = shop.events(names.promotion_subject(asked.id))[-1]
    with shop.db.session() as s:
        (kept,) = votes.accepted(s, asked.id)
    assert (answer.accepted, answer.actor, answer.choice) == (True, "ben", Choice.APPROVE)
    assert (event.type, event.actor, event.data["payload"]) == ("vote_accepted", "ben", answer.digest)
    assert (kept.envelope, kept.groups, kept.ordinal) == (envelope, ("sre",), event.sequence)


def test_asked_again_it_gives_the_recorded_answer(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    envelope = shop.vote("ben", asked, plan)
    first = judge(shop, asked, plan, envelope, sequence=4)
    assert judge(shop, asked, plan, envelope, sequence=4) == first
    assert len(shop.events(names.promotion_subject(asked.id))) == 5


def test_another_vote_in_a_recorded_place_is_a_conflict(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    judge(shop, asked, plan, shop.vote("ben", asked, plan), sequence=4)
    with pytest.raises(Conflict) as caught:
        judge(shop, asked, plan, shop.vote("cho", asked, plan), sequence=4)
    assert caught.value.code == Code.HISTORY_CONFLICT


BAD: list[tuple[str, dict[str, Any], dict[str, Any], Code, str]] = [
    ("by the requester", {"voter": "ana"}, {}, Code.VOTE_BY_REQUESTER, "ana"),
    ("for another plan", {"plan": digest_of("x")}, {}, Code.VOTE_WRONG_PLAN, "ben"),
    ("for another promotion", {"promotion": "another"}, {}, Code.VOTE_WRONG_PROMOTION, "ben"),
    ("stale", {"time": at(-400)}, {}, Code.VOTE_STALE, "ben"),
    ("too late", {"time": at(3700)}, {"received": at(3701)}, Code.VOTE_EXPIRED, "ben"),
    ("before votes are open", {}, {"plan": None, "opened": None, "expires": None}, Code.VOTES_NOT_OPEN, "ben"),
    ("after the decision", {}, {"closed": True}, Code.VOTES_CLOSED, "ben"),
    ("signed by a stranger", {"signer": new_signer()}, {}, Code.VOTE_UNKNOWN_KEY, "unknown"),
    ("a cancel", {"choice": Choice.CANCEL}, {}, Code.VOTE_MALFORMED, "ben"),
]


@pytest.mark.parametrize(("vote", "asking", "code", "actor"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_vote_is_refused_and_recorded(
    shop: Shop, asked: PromotionRecord, plan: str, vote: dict[str, Any], asking: dict[str, Any], code: Code, actor: str
) -> None:
    vote = dict(vote)
    envelope = shop.vote(vote.pop("voter", "ben"), asked, vote.pop("plan", plan), **vote)
    answer = judge(shop, asked, plan, envelope, **asking)
    event = shop.events(names.promotion_subject(asked.id))[-1]
    assert (answer.accepted, answer.code, answer.actor) == (False, code, actor)
    assert (event.type, event.code, event.actor) == ("vote_refused", code, actor)
    assert event.data["payload"] == answer.digest
    with shop.db.session() as s:
        assert votes.accepted(s, asked.id) == []


def test_a_vote_in_somebody_elses_name_is_told_from_its_signature(
    shop: Shop, asked: PromotionRecord, plan: str
) -> None:
    answer = judge(shop, asked, plan, shop.vote("ben", asked, plan, signer=shop.people["cho"]))
    assert (answer.code, answer.actor) == (Code.VOTE_WRONG_VOTER, "cho")


def test_a_signature_that_does_not_fit_proves_nobody(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    envelope = shop.vote("ben", asked, plan)
    envelope["signatures"] = shop.vote("ben", asked, plan, nonce="other")["signatures"]
    answer = judge(shop, asked, plan, envelope)
    assert (answer.code, answer.actor) == (Code.VOTE_BAD_SIGNATURE, "unknown")


@pytest.mark.parametrize("envelope", ["no vote", 7, {"payload": 1}, {"hello": "there"}, [], None])
def test_what_is_no_vote_is_refused_with_its_digest(
    shop: Shop, asked: PromotionRecord, plan: str, envelope: Any
) -> None:
    answer = judge(shop, asked, plan, envelope)
    assert answer.code in {Code.VOTE_MALFORMED, Code.VOTE_UNSIGNED}
    assert answer.actor == "unknown"
    assert judge(shop, asked, plan, envelope, sequence=4) == answer


def test_what_could_not_be_passed_on_is_known_by_the_digest_of_what_came(
    shop: Shop, asked: PromotionRecord, plan: str
) -> None:
    came = digest_of("a megabyte of noise")
    answer = judge(shop, asked, plan, "too large", payload=came)
    assert (answer.accepted, answer.digest) == (False, came)


def test_a_vote_counts_once(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    envelope = shop.vote("ben", asked, plan)
    assert judge(shop, asked, plan, envelope).accepted
    assert judge(shop, asked, plan, envelope).code == Code.VOTE_REPLAYED


def test_a_later_vote_replaces_the_earlier_and_an_earlier_one_is_refused(
    shop: Shop, asked: PromotionRecord, plan: str
) -> None:
    judge(shop, asked, plan, shop.vote("ben", asked, plan))
    no = shop.vote("ben", asked, plan, choice=Choice.REJECT, time=at(11))
    assert judge(shop, asked, plan, no).accepted
    assert judge(shop, asked, plan, shop.vote("ben", asked, plan, time=at(9))).code == Code.VOTE_NOT_LATER


@pytest.mark.parametrize("voter", ["ana", "ben"])
def test_anybody_may_cancel_with_a_signature_the_requester_too(shop: Shop, asked: PromotionRecord, voter: str) -> None:
    plan = shop.open_votes(asked)
    envelope = shop.vote(voter, asked, plan, choice=Choice.CANCEL)
    answer = cancel(shop, asked, envelope=envelope)
    assert (answer.accepted, answer.actor) == (True, voter)
    assert shop.events(names.promotion_subject(asked.id))[-1].type == "cancel_accepted"


def test_a_vote_is_no_cancel(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    answer = cancel(shop, asked, envelope=shop.vote("ben", asked, plan))
    assert (answer.accepted, answer.code) == (False, Code.VOTE_MALFORMED)
    assert shop.events(names.promotion_subject(asked.id))[-1].type == "cancel_refused"


def test_who_the_api_knows_cancels_without_a_signature(shop: Shop, asked: PromotionRecord) -> None:
    answer = cancel(shop, asked, via="update", request=CancelRequest(actor="ana", reason="wrong one"))
    assert (answer.accepted, answer.actor) == (True, "ana")
    assert shop.events(names.promotion_subject(asked.id))[-1].data["comment"] == "wrong one"


def test_a_native_cancel_is_accepted_of_nobody_known(shop: Shop, asked: PromotionRecord) -> None:
    answer = cancel(shop, asked, via="temporal")
    assert (answer.accepted, answer.actor) == (True, "unknown")


def test_an_unsigned_cancel_by_signal_is_refused(shop: Shop, asked: PromotionRecord) -> None:
    assert not cancel(shop, asked, envelope={"actor": "ana"}).accepted
    assert not cancel(shop, asked, envelope=None).accepted


def test_a_promotion_that_is_over_takes_no_vote_and_records_none(shop: Shop, asked: PromotionRecord, plan: str) -> None:
    subject = names.promotion_subject(asked.id)
    shop.append(subject, "ended", state="cancelled")
    before = shop.events(subject)
    assert judge(shop, asked, plan, shop.vote("ben", asked, plan)).code == Code.PROMOTION_CLOSED
    assert shop.events(subject) == before
