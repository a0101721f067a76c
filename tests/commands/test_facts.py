"""Gathering facts, and what the gates say of them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from fairlead.commands import catalogue, facts, plans
from fairlead.commands.releases import require_release
from fairlead.commands.reports import import_report
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.records import PromotionRecord, RestraintRecord, VoteRecord
from fairlead.contracts.release import Plan
from fairlead.domain.verdict import Decision, Verdict
from fairlead.store import documents, restraints, votes
from tests.commands.world import NOW, World, at, digest
from tests.domain.test_findings import openvex, statement, trivy

ALLOW, DENY, PENDING = Decision.ALLOW, Decision.DENY, Decision.PENDING
MINUTES = timedelta(minutes=1)


@pytest.fixture
def shop(world: World) -> World:
    world.release("1.0.0")
    return world


def gather(world: World, promotion: PromotionRecord, now: datetime = NOW, **options: Any) -> facts.Facts:
    with world.db.session() as s:
        shop = catalogue.of_project(s, "shop")
        plan = plans.make_plan(s, shop, promotion.environment, require_release(s, "shop", promotion.release))
        return facts.gather(s, shop, promotion, plan, now, **options)


def judged(world: World, promotion: PromotionRecord, now: datetime = NOW, **options: Any) -> dict[str, Verdict]:
    return {verdict.gate: verdict for verdict in facts.judge(gather(world, promotion, now, **options), now)}


def plan_of(world: World, promotion: PromotionRecord) -> Plan:
    with world.db.session() as s:
        release = require_release(s, "shop", promotion.release)
        return plans.make_plan(s, catalogue.of_project(s, "shop"), promotion.environment, release)


def test_only_the_gates_that_an_environment_asks_for_are_judged(shop: World) -> None:
    assert set(judged(shop, shop.request("1.0.0", "dev"))) == {"previous_environment", "freeze"}
    assert set(judged(shop, shop.request("1.0.0", "prod"))) == {
        "previous_environment",
        "freeze",
        "drift",
        "approval",
        "security",
    }


def test_a_release_soaks_in_the_environment_before(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    assert judged(shop, promotion)["previous_environment"].reason_codes == ("environment_not_reached",)
    shop.deploy("1.0.0", "dev", seconds=60)
    soaking = judged(shop, promotion, at(120))["previous_environment"]
    assert (soaking.decision, soaking.next_evaluation_at) == (PENDING, at(60) + 10 * MINUTES)
    assert judged(shop, promotion, at(60) + 10 * MINUTES)["previous_environment"].decision is ALLOW


def test_what_another_release_replaced_does_not_soak_on(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    shop.release("1.1.0")
    shop.deploy("1.0.0", "dev")
    shop.deploy("1.1.0", "dev", seconds=60)
    verdict = judged(shop, promotion, at(3600))["previous_environment"]
    assert (verdict.decision, verdict.next_evaluation_at) == (PENDING, None)


def test_a_freeze_of_this_environment_is_seen_while_it_lasts(shop: World) -> None:
    promotion = shop.request("1.0.0", "dev")
    freeze = {"kind": "freeze", "project": "shop", "reason": "sale", "actor": "ana", "since": NOW, "until": at(60)}
    with shop.db.session() as s:
        restraints.add(s, RestraintRecord(id="f1", environment="dev", **freeze))
        restraints.add(s, RestraintRecord(id="f2", environment="prod", **freeze))
    frozen = judged(shop, promotion, at(1))["freeze"]
    assert (frozen.decision, frozen.next_evaluation_at) == (PENDING, at(60))
    assert judged(shop, promotion, at(60))["freeze"].decision is ALLOW


def vote(world: World, promotion: PromotionRecord, voter: str, group: str, ordinal: int) -> None:
    plan = digest_of(plan_of(world, promotion))
    record = VoteRecord(
        promotion=promotion.id,
        project="shop",
        digest=digest(f"{promotion.id} {voter}"),
        voter=voter,
        choice="approve",
        comment="",
        groups=(group,),
        plan=plan,
        time=NOW,
        received=at(ordinal),
        envelope={},
        ordinal=ordinal,
    )
    with world.db.session() as s:
        votes.insert(s, record)


def test_accepted_votes_approve(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod", requester="integration:ci")
    window = {"opened": NOW, "expires": at(3600)}
    assert judged(shop, promotion, **window)["approval"].decision is PENDING
    for ordinal, (voter, group) in enumerate([("ben", "dev"), ("ana", "sre")], start=1):
        vote(shop, promotion, voter, group, ordinal)
    approved = judged(shop, promotion, at(10), **window)["approval"]
    assert (approved.decision, approved.satisfied_at) == (ALLOW, at(2))


def test_a_changed_catalogue_makes_another_plan_and_votes_stop_counting(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod", requester="integration:ci")
    for ordinal, (voter, group) in enumerate([("ben", "dev"), ("ana", "sre")], start=1):
        vote(shop, promotion, voter, group, ordinal)
    shop.document["environments"]["prod"]["config"]["env"]["GREETING"] = "salut"
    shop.apply()
    assert judged(shop, promotion, opened=NOW, expires=at(3600))["approval"].decision is PENDING


def test_the_terms_of_approval_are_the_rule_of_now(shop: World) -> None:
    gathered = gather(shop, shop.request("1.0.0", "prod"))
    terms = facts.approval_terms(gathered, opened=NOW, expires=at(60))
    assert terms is not None
    assert (terms.count, terms.groups, terms.requester) == (2, {"sre": 1}, "cannot_vote")
    assert (terms.expires_after, terms.opened, terms.expires) == (86_400.0, NOW, at(60))
    assert facts.approval_terms(gather(shop, shop.request("1.0.0", "dev"))) is None


def bring(world: World, name: str, document: Any) -> None:
    content = json.dumps(document).encode()
    import_report(world.db, "shop", digest(name), content, actor="ana", now=NOW)


def scan(world: World, name: str, *found: tuple[str, str, str]) -> None:
    bring(world, name, trivy(*found, about=digest(name)))


def test_every_image_must_be_scanned(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    scan(shop, "web 1.0.0")
    verdict = judged(shop, promotion)["security"]
    assert (verdict.decision, verdict.details["missing"]) == (PENDING, {"api": [digest("api 1.0.0")]})
    scan(shop, "api 1.0.0", ("CVE-1", "ssl", "MEDIUM"))
    assert judged(shop, promotion)["security"].decision is ALLOW


def test_a_finding_of_the_severity_blocked_or_worse_denies(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    for name in ("web 1.0.0", "api 1.0.0"):
        scan(shop, name, ("CVE-1", "ssl", "CRITICAL"), ("CVE-2", "ssl", "HIGH"), ("CVE-3", "ssl", "LOW"))
    verdict = judged(shop, promotion)["security"]
    assert verdict.decision is DENY
    assert verdict.message == "high or worse: CVE-1, CVE-2"


def test_a_statement_that_the_code_is_out_of_reach_lets_it_pass(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    for name in ("web 1.0.0", "api 1.0.0"):
        scan(shop, name, ("CVE-1", "ssl", "CRITICAL"))
        bring(shop, name, openvex(statement(f"pkg:oci/x@{digest(name)}")))
    verdict = judged(shop, promotion)["security"]
    assert verdict.decision is ALLOW
    assert len(verdict.details["cleared"]) == 2  # type: ignore[arg-type]


def test_the_newest_scan_counts(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    scan(shop, "api 1.0.0")
    scan(shop, "web 1.0.0", ("CVE-1", "ssl", "CRITICAL"))
    scan(shop, "web 1.0.0")
    assert judged(shop, promotion)["security"].decision is ALLOW


def test_an_index_is_scanned_when_all_its_platforms_are(world: World) -> None:
    platforms = {"linux/amd64": digest("amd"), "linux/arm64": digest("arm")}
    world.images.indexes[digest("web 1.0.0")] = platforms
    world.release("1.0.0")
    promotion = world.request("1.0.0", "prod")
    scan(world, "api 1.0.0")
    scan(world, "amd")
    assert judged(world, promotion)["security"].decision is PENDING
    scan(world, "arm")
    assert judged(world, promotion)["security"].decision is ALLOW


def test_a_rollback_to_what_was_verified_there_is_not_kept_from_getting_back(shop: World) -> None:
    shop.release("1.1.0")
    shop.deploy("1.0.0", "prod")
    shop.deploy("1.1.0", "prod", seconds=60)
    promotion = shop.request("1.0.0", "prod", intent="rollback")
    verdicts = judged(shop, promotion, at(120))
    assert {name: verdict.decision for name, verdict in verdicts.items()} == {
        "previous_environment": ALLOW,
        "freeze": ALLOW,
        "drift": ALLOW,
        "approval": ALLOW,
    }
    assert facts.approval_terms(gather(shop, promotion)) is None


def test_kept_facts_give_the_same_verdict_later(shop: World) -> None:
    promotion = shop.request("1.0.0", "prod")
    gathered = gather(shop, promotion)
    before = facts.judge(gathered, NOW)
    with shop.db.session() as s:
        facts.keep(s, "shop", gathered)
    with shop.db.session() as s:
        found = {verdict.gate: documents.facts(s, verdict.facts) for verdict in before}
        policies = [documents.facts(s, verdict.policy) for verdict in before]
    assert None not in policies
    assert facts.judge(found, NOW) == before  # type: ignore[arg-type]
