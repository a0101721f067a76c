"""Secrets in plans: references and versions are fixed when gates are judged; what cannot be had is a verdict."""

from copy import deepcopy
from typing import Any

import pytest

from activities import lookup
from fairlead.commands import plans
from fairlead.contracts.release import RenderedConfig, SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, Unavailable
from fairlead.domain.verdict import Decision
from tests.activities.shop import SHOP, Shop

REFERENCE = "vault://kv/shop#token"


def secretive() -> dict[str, Any]:
    document = deepcopy(SHOP)
    document["components"]["web"]["secrets"] = {"TOKEN": REFERENCE}
    return document


@pytest.fixture
def promotion(shop: Shop) -> str:
    shop.apply(secretive())
    return shop.promote("1.0.0").id


def config(shop: Shop, plan: str) -> RenderedConfig:
    with shop.db.session() as s:
        return plans.rendered(s, plans.read_plan(s, plan).targets[0].components[0].config)


def test_the_version_of_now_is_fixed_and_no_value_is_read(shop: Shop, promotion: str) -> None:
    shop.safe.put(REFERENCE, "hunter2")
    fixed = config(shop, shop.evaluate(promotion).plan)
    assert fixed.secrets == {"TOKEN": SecretUse(reference=REFERENCE, version="1")}
    assert shop.safe.asked == []


def test_another_version_is_another_plan(shop: Shop, promotion: str) -> None:
    shop.safe.put(REFERENCE, "hunter2")
    before = shop.evaluate(promotion).plan
    assert shop.evaluate(promotion).plan == before
    shop.safe.put(REFERENCE, "hunter3")
    after = shop.evaluate(promotion).plan
    assert after != before
    assert (config(shop, after).secrets or {})["TOKEN"].version == "2"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, Code.SECRET_NOT_FOUND),
        (NotAllowed(Code.SECRET_DENIED, "no"), Code.SECRET_DENIED),
        (Unavailable(Code.SECRETS_UNAVAILABLE, "away"), Code.SECRETS_UNAVAILABLE),
    ],
)
def test_a_secret_that_cannot_be_had_keeps_the_promotion_waiting_and_says_why(
    shop: Shop, promotion: str, error: FairleadError | None, code: Code
) -> None:
    shop.safe.fails = error
    [verdict] = shop.evaluate(promotion).verdicts
    assert (verdict.decision, verdict.reason_codes) == (Decision.ERROR, (code,))


def test_what_votes_were_opened_for_stays_while_a_place_of_secrets_is_away(shop: Shop, promotion: str) -> None:
    shop.safe.put(REFERENCE, "hunter2")
    plan = shop.evaluate(promotion).plan
    shop.safe.fails = Unavailable(Code.SECRETS_UNAVAILABLE, "away")
    assert shop.evaluate(promotion, plan=plan).plan == plan


def test_a_reference_that_came_into_the_catalogue_in_between_is_asked_for_again(shop: Shop, promotion: str) -> None:
    with shop.db.session() as s:
        release = lookup.release(s, "shop", lookup.promotion(s, promotion).release_digest)
        catalogue = lookup.project_catalogue(s, "shop")
        with pytest.raises(Unavailable) as error:
            plans.make_plan(s, catalogue, "dev", release, {})
    assert error.value.code == Code.SECRETS_UNAVAILABLE
