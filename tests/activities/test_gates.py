"""Evaluating: the plan of now, verdicts over facts that are kept, and errors that kill nothing."""

from copy import deepcopy

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.verdict import Decision, combine
from fairlead.store import documents
from tests.activities.shop import SHOP, Shop, at


def decisions(shop: Shop, promotion: str) -> dict[str, Decision]:
    return {verdict.gate: verdict.decision for verdict in shop.evaluate(promotion).verdicts}


def test_dev_has_nothing_in_the_way(shop: Shop) -> None:
    evaluation = shop.evaluate(shop.promote("1.0.0").id)
    assert combine(evaluation.verdicts) is Decision.ALLOW
    assert evaluation.approval is None


def test_what_came_before_and_votes_are_asked_for_in_prod(shop: Shop) -> None:
    found = decisions(shop, shop.promote("1.0.0", "prod").id)
    assert found["previous_environment"] is not Decision.ALLOW
    assert found["approval"] is Decision.PENDING


def test_plan_and_facts_are_kept_by_the_digests_that_are_answered(shop: Shop) -> None:
    evaluation = shop.evaluate(shop.promote("1.0.0", "prod").id)
    with shop.db.session() as s:
        assert digest_of(documents.plan(s, evaluation.plan)) == evaluation.plan
        for verdict in evaluation.verdicts:
            assert digest_of(documents.facts(s, verdict.facts)) == verdict.facts


def test_the_same_facts_give_the_same_answer_again(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod").id
    assert shop.evaluate(promotion) == shop.evaluate(promotion)


def test_a_catalogue_that_changes_what_runs_makes_another_plan(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod").id
    before = shop.evaluate(promotion).plan
    changed = deepcopy(SHOP)
    changed["environments"]["prod"]["config"] = {"env": {"GREETING": "bonjour"}}
    shop.apply(changed)
    assert shop.evaluate(promotion).plan != before


def test_votes_that_were_opened_for_another_plan_are_not_open_for_this_one(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod").id
    other = digest_of("another plan")
    approval = shop.evaluate(promotion, plan=other, opened=at(0), expires=at(60)).approval
    assert approval is not None
    assert approval.opened is None


def test_facts_that_cannot_be_had_are_a_verdict_and_the_promotion_lives(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod").id
    smaller = deepcopy(SHOP)
    del smaller["environments"]["prod"]
    shop.apply(smaller)
    verdicts = shop.evaluate(promotion).verdicts
    assert [v.decision for v in verdicts] == [Decision.ERROR]
    assert verdicts[0].reason_codes == (Code.ENVIRONMENT_NOT_FOUND,)


def test_a_promotion_that_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound) as caught:
        shop.evaluate("nosuchpromot")
    assert caught.value.code == Code.PROMOTION_NOT_FOUND
