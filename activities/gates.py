"""Evaluating gates, and judging votes and cancels: facts in one transaction, rules in `domain`, the answer recorded."""

from sqlmodel import Session
from temporalio import activity

from activities import lookup, voting
from fairlead.commands import facts, planning, plans
from fairlead.contracts import activities
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.messages import INTENT_RETIRE
from fairlead.contracts.records import PromotionRecord
from fairlead.contracts.release import Plan, PlanStrategy
from fairlead.contracts.steps import EvaluateInput, Evaluation, JudgeCancel, JudgeVote
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.verdict import Decision, Verdict
from fairlead.ports import NoSecrets, Secrets
from fairlead.store import documents
from fairlead.store.database import Database

NO_SECRETS = NoSecrets()
PLAN_GATE = "plan"
"""Not a rule of anybody's: the verdict that says why there is nothing to judge."""


class GateActivities(activities.GateActivities):
    """Facts and judgements."""

    def __init__(self, db: Database, secrets: Secrets = NO_SECRETS) -> None:
        self._db = db
        self._secrets = secrets

    @activity.defn
    def evaluate(self, request: EvaluateInput) -> Evaluation:
        """Make the plan of now, gather the facts, judge every gate, keep plan and facts by digest."""
        try:
            versions = self._versions(request)
        except FairleadError as error:
            if isinstance(error, Unavailable) and error.code is not Code.SECRETS_UNAVAILABLE:
                raise
            with self._db.session() as s:
                return _no_facts(s, lookup.promotion(s, request.promotion), request, error)
        with self._db.session() as s:
            promotion = lookup.promotion(s, request.promotion)
            try:
                return _evaluate(s, promotion, request, versions)
            except Refused as error:
                return _no_facts(s, promotion, request, error)

    def _versions(self, request: EvaluateInput) -> plans.Versions:
        """Asked for outside of any transaction: a place of secrets may take its time."""
        with self._db.session() as s:
            promotion = lookup.promotion(s, request.promotion)
            if promotion.intent == INTENT_RETIRE:  # nothing is brought but what was, with the versions that it had
                return plans.NO_VERSIONS
            catalogue = lookup.project_catalogue(s, promotion.project)
            release = lookup.release(s, promotion.project, promotion.release_digest)
            references = plans.secret_references(s, catalogue, promotion.environment, release, promotion)
        return plans.secret_versions(self._secrets, references)

    @activity.defn
    def judge_vote(self, request: JudgeVote) -> VoteAnswer:
        """Judge a vote and record it as `vote_accepted` or `vote_refused`; asked again it gives the recorded answer."""
        with self._db.session() as s:
            return voting.judge_vote(s, request)

    @activity.defn
    def judge_cancel(self, request: JudgeCancel) -> VoteAnswer:
        """The same for a cancel: `cancel_accepted` or `cancel_refused`."""
        with self._db.session() as s:
            return voting.judge_cancel(s, request)


def _evaluate(s: Session, promotion: PromotionRecord, request: EvaluateInput, versions: plans.Versions) -> Evaluation:
    catalogue = lookup.project_catalogue(s, promotion.project)
    release = lookup.release(s, promotion.project, promotion.release_digest)
    plan = planning.plan_of(s, catalogue, promotion, release, request.now, versions)
    digest = documents.put_plan(s, promotion.project, plan)
    # Votes were opened for the plan they name; for another one they have not been.
    opened, expires = (request.opened, request.expires) if digest == request.plan else (None, None)
    gathered = facts.gather(s, catalogue, promotion, plan, request.now, opened=opened, expires=expires)
    facts.keep(s, promotion.project, gathered)
    return Evaluation(
        plan=digest,
        verdicts=tuple(facts.judge(gathered, request.now)),
        approval=facts.approval_terms(gathered, opened=opened, expires=expires),
    )


def _no_facts(s: Session, promotion: PromotionRecord, request: EvaluateInput, error: FairleadError) -> Evaluation:
    """Why nothing can be judged, as a verdict: a promotion waits for its facts, it does not die of them."""
    given = {"gate": PLAN_GATE, "policy": {}, "facts": {"code": str(error.code), "detail": error.detail}}
    plan = request.plan or documents.put_plan(s, promotion.project, _empty_plan(promotion))
    verdict = Verdict(
        gate=PLAN_GATE,
        decision=Decision.ERROR,
        reason_codes=(str(error.code),),
        message=error.detail,
        facts=documents.put_facts(s, promotion.project, given),
        policy=digest_of({}),
        evaluated_at=request.now,
    )
    return Evaluation(plan=plan, verdicts=(verdict,))


def _empty_plan(promotion: PromotionRecord) -> Plan:
    nothing = PlanStrategy(type="none", batch=1, min_healthy_time=0.0, healthy_deadline=0.0)
    return Plan(
        project=promotion.project,
        environment=promotion.environment,
        release=promotion.release_digest,
        strategy=nothing,
        on_failure="stop",
        targets=(),
    )
