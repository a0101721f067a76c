"""Requests, how they are listed and found, and the votes on them."""

import pytest
from sqlmodel import Session

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import VoteRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.domain.states import PromotionState
from fairlead.store import history, promotions, votes
from tests.store import seeds
from tests.store.seeds import NOW, at


def ids(found) -> list[str]:
    return [promotion.id for promotion in found]


def test_a_request_is_event_0(s: Session):
    kept = seeds.promotion(s, reason="because", retry_of="p0")
    first = history.event(s, "promotion/p1", 0)
    assert (first.type, first.actor, first.state, first.time) == ("requested", "ana", "requested", NOW)
    assert (first.data["reason"], first.data["retry_of"]) == ("because", "p0")
    assert promotions.get(s, "p1") == kept
    assert (kept.state, kept.sequence) == (PromotionState.REQUESTED, 0)


def test_a_promotion_is_found_by_a_prefix(s: Session):
    for id in ("abc", "abd", "b_c", "bxc"):
        seeds.promotion(s, id)
    found = {prefix: ids(promotions.find(s, "shop", prefix)) for prefix in ("abc", "ab", "b_", "z", "%")}
    assert found == {"abc": ["abc"], "ab": ["abc", "abd"], "b_": ["b_c"], "z": [], "%": []}
    assert promotions.find(s, "other", "abc") == []


def test_two_matches_are_enough_to_be_ambiguous(s: Session):
    for id in ("a1", "a2", "a3"):
        seeds.promotion(s, id)
    assert len(promotions.find(s, "shop", "a")) == 2


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["p3", "p2", "p1"]),
        ({"limit": 2}, ["p3", "p2"]),
        ({"environment": "dev"}, ["p2"]),
        ({"release": "1.1.0"}, ["p3"]),
        ({"state": PromotionState.EVALUATING}, ["p1"]),
        ({"since": at(10)}, ["p3", "p2"]),
        ({"until": at(10)}, ["p1"]),
        ({"environment": "prod", "since": at(10)}, ["p3"]),
    ],
)
def test_lists_are_filtered(s: Session, filters: dict, expected: list[str]):
    seeds.promotion(s, "p1")
    seeds.promotion(s, "p2", environment="dev", requested_at=at(10))
    seeds.promotion(s, "p3", release="1.1.0", requested_at=at(20))
    seeds.move(s, "p1", "evaluating")
    assert ids(promotions.list_promotions(s, "shop", **filters)) == expected


def test_pages_join_without_gap_or_overlap(s: Session):
    for n in range(5):
        seeds.promotion(s, f"p{n}")
    pages, before = [], None
    while page := promotions.list_promotions(s, "shop", before=before, limit=2):
        pages.append(ids(page))
        before = page[-1].ordinal
    assert pages == [["p4", "p3"], ["p2", "p1"], ["p0"]]


def test_open_ones_are_those_that_have_not_ended(s: Session):
    for id, project, environment in (("p1", "shop", "prod"), ("p2", "shop", "dev"), ("p3", "other", "prod")):
        seeds.promotion(s, id, project=project, environment=environment)
    seeds.promotion(s, "p4")
    seeds.move(s, "p4", "expired")
    assert ids(promotions.open_into(s, "shop", "prod")) == ["p1"]
    assert ids(promotions.open_in(s, "shop")) == ["p1", "p2"]
    assert ids(promotions.unended(s)) == ["p1", "p2", "p3"]


def vote(ordinal: int, voter: str = "ben", promotion: str = "p1", **changes) -> VoteRecord:
    values = {
        "promotion": promotion,
        "project": "shop",
        "digest": digest_of([promotion, voter, ordinal]),
        "voter": voter,
        "choice": "approve",
        "comment": "",
        "groups": ("sre",),
        "plan": seeds.DIGEST,
        "time": at(ordinal),
        "received": at(ordinal),
        "envelope": {"payload": "e30=", "signatures": []},
        "ordinal": ordinal,
    }
    return VoteRecord(**{**values, **changes})


def test_votes_come_back_in_the_order_received(s: Session):
    seeds.promotion(s)
    cast = [vote(4), vote(6, "cid"), vote(9)]
    for each in reversed(cast):
        votes.insert(s, each)
    assert votes.accepted(s, "p1") == cast
    assert votes.last_of(s, "p1", "ben") == cast[2]
    assert votes.last_of(s, "p1", "ana") is None


def test_a_vote_counts_once_per_project(s: Session):
    seeds.promotion(s, "p1")
    seeds.promotion(s, "p2")
    first = votes.insert(s, vote(4))
    with pytest.raises(Conflict) as caught:
        votes.insert(s, vote(4, promotion="p2", digest=first.digest))
    assert caught.value.code == Code.VOTE_REPLAYED


def test_a_used_digest_is_known_in_its_project_only(s: Session):
    seeds.promotion(s)
    first = votes.insert(s, vote(4))
    assert votes.digest_used(s, "shop", first.digest)
    assert not votes.digest_used(s, "other", first.digest)
