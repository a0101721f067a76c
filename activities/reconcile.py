"""The sweep that mends what no workflow is there to do: starts what is missing, ends what was orphaned (design decision 18)."""

import asyncio
import json
from datetime import datetime
from typing import Any

from sqlmodel import Session
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus

from activities import decision_seals, lookup
from activities.deployments import DeploymentActivities
from activities.sealer import Sealer, Signers
from activities.watching import keep_watches, wanted_watches
from fairlead.adapters import temporal
from fairlead.adapters.schedules import Watching
from fairlead.commands.promotions import workflow_input
from fairlead.contracts import activities, names
from fairlead.contracts.records import EnvelopeRecord, PromotionRecord
from fairlead.contracts.seals import SealDecision, SealOutcome
from fairlead.contracts.steps import Abandon, Append, Reconciled, ReconcileInput
from fairlead.contracts.votes import ApprovalTerms
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError
from fairlead.domain.states import PromotionState
from fairlead.evidence.envelope import read_envelope
from fairlead.ports import Signer
from fairlead.store import deployments, history, lanes, promotions
from fairlead.store.database import Database

DETAILS = {
    Code.TERMINATED: "its workflow was ended or deleted by hand",
    Code.HISTORY_CONFLICT: "its workflow no longer fits its history, as after a reset by hand",
}


class ReconcileActivities(activities.ReconcileActivities):
    """Compares Postgres with Temporal. `deployments` closes the rows of deployments, the signers seal how promotions ended."""

    def __init__(
        self, db: Database, client: Client, deployments: DeploymentActivities, *, decision: Signer, agent: Signer
    ) -> None:
        self._db = db
        self._client = client
        self._deployments = deployments
        self._signers = Signers(decision, agent)

    @activity.defn
    async def start_missing(self, request: ReconcileInput) -> Reconciled:
        """Start promotions whose row has no workflow, and lanes that are gone though somebody waits or holds the place."""
        started = [promotion.id for promotion in await self._out_of_sight() if await self._start(promotion)]
        busy = await asyncio.to_thread(self._busy_lanes)
        lanes_started = [names.lane_workflow(*lane) for lane in busy if await self._start_lane(*lane)]
        return Reconciled(started=tuple(started), lanes=tuple(lanes_started))

    @activity.defn
    async def end_orphans(self, request: ReconcileInput) -> Reconciled:
        """Seal and end promotions whose workflow closed without a terminal event, once their deployments are over."""
        ended = []
        for promotion in await self._out_of_sight():
            try:
                if await self._end_if_orphan(promotion, request.now):
                    ended.append(promotion.id)
            except FairleadError as error:  # one that cannot be ended now must not keep the others from it
                activity.logger.warning("promotion %s could not be ended: %s", promotion.id, error.detail)
        return Reconciled(ended=tuple(ended))

    @activity.defn
    async def keep_watches(self, request: ReconcileInput) -> Reconciled:
        """Have a Schedule look for drift in every environment, as often as its catalogue says, and in no other."""
        wanted = await asyncio.to_thread(self._wanted_watches)
        return Reconciled(watches=await keep_watches(self._client, wanted))

    def _wanted_watches(self) -> dict[str, Watching]:
        with self._db.session() as s:
            return wanted_watches(s)

    async def _out_of_sight(self) -> list[PromotionRecord]:
        """Open promotions that are not listed as running. A list lags: each of these is asked for by name before anything is done."""
        seen = await temporal.running(self._client, names.PROMOTION)
        unended = await asyncio.to_thread(self._unended)
        return [promotion for promotion in unended if names.promotion_workflow(promotion.id) not in seen]

    async def _start(self, promotion: PromotionRecord) -> bool:
        """One that has begun is not begun anew: its workflow was deleted, and what it had in mind is gone."""
        if _has_begun(promotion):
            return False
        if await temporal.status(self._client, names.promotion_workflow(promotion.id)) is not None:
            return False
        return await temporal.start_promotion(self._client, workflow_input(promotion))

    async def _start_lane(self, project: str, environment: str) -> bool:
        if await temporal.is_running(self._client, names.lane_workflow(project, environment)):
            return False
        await temporal.start_lane(self._client, project, environment)
        return True

    async def _end_if_orphan(self, promotion: PromotionRecord, now: datetime) -> bool:
        workflow = names.promotion_workflow(promotion.id)
        status = await temporal.status(self._client, workflow)
        never_started = status is None and not _has_begun(promotion)
        if never_started or status is WorkflowExecutionStatus.RUNNING or await self._is_deploying(promotion.id):
            return False
        conflict = Code.HISTORY_CONFLICT in await temporal.failure_codes(self._client, workflow)
        code = Code.HISTORY_CONFLICT if conflict else Code.TERMINATED
        return await asyncio.to_thread(self._end, promotion, code, now)

    async def _is_deploying(self, promotion: str) -> bool:
        workflows = [names.deployment_workflow(id) for id in (promotion, names.rollback_of(promotion))]
        return any([await temporal.is_running(self._client, workflow) for workflow in workflows])

    def _end(self, promotion: PromotionRecord, code: Code, now: datetime) -> bool:
        for deployment in self._open_deployments(promotion.id):
            self._deployments.abandon(Abandon(deployment=deployment, time=now, code=code))
        with self._db.session() as s:
            lanes.lock(s, promotion.project, promotion.environment)
            sealer = Sealer(s, self._signers, promotion.id, now)
            if sealer.promotion.state.is_terminal:  # it ended by itself while we looked
                return False
            _append_end(sealer, code)
            place = lanes.get(s, promotion.id)
            if place is not None and place.status == lanes.WAITING:  # who has the place is watched by the lane itself
                lanes.set_status(s, promotion.id, lanes.LEFT)
        return True

    def _unended(self) -> list[PromotionRecord]:
        with self._db.session() as s:
            return promotions.unended(s)

    def _busy_lanes(self) -> list[tuple[str, str]]:
        with self._db.session() as s:
            return lanes.busy(s)

    def _open_deployments(self, promotion: str) -> list[str]:
        with self._db.session() as s:
            return [d.id for d in deployments.of_promotion(s, promotion) if not d.state.is_terminal]


def _has_begun(promotion: PromotionRecord) -> bool:
    """Whether its workflow has recorded anything; event 0 comes with the row."""
    return promotion.sequence > 0


def _append_end(sealer: Sealer, code: Code) -> None:
    promotion = sealer.promotion
    sealed = sealer.find(f"{promotion.id}/outcome")
    state, reason = (_sealed_end(sealed)) if sealed else (PromotionState.FAILED, code)
    outcome = sealed.statement if sealed else _seal_end(sealer, code)
    history.append(
        sealer.s,
        Append(
            subject=names.promotion_subject(promotion.id),
            sequence=promotion.sequence + 1,
            type="ended",
            time=sealer.time,
            code=reason,
            data={"outcome": outcome, "code": reason, "detail": DETAILS.get(code, "")},
            state=str(state),
        ),
    )


def _sealed_end(sealed: EnvelopeRecord) -> tuple[PromotionState, str | None]:
    """What an outcome says that was sealed before its event could be recorded: it stands."""
    predicate: dict[str, Any] = json.loads(read_envelope(sealed.envelope).payload)["predicate"]
    return PromotionState(predicate["state"]), predicate.get("code")


def _seal_end(sealer: Sealer, code: Code) -> str:
    promotion = sealer.promotion
    if sealer.find(f"{promotion.id}/decision") is None:
        decision = SealDecision(
            promotion=promotion.id,
            time=sealer.time,
            result="deny",
            plan=promotion.plan,
            approval=_terms(sealer.s, promotion),
            code=code,
        )
        decision_seals.seal_decision(sealer, decision)
    outcome = SealOutcome(
        promotion=promotion.id, time=sealer.time, state=PromotionState.FAILED, code=code, detail=DETAILS[code]
    )
    return decision_seals.seal_outcome(sealer, outcome).statements[-1]


def _terms(s: Session, promotion: PromotionRecord) -> ApprovalTerms | None:
    """By what rule votes were taken, for the decision that nobody lived to make."""
    environment = lookup.project_catalogue(s, promotion.project).environments.get(promotion.environment)
    rule = environment.approval if environment else None
    if rule is None or promotion.votes_opened is None:
        return None
    return ApprovalTerms(
        count=rule.count,
        groups=dict(rule.groups),
        requester=rule.requester,
        expires_after=rule.expires,
        opened=promotion.votes_opened,
        expires=promotion.votes_expire,
    )
