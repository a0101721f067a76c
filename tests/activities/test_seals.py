"""Seals: the same answer when asked again, a conflict for another run, and bundles that a verifier believes."""

import json
from base64 import b64decode
from copy import deepcopy
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.seals import SealActivities
from fairlead.commands import sealing
from fairlead.contracts import names
from fairlead.contracts.records import EnvelopeRecord, PromotionRecord
from fairlead.contracts.seals import SealDecision, SealDeployment, SealOutcome, SealRollback
from fairlead.contracts.steps import Evaluation, JudgeCancel, Observe, OpenRollback, Outline, TaskInput
from fairlead.contracts.votes import Choice
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.domain.states import PromotionState
from fairlead.domain.verdict import Decision
from fairlead.evidence.report import Report
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from fairlead.store import deployments, ledger
from fairlead.store.artifacts import last_sent
from tests.activities.shop import SHOP, Shop, at


def sealed(shop: Shop, promotion: str) -> list[EnvelopeRecord]:
    with shop.db.session() as s:
        return ledger.of_promotion(s, promotion)


def carry_out(shop: Shop, outline: Outline, *, ok: bool = True, code: str | None = None) -> None:
    """Bring every target of a deployment up, look at it, and seal what was done and seen."""
    environment, deployment = ActivityEnvironment(), outline.deployment
    for target in outline.targets:
        environment.run(
            shop.targets.retire if target.retire else shop.targets.apply,
            TaskInput(deployment=deployment, target=target.target),
        )
        shop.move_task(deployment, target.target, "running")
        shop.move_task(deployment, target.target, "succeeded")
    observed = tuple(
        environment.run(shop.targets.observe, Observe(deployment=deployment, target=t.target, time=at(20)))
        for t in outline.targets
    )
    shop.seals.seal_deployment(SealDeployment(deployment=deployment, time=at(21), ok=ok, observed=observed, code=code))


def verdicts(evaluation: Evaluation) -> dict[str, Decision]:
    return {verdict.gate: verdict.decision for verdict in evaluation.verdicts}


def end(shop: Shop, promotion: PromotionRecord, state: PromotionState, **more: Any) -> None:
    shop.seals.seal_outcome(SealOutcome(promotion=promotion.id, time=at(30), state=state, **more))


def verified(shop: Shop, promotion: str) -> Report:
    """The report of a verifier who was handed bundle and trust file."""
    with shop.db.session() as s:
        bundle = sealing.export_bundle(s, shop.ledger, promotion)
        trust = sealing.trust_file(s, "shop", decision=shop.decision, ledger=shop.ledger, agents={"worker": shop.agent})
    return verify(json.dumps(bundle).encode(), read_trust(trust))


def test_what_was_sent_is_what_was_sealed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    outline = shop.open_deployment(promotion)
    carry_out(shop, outline)
    said = [json.loads(b64decode(record.envelope["payload"])) for record in sealed(shop, promotion.id)]
    [target] = next(s["predicate"] for s in said if s["predicateType"].endswith(":deployment:v1"))["targets"]
    with shop.db.session() as s:
        [file] = last_sent(s, outline.deployment, "dev-1")
    assert target["sent"] == [{"name": file.name, "digest": file.digest}]


def test_a_promotion_that_succeeded_is_believed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    carry_out(shop, shop.open_deployment(promotion))
    end(shop, promotion, PromotionState.SUCCEEDED)
    report = verified(shop, promotion.id)
    assert report.verified, [f for f in report.findings if f.problems]
    assert (report.state, report.release, report.environment) == ("succeeded", "1.0.0", "dev")


def test_a_promotion_that_was_rolled_back_is_believed(shop: Shop) -> None:
    first = shop.open_deployment(shop.promote("1.0.0"))
    carry_out(shop, first)
    subject = names.deployment_subject(first.deployment)
    for state in ("preparing", "running", "verifying", "succeeded"):
        shop.append(subject, state, state=state)
    shop.free(first.deployment)
    promotion = shop.promote("1.1.0")
    failed = shop.open_deployment(promotion)
    carry_out(shop, failed, ok=False, code="unhealthy")
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(22), code="unhealthy"))
    request = SealRollback(deployment=failed.deployment, rollback=back.deployment, time=at(23), code="unhealthy")
    (digest,) = shop.seals.seal_rollback(request).statements
    carry_out(shop, back)
    end(shop, promotion, PromotionState.ROLLED_BACK, code="unhealthy")
    report = verified(shop, promotion.id)
    assert report.verified, [f for f in report.findings if f.problems]
    with shop.db.session() as s:
        row = deployments.get(s, back.deployment)
    assert row is not None
    assert row.decision == digest


def test_votes_are_sealed_as_they_came_and_the_decision_names_them(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod")
    plan = shop.open_votes(promotion)
    for sequence, voter in enumerate(("ben", "cho"), start=4):
        shop.judge_vote(sequence, promotion, plan, voter)
    evaluation = shop.evaluate(promotion.id, 15, plan=plan, opened=at(0), expires=at(3600))
    shop.seals.seal_decision(
        SealDecision(
            promotion=promotion.id,
            time=at(16),
            result="deny",
            plan=plan,
            verdicts=evaluation.verdicts,
            approval=evaluation.approval,
            code="environment_not_reached",
        )
    )
    end(shop, promotion, PromotionState.EXPIRED)
    report = verified(shop, promotion.id)
    assert report.verified, [f for f in report.findings if f.problems]
    assert [e.kind for e in sealed(shop, promotion.id)] == ["vsa"] * len(evaluation.verdicts) + [
        "votes",
        "decision",
        "outcome",
    ]


def test_votes_for_a_plan_that_was_given_up_and_came_back_stand_uncounted(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod")
    plan = shop.open_votes(promotion)
    for sequence, voter in enumerate(("ben", "cho"), start=4):
        shop.judge_vote(sequence, promotion, plan, voter)
    counted = shop.evaluate(promotion.id, 15, plan=plan, opened=at(0), expires=at(3600))
    assert verdicts(counted)["approval"] is Decision.ALLOW
    again = shop.evaluate(promotion.id, 16, plan=plan, opened=at(15), expires=at(3600))
    assert verdicts(again)["approval"] is Decision.PENDING
    terms = {"plan": plan, "verdicts": again.verdicts, "approval": again.approval}
    shop.seals.seal_decision(deny(promotion, seconds=17, **terms))
    end(shop, promotion, PromotionState.EXPIRED)
    assert verified(shop, promotion.id).verified
    said = next(e for e in sealed(shop, promotion.id) if e.kind == "votes")
    cast = json.loads(b64decode(said.envelope["payload"]))["predicate"]["votes"]
    assert [(vote["counted"], vote["code"]) for vote in cast] == [(False, "votes_not_open")] * 2


def deny(promotion: PromotionRecord, seconds: float = 5, **more: Any) -> SealDecision:
    return SealDecision(promotion=promotion.id, time=at(seconds), result="deny", code="cancelled", **more)


def test_a_promotion_that_was_never_evaluated_is_believed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    shop.seals.seal_decision(deny(promotion))
    end(shop, promotion, PromotionState.CANCELLED)
    assert verified(shop, promotion.id).verified


def test_a_plan_that_could_not_be_made_is_none(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod")
    smaller = deepcopy(SHOP)
    del smaller["environments"]["prod"]
    shop.apply(smaller)
    evaluation = shop.evaluate(promotion.id)
    shop.seals.seal_decision(deny(promotion, plan=evaluation.plan, verdicts=evaluation.verdicts))
    end(shop, promotion, PromotionState.EXPIRED)
    report = verified(shop, promotion.id)
    assert report.verified, [f for f in report.findings if f.problems]


def test_asked_again_a_seal_answers_what_it_sealed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    evaluation = shop.evaluate(promotion.id)
    request = deny(promotion, plan=evaluation.plan, verdicts=evaluation.verdicts)
    first = shop.seals.seal_decision(request)
    assert shop.seals.seal_decision(request) == first
    assert len(first.statements) == len(evaluation.verdicts) + 1
    assert len(sealed(shop, promotion.id)) == len(first.statements)


def test_what_came_after_the_seal_does_not_change_it(shop: Shop) -> None:
    promotion = shop.promote("1.0.0", "prod")
    plan = shop.open_votes(promotion)
    first = shop.seals.seal_decision(deny(promotion, plan=plan))
    envelope = shop.vote("ben", promotion, plan, choice=Choice.CANCEL)
    late = JudgeCancel(promotion=promotion.id, sequence=4, received=at(12), via="signal", envelope=envelope)
    assert shop.gates.judge_cancel(late).accepted
    assert shop.seals.seal_decision(deny(promotion, plan=plan)) == first


class Recorder:
    """Fail points that look at the ledger when they are reached."""

    def __init__(self, shop: Shop, promotion: str) -> None:
        self._look = lambda: len(sealed(shop, promotion))
        self.reached: list[tuple[str, int]] = []

    def reach(self, name: str) -> None:
        self.reached.append((name, self._look()))


def test_fail_points_lie_before_the_seal_and_after_its_commit(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    recorder = Recorder(shop, promotion.id)
    SealActivities(shop.db, shop.decision, shop.agent, recorder).seal_decision(deny(promotion))
    assert recorder.reached == [("before_seal", 0), ("after_seal", 1)]


def test_another_run_cannot_seal_what_has_been_sealed(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    shop.seals.seal_decision(deny(promotion))
    with pytest.raises(Conflict) as caught:
        shop.seals.seal_decision(deny(promotion, seconds=6))
    assert caught.value.code == Code.HISTORY_CONFLICT


def test_who_signs_what(shop: Shop) -> None:
    promotion = shop.promote("1.0.0")
    carry_out(shop, shop.open_deployment(promotion))
    end(shop, promotion, PromotionState.SUCCEEDED)
    signers = {e.kind: e.envelope["signatures"][0]["keyid"] for e in sealed(shop, promotion.id)}
    by_agent = {kind for kind, keyid in signers.items() if keyid == shop.agent.keyid}
    assert by_agent == {"deployment", "observation"}
    assert {signers[kind] for kind in signers.keys() - by_agent} == {shop.decision.keyid}


def test_a_rollback_is_sealed_only_after_what_it_undoes(shop: Shop) -> None:
    failed = shop.open_deployment(shop.promote("1.0.0"))
    back = shop.deployments.open_rollback(OpenRollback(deployment=failed.deployment, time=at(9), code="unhealthy"))
    with pytest.raises(NotFound):
        shop.seals.seal_rollback(
            SealRollback(deployment=failed.deployment, rollback=back.deployment, time=at(9), code="unhealthy")
        )
