"""Judging a vote and counting votes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.codes import Code
from fairlead.domain.votes import Ballot, CastVote, Poll, Quorum, explain, judge, tally

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

BALLOT = Ballot("d", "ana", "shop", "p", "prod", "r", "plan", "approve", "ana", "own_key", NOW)
POLL = Poll(
    project="shop",
    promotion="p",
    environment="prod",
    release="r",
    requester="cho",
    requester_rule="cannot_vote",
    people=frozenset({"ana", "ben", "cho"}),
    received=NOW,
    plan="plan",
    opened=NOW - MINUTE,
    expires=NOW + MINUTE,
)

REFUSED: list[tuple[dict[str, Any], dict[str, Any], Code]] = [
    ({"signer": None}, {}, Code.VOTE_UNKNOWN_KEY),
    ({"signer": "ben"}, {}, Code.VOTE_WRONG_VOTER),
    ({"assurance": "front_end"}, {}, Code.VOTE_WRONG_VOTER),
    ({"project": "other"}, {}, Code.VOTE_WRONG_PROMOTION),
    ({"promotion": "other"}, {}, Code.VOTE_WRONG_PROMOTION),
    ({"environment": "other"}, {}, Code.VOTE_WRONG_PROMOTION),
    ({"release": "other"}, {}, Code.VOTE_WRONG_RELEASE),
    ({"plan": "other"}, {}, Code.VOTE_WRONG_PLAN),
    ({}, {"people": frozenset({"ben"})}, Code.VOTE_NOT_ELIGIBLE),
    ({"voter": "cho", "signer": "cho"}, {}, Code.VOTE_BY_REQUESTER),
    ({"voter": "cho", "signer": "cho", "choice": "reject"}, {}, Code.VOTE_BY_REQUESTER),
    ({}, {"used": True}, Code.VOTE_REPLAYED),
    ({}, {"closed": True}, Code.VOTES_CLOSED),
    ({}, {"plan": None, "opened": None, "expires": None}, Code.VOTES_NOT_OPEN),
    ({}, {"expires": NOW - SECOND}, Code.VOTE_EXPIRED),
    ({"time": NOW - 5 * MINUTE - SECOND}, {}, Code.VOTE_STALE),
    ({"time": NOW + 5 * MINUTE + SECOND}, {}, Code.VOTE_STALE),
    ({}, {"last": NOW}, Code.VOTE_NOT_LATER),
    ({}, {"last": NOW + SECOND}, Code.VOTE_NOT_LATER),
]

ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"choice": "reject"}, {}),
    ({"time": NOW - 5 * MINUTE}, {}),
    ({"time": NOW + 5 * MINUTE}, {}),
    ({}, {"last": NOW - SECOND}),
    ({}, {"expires": NOW}),
    ({"voter": "cho", "signer": "cho"}, {"requester_rule": "can_vote"}),
    ({"voter": "cho", "signer": "cho", "choice": "cancel"}, {}),
    ({"choice": "cancel"}, {"closed": True}),
    ({"choice": "cancel"}, {"plan": None, "opened": None, "expires": None}),
]


@pytest.mark.parametrize(("ballot", "poll", "code"), REFUSED, ids=lambda v: v if isinstance(v, Code) else "")
def test_each_rule_refuses_with_its_own_code(ballot: dict[str, Any], poll: dict[str, Any], code: Code) -> None:
    assert judge(replace(BALLOT, **ballot), replace(POLL, **poll)) is code
    assert explain(code)


@pytest.mark.parametrize(("ballot", "poll"), ACCEPTED)
def test_a_vote_that_breaks_no_rule_is_accepted(ballot: dict[str, Any], poll: dict[str, Any]) -> None:
    assert judge(replace(BALLOT, **ballot), replace(POLL, **poll)) is None


@pytest.mark.parametrize("field", ["project", "promotion", "release", "plan"])
def test_a_cancel_is_bound_like_a_vote(field: str) -> None:
    assert judge(replace(BALLOT, choice="cancel", **{field: "other"}), POLL) is not None


ASKED: Any = {"plan": "plan", "requester": "cho", "opened": NOW}


def vote(
    voter: str, choice: str = "approve", *, at: int = 0, groups: tuple[str, ...] = (), plan: str = "plan"
) -> CastVote:
    return CastVote(f"{voter}{at}", voter, choice, groups, plan, NOW + at * SECOND)


def test_enough_votes_are_enough_from_the_last_one_needed() -> None:
    result = tally([vote("ana", at=1), vote("ben", at=2), vote("dia", at=3)], Quorum(2), **ASKED)
    assert result.enough
    assert result.satisfied_at == NOW + 2 * SECOND


def test_each_group_must_be_among_them() -> None:
    quorum = Quorum(2, {"sre": 1})
    without = [vote("ana", groups=("dev",)), vote("ben", groups=("dev",))]
    assert tally(without, quorum, **ASKED).missing_groups == {"sre": 1}
    assert tally([*without, vote("eve", groups=("sre",))], quorum, **ASKED).enough


def test_the_last_vote_of_a_voter_counts() -> None:
    changed = [vote("ana", "reject", at=1), vote("ana", "approve", at=2)]
    result = tally(changed, Quorum(1), **ASKED)
    assert result.counted == ("ana2",)
    assert result.uncounted == {"ana1": Code.SUPERSEDED}


def test_a_vote_for_another_plan_does_not_count_and_neither_does_the_one_before_it() -> None:
    votes = [vote("ana", at=1), vote("ana", at=2, plan="old")]
    assert tally(votes, Quorum(1), **ASKED).counted == ()


def test_what_came_before_votes_opened_does_not_count_even_for_the_same_plan() -> None:
    votes = [vote("ana", at=-1), vote("ben", at=0)]
    result = tally(votes, Quorum(1), **ASKED)
    assert result.counted == ("ben0",)
    assert result.uncounted == {"ana-1": Code.VOTES_NOT_OPEN}


def test_while_votes_are_not_open_none_counts() -> None:
    assert tally([vote("ana")], Quorum(1), **{**ASKED, "opened": None}).counted == ()


def test_the_requester_and_a_cancel_do_not_count() -> None:
    votes = [vote("cho"), vote("ana", "cancel")]
    result = tally(votes, Quorum(1), **ASKED)
    assert result.uncounted == {"cho0": Code.VOTE_BY_REQUESTER, "ana0": Code.CANCELLED}
    assert result.missing == 1


def test_one_reject_outweighs_any_number_of_approvals() -> None:
    votes = [vote("ana"), vote("ben"), vote("eve", "reject")]
    assert not tally(votes, Quorum(2), **ASKED).enough


cast = st.builds(
    CastVote,
    digest=st.uuids().map(str),
    voter=st.sampled_from(["ana", "ben", "cho", "dia"]),
    choice=st.sampled_from(["approve", "reject", "cancel"]),
    groups=st.sampled_from([(), ("sre",), ("sre", "dev")]),
    plan=st.sampled_from(["plan", "old"]),
    received=st.just(NOW),
)


@given(st.lists(cast, max_size=12, unique_by=lambda v: v.digest), st.integers(1, 4))
def test_nobody_counts_twice_and_every_vote_is_accounted_for(votes: list[CastVote], count: int) -> None:
    result = tally(votes, Quorum(count), **ASKED)
    voters = [v.voter for v in votes if v.digest in result.counted]
    assert len(voters) == len(set(voters))
    assert "cho" not in voters
    assert {*result.counted, *result.uncounted} == {v.digest for v in votes}
    assert result.enough == (len(result.approved_by) >= count and not result.rejected_by)
