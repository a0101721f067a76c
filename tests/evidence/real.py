"""A ledger that our own activities sealed: releases, promotions that went well, and one that two people approved and that went back."""

import copy
import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.testing import ActivityEnvironment

from fairlead.adapters.signer import FileSigner
from fairlead.commands import sealing
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.seals import SealDecision, SealDeployment, SealOutcome, SealRollback
from fairlead.contracts.steps import Evaluation, JudgeVote, Observe, OpenDeployment, OpenRollback, Outline, TaskInput
from fairlead.domain.states import PromotionState
from fairlead.store import ledger
from fairlead.store.database import Database
from tests.activities.shop import SHOP, Shop, at, new_signer

WELL = ("preparing", "running", "verifying", "succeeded")
OPENED, EXPIRES, HOUR = 10, 3600, 3600
RECEIVED = {"ben": 20, "cho": 1500}
"""When the votes came, in seconds after their promotion's start."""


@dataclass(frozen=True)
class Real:
    """What is left of it all. `went_back` and `earlier` are promotions into prod, `since` a checkpoint between the two.

    `growth` is what exporting `bundle` with `--since` adds to it.
    """

    went_back: str
    earlier: str
    bundle: dict[str, Any]
    earlier_bundle: dict[str, Any]
    trust: dict[str, Any]
    since: str
    growth: dict[str, Any]
    leaves: list[dict[str, Any]]
    signers: dict[str, FileSigner]
    people: dict[str, FileSigner]
    stale_vote: dict[str, Any]

    def copy(self) -> dict[str, Any]:
        """The bundle, to be changed."""
        return copy.deepcopy(self.bundle)

    def trusting(self, name: str, **changes: Any) -> dict[str, Any]:
        """The trust file, with one key changed: that of a role's holder or of a person."""
        trust = copy.deepcopy(self.trust)
        keyid = (self.signers | self.people)[name].keyid
        for key in trust["keys"]:
            if key["keyid"] == keyid:
                key.update(changes)
        return trust


def told(db: Database) -> Real:
    """Everything that is needed for a rollback in prod."""
    shop = Shop(db)
    document = copy.deepcopy(SHOP)
    document["environments"]["prod"]["after"] = ["dev"]
    shop.apply(document)
    bring(shop, "1.0.0", "dev", 0)
    earlier = bring(shop, "1.0.0", "prod", HOUR, voters=("ben", "cho"))
    with shop.db.session() as s:
        since = sealing.checkpoint(s, shop.ledger, "shop")
    bring(shop, "1.1.0", "dev", 2 * HOUR)
    went_back = bring(shop, "1.1.0", "prod", 3 * HOUR, voters=("ben", "cho"), breaks=True)
    return Real(
        went_back=went_back.id,
        earlier=earlier.id,
        bundle=exported(shop, went_back),
        earlier_bundle=exported(shop, earlier),
        trust=trust_of(shop),
        since=since,
        growth=exported(shop, went_back, since)["consistency"],
        leaves=leaves_of(shop),
        signers={"decision": shop.decision, "agent": shop.agent, "ledger": shop.ledger, "nobody": new_signer()},
        people=shop.people,
        stale_vote=shop.vote("ben", went_back, earlier.release_digest, time=at(3 * HOUR + RECEIVED["ben"])),
    )


def bring(
    shop: Shop, version: str, environment: str, start: float, *, voters: Sequence[str] = (), breaks: bool = False
) -> PromotionRecord:
    """From the request to the outcome, as the workflows would have it done."""
    promotion = shop.promote(version, environment, now=at(start))
    evaluation = consent(shop, promotion, start, voters)
    shop.append(names.promotion_subject(promotion.id), "queued", state="queued", seconds=start + 1600)
    shop.admit(promotion, start + 1600)
    decision = shop.seals.seal_decision(
        SealDecision(
            promotion=promotion.id,
            time=at(start + 1700),
            result="allow",
            plan=evaluation.plan,
            verdicts=evaluation.verdicts,
            approval=evaluation.approval,
        )
    ).statements[-1]
    shop.append(names.promotion_subject(promotion.id), "deploying", state="deploying", seconds=start + 1701)
    opened = OpenDeployment(promotion=promotion.id, decision=decision, time=at(start + 1702))
    outline = shop.deployments.open_deployment(opened)
    code = "unhealthy" if breaks else None
    carry_out(shop, outline, start + 1710, ok=not breaks, code=code)
    if breaks:
        go_back(shop, outline, start + 1730)
    state = PromotionState.ROLLED_BACK if breaks else PromotionState.SUCCEEDED
    shop.free(promotion.id)
    shop.seals.seal_outcome(SealOutcome(promotion=promotion.id, time=at(start + 1800), state=state, code=code))
    return promotion


def consent(shop: Shop, promotion: PromotionRecord, start: float, voters: Sequence[str]) -> Evaluation:
    """Evaluate; where votes are asked for, gather them and evaluate again."""
    subject = names.promotion_subject(promotion.id)
    if not voters:
        evaluation = shop.evaluate(promotion.id, start + 5)
        shop.append(subject, "evaluating", state="evaluating", seconds=start + 5)
        shop.append(subject, "evaluated", data={"plan": evaluation.plan}, seconds=start + 5)
        return evaluation
    plan = shop.open_votes(promotion, start + OPENED)
    window = {"plan": plan, "opened": at(start + OPENED), "expires": at(start + OPENED + EXPIRES)}
    for voter in voters:
        seconds = start + RECEIVED[voter]
        envelope = shop.vote(voter, promotion, plan, time=at(seconds - 1))
        answer = shop.gates.judge_vote(
            JudgeVote(
                promotion=promotion.id,
                sequence=shop.events(subject)[-1].sequence + 1,
                received=at(seconds),
                envelope=envelope,
                via="update",
                **window,
            )
        )
        assert answer.accepted, answer
    return shop.evaluate(promotion.id, start + 1550, **window)


def carry_out(shop: Shop, outline: Outline, seconds: float, *, ok: bool = True, code: str | None = None) -> None:
    """Bring every target up, look at it, seal what was done and seen, and let the deployment end."""
    environment, subject = ActivityEnvironment(), names.deployment_subject(outline.deployment)
    for state in WELL[:2]:
        shop.append(subject, state, state=state, seconds=seconds)
    for target in outline.targets:
        task = TaskInput(deployment=outline.deployment, target=target.target)
        environment.run(shop.targets.retire if target.retire else shop.targets.apply, task)
        shop.move_task(outline.deployment, target.target, "running")
        shop.move_task(outline.deployment, target.target, "succeeded")
    observed = tuple(
        environment.run(
            shop.targets.observe, Observe(deployment=outline.deployment, target=t.target, time=at(seconds + 5))
        )
        for t in outline.targets
    )
    sealed = SealDeployment(deployment=outline.deployment, time=at(seconds + 6), ok=ok, observed=observed, code=code)
    shop.seals.seal_deployment(sealed)
    for state in WELL[2:] if ok else ("rolling_back",):
        shop.append(subject, state, state=state, seconds=seconds + 7)


def go_back(shop: Shop, failed: Outline, seconds: float) -> None:
    """The rollback of a deployment that failed."""
    back = shop.deployments.open_rollback(
        OpenRollback(deployment=failed.deployment, time=at(seconds), code="unhealthy")
    )
    shop.seals.seal_rollback(
        SealRollback(deployment=failed.deployment, rollback=back.deployment, time=at(seconds + 1), code="unhealthy")
    )
    carry_out(shop, back, seconds + 2)


def exported(shop: Shop, promotion: PromotionRecord, since: str | None = None) -> dict[str, Any]:
    """What `fairlead evidence export` writes."""
    with shop.db.session() as s:
        return sealing.export_bundle(s, shop.ledger, promotion.id, since=since)


def trust_of(shop: Shop) -> dict[str, Any]:
    """What `fairlead evidence trust` writes."""
    with shop.db.session() as s:
        return sealing.trust_file(s, "shop", decision=shop.decision, ledger=shop.ledger, agents={"worker": shop.agent})


def leaves_of(shop: Shop) -> list[dict[str, Any]]:
    """All envelopes of the project's ledger, in order."""
    with shop.db.session() as s:
        return [record.envelope for record in ledger.envelopes(s, "shop")]


def statement_of(envelope: dict[str, Any]) -> dict[str, Any]:
    """What an envelope is around."""
    return dict(json.loads(b64decode(envelope["payload"])))
