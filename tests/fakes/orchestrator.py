"""An orchestrator without Temporal: it records what it was asked, and lets the real activities judge votes and keep restraints."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from activities import restraining, voting
from api.refusals import refusal
from api.temporal import NotRunning
from fairlead.adapters.retries import Retry
from fairlead.contracts.checks import CheckTarget, TargetChecked, TargetFinding
from fairlead.contracts.forecasts import ForecastTarget, TargetForecast
from fairlead.contracts.logs import LogsRead, ReadLogs
from fairlead.contracts.messages import CancelRequest, PromotionInput, RestraintAnswer, RestraintRequest
from fairlead.contracts.steps import JudgeCancel, JudgeVote, RecordRestraint
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.ports import Signer
from fairlead.store import promotions
from fairlead.store.database import Database


class PlayedOrchestrator:
    """Implements api.temporal.Orchestrator. `available`: whether it answers; `running`: whether promotions have a workflow."""

    def __init__(self, db: Database, decision: Signer, now: Callable[[], datetime]) -> None:
        self._db, self._decision, self._now = db, decision, now
        self._answered: dict[str, Any] = {}
        self.available = True
        self.running = True
        self.workers = 1
        self.started: list[str] = []
        self.poked: list[str] = []
        self.heard = LogsRead()
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.retried: dict[str, list[Retry]] = {}

    async def start_promotion(self, request: PromotionInput) -> None:
        self._reach()
        self.started.append(request.promotion)

    async def vote(self, promotion: str, envelope: Any, update_id: str) -> VoteAnswer:
        self._reach(promotion)
        if not isinstance(envelope, dict):  # what the workflow's validator says
            raise BadInput(Code.VOTE_MALFORMED, "a vote is a JSON object")
        return self._once(update_id, lambda: self._judge_vote(promotion, envelope))

    async def cancel(self, promotion: str, request: CancelRequest | Mapping[str, Any], update_id: str) -> VoteAnswer:
        self._reach(promotion)
        return self._once(update_id, lambda: self._judge_cancel(promotion, request))

    async def restrain(
        self, kind: str, project: str, environment: str, request: RestraintRequest, update_id: str
    ) -> RestraintAnswer:
        self._reach()
        return self._once(update_id, lambda: self._record(kind, project, environment, request))

    async def poke(self, promotion: str) -> None:
        self.poked.append(promotion)

    async def retries(self, workflow: str) -> tuple[Retry, ...]:
        self._reach()
        return tuple(self.retried.get(workflow, ()))

    async def read_logs(self, request: ReadLogs, id: str) -> LogsRead:
        self._reach()
        return self.heard

    async def check_target(self, request: CheckTarget, id: str) -> TargetChecked:
        self._reach()
        grade = "failed" if request.target in self.broken else "ok"
        return TargetChecked(target=request.target, items=(TargetFinding(check="connects", grade=grade, detail="-"),))

    async def forecast_target(self, request: ForecastTarget, id: str) -> TargetForecast:
        self._reach()
        if request.target.name in self.silent:
            await asyncio.Event().wait()
        lines = (f"{request.plan} would be carried out",)
        return TargetForecast(target=request.target.name, tells=True, lines=lines, before=("web: drain", "api: stop"))

    async def check(self) -> None:
        self._reach()

    async def pollers(self, queue: str) -> int:
        self._reach()
        return self.workers

    def _reach(self, promotion: str | None = None) -> None:
        if not self.available:
            raise Unavailable(Code.TEMPORAL_UNAVAILABLE, "Temporal is away")
        if promotion is not None and not self.running:
            raise NotRunning(Code.PROMOTION_CLOSED, f"promotion {promotion} is over")

    def _once(self, update_id: str, answer: Callable[[], Any]) -> Any:
        """Temporal gives a repeated update the first answer."""
        if update_id not in self._answered:
            self._answered[update_id] = answer()
        return self._told(self._answered[update_id])

    def _told(self, answer: Any) -> Any:
        if isinstance(answer, VoteAnswer) and not answer.accepted:
            raise refusal(answer.code, answer.detail, {})
        return answer

    def _judge_vote(self, promotion: str, envelope: Any) -> VoteAnswer:
        with self._db.session() as s:
            row = promotions.get(s, promotion)
            assert row is not None
            request = JudgeVote(
                promotion=promotion,
                sequence=row.sequence + 1,
                received=self._now(),
                envelope=envelope,
                via="update",
                plan=row.plan if row.votes_opened else None,
                opened=row.votes_opened,
                expires=row.votes_expire,
            )
            return voting.judge_vote(s, request)

    def _judge_cancel(self, promotion: str, request: CancelRequest | Mapping[str, Any]) -> VoteAnswer:
        by_name = isinstance(request, CancelRequest)
        with self._db.session() as s:
            row = promotions.get(s, promotion)
            assert row is not None
            judge = JudgeCancel(
                promotion=promotion,
                sequence=row.sequence + 1,
                received=self._now(),
                via="update",
                request=request if by_name else None,
                envelope=None if by_name else request,
            )
            return voting.judge_cancel(s, judge)

    def _record(self, kind: str, project: str, environment: str, request: RestraintRequest) -> RestraintAnswer:
        record = RecordRestraint(
            kind=kind,
            project=project,
            environment=environment,
            actor=request.actor,
            time=self._now(),
            reason=request.reason,
            until=request.until,
            restraint=request.restraint,
        )
        with self._db.session() as s:
            return restraining.record(s, self._decision, record)
