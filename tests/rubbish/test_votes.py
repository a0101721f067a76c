"""Votes signed by whoever may vote, with fields that no record can hold or that are about nothing: each is told as refused, with its code."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.contracts import names
from fairlead.contracts.steps import JudgeVote
from fairlead.domain.codes import Code
from fairlead.store import history
from fairlead.store.database import Database
from tests.activities.shop import Shop, at

NUL = Code.VOTE_MALFORMED
VOTES: list[tuple[dict[str, Any], Code]] = [
    *(({field: "a\0b"}, NUL) for field in ("comment", "voter", "nonce", "project", "environment", "promotion")),
    ({"comment": "x" * 15_000}, Code.VOTE_TOO_LARGE),
    ({"voter": ""}, Code.VOTE_WRONG_VOTER),
    ({"voter": "b\u0435n"}, Code.VOTE_WRONG_VOTER),
    ({"voter": "x" * 9000}, Code.VOTE_WRONG_VOTER),
    ({"project": "../shop"}, Code.VOTE_WRONG_PROMOTION),
    ({"time": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)}, Code.VOTE_STALE),
    ({"time": datetime.max.replace(tzinfo=UTC)}, Code.VOTE_STALE),
    ({"time": datetime.min.replace(tzinfo=UTC)}, Code.VOTE_STALE),
]


@pytest.fixture
def shop(database: Database) -> Shop:
    """The shop."""
    return Shop(database)


@pytest.mark.parametrize(("changes", "code"), VOTES, ids=range(len(VOTES)))
def test_a_signed_vote_of_rubbish_is_told_as_refused(shop: Shop, changes: dict[str, Any], code: Code) -> None:
    promotion = shop.promote("1.0.0", "prod")
    plan = shop.open_votes(promotion)
    request = JudgeVote(
        promotion=promotion.id,
        sequence=shop.row(promotion.id).sequence + 1,
        received=at(12),
        envelope=shop.vote("ben", promotion, plan, **changes),
        via="signal",
        plan=plan,
        opened=at(0),
        expires=at(3600),
    )
    answer = shop.gates.judge_vote(request)
    with shop.db.session() as s:
        event = history.events(s, names.promotion_subject(promotion.id))[-1]
    assert (answer.accepted, answer.code, event.type, event.code) == (False, code, "vote_refused", code)
