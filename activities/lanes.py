"""Both sides of a lane: what a promotion asks of it, and what the lane itself does with its queue in Postgres."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress

from sqlmodel import Session
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus

from activities import lookup, restraining
from fairlead.adapters import temporal
from fairlead.contracts import activities, names
from fairlead.contracts.messages import INTENT_RETIRE, INTENT_ROLLBACK, LaneRequest, RestraintAnswer
from fairlead.contracts.records import QueueRecord, RestraintRecord
from fairlead.contracts.steps import (
    Admission,
    AdmitInput,
    AdmitResult,
    Blocker,
    EnvironmentRef,
    LaneRef,
    PromotionRef,
    RecordRestraint,
)
from fairlead.domain import lane as rules
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.ports import Signer
from fairlead.store import deployments, lanes, promotions, restraints
from fairlead.store.database import Database

WAITING, ADMITTED, REFUSED, LEFT, DONE = "waiting", "admitted", "refused", "left", "done"
HEARTBEAT_SECONDS = 1.0
LATE_START_SECONDS = 2.0
LOOK_AGAIN_SECONDS = 30.0


class LaneActivities(activities.LaneActivities):
    """The queue is in Postgres and only the lane changes it; `decision` signs freezes."""

    def __init__(self, db: Database, client: Client, decision: Signer) -> None:
        self._db = db
        self._client = client
        self._decision = decision

    @activity.defn
    async def enter(self, lane: LaneRef) -> None:
        """Send `enter` to the lane, starting it where it is not running; does not wait for the result."""
        await temporal.enter_lane(self._client, lane.project, lane.environment, _request(lane), _update_id(lane))

    @activity.defn
    async def leave(self, lane: LaneRef) -> None:
        """Send `leave` to the lane. One that is not there finds the promotion gone when it is started anew."""
        try:
            await temporal.leave_lane(self._client, lane.project, lane.environment, _request(lane), _update_id(lane))
        except NotFound:
            await asyncio.to_thread(self._unqueue, lane)

    @activity.defn
    def read_admission(self, promotion: PromotionRef) -> Admission:
        """Where the promotion stands in the queue, by Postgres."""
        with self._db.session() as s:
            place = lanes.get(s, promotion.promotion)
        if place is None:
            return Admission(status="absent")
        detail = "an older release than the one that was verified there" if place.status == REFUSED else ""
        return Admission(status=place.status, number=place.number, code=place.code, detail=detail)

    @activity.defn
    def queue(self, lane: LaneRef) -> None:
        """Put a promotion at the end of its queue, once; one that is over needs no place."""
        with self._db.session() as s:
            lanes.lock(s, lane.project, lane.environment)
            promotion = lookup.promotion(s, lane.promotion)
            if not promotion.state.is_terminal:
                time = activity.info().scheduled_time
                lanes.enqueue(
                    s, promotion=lane.promotion, project=lane.project, environment=lane.environment, time=time
                )

    @activity.defn
    def unqueue(self, lane: LaneRef) -> None:
        """Take a promotion out of its queue, or give its place back if it has no deployment."""
        self._unqueue(lane)

    def _unqueue(self, lane: LaneRef) -> None:
        with self._db.session() as s:
            lanes.lock(s, lane.project, lane.environment)
            place = lanes.get(s, lane.promotion)
            if place is None or place.status not in {WAITING, ADMITTED}:
                return
            if place.status == WAITING or not deployments.of_promotion(s, lane.promotion):
                lanes.set_status(s, lane.promotion, LEFT)

    @activity.defn
    def admit(self, request: AdmitInput) -> AdmitResult:
        """Give the place to the first that may pass: freeze, hold, monotonic rule and fence number in one transaction."""
        with self._db.session() as s:
            lanes.lock(s, request.project, request.environment)
            holder = lanes.holder(s, request.project, request.environment)
            queue = lanes.waiting(s, request.project, request.environment)
            if holder is not None:
                return AdmitResult(holder=holder.promotion, waiting=len(queue))
            return _admit_next(s, request, queue)

    @activity.defn
    async def watch(self, lane: LaneRef) -> None:
        """Return when the promotion and all its deployments are closed in Temporal, by any means; heartbeats."""
        pulse = asyncio.create_task(_pulse())
        try:
            await self._wait_over(lane.promotion)
        finally:
            pulse.cancel()

    async def _wait_over(self, promotion: str) -> None:
        workflows = _workflows_of(promotion)
        while True:
            # A long poll may be lost without a word; a look now and then does not depend on it.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    for workflow in workflows:
                        await temporal.wait_closed(self._client, workflow)
            # One that was terminated may have a deployment that Temporal is only about to start.
            if not await self._ended_by_itself(workflows[0]):
                await asyncio.sleep(LATE_START_SECONDS)
            if not any([await temporal.is_running(self._client, workflow) for workflow in workflows]):
                return

    async def _ended_by_itself(self, workflow: str) -> bool:
        status = await temporal.status(self._client, workflow)
        return status not in {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT}

    @activity.defn
    def free(self, lane: LaneRef) -> None:
        """Give the place of a promotion that is over to the next."""
        with self._db.session() as s:
            lanes.lock(s, lane.project, lane.environment)
            place = lanes.get(s, lane.promotion)
            if place is not None and place.status == ADMITTED:
                lanes.set_status(s, lane.promotion, DONE)

    @activity.defn
    def record_restraint(self, request: RecordRestraint) -> RestraintAnswer:
        """Store and seal a freeze, thaw, hold or resume, once per id."""
        with self._db.session() as s:
            return restraining.record(s, self._decision, request)

    @activity.defn
    async def poke(self, environment: EnvironmentRef) -> None:
        """Signal `reevaluate` to the open promotions into this environment."""
        for promotion in await asyncio.to_thread(self._open_into, environment):
            await temporal.signal_reevaluate(self._client, promotion)

    def _open_into(self, environment: EnvironmentRef) -> list[str]:
        with self._db.session() as s:
            return [p.id for p in promotions.open_into(s, environment.project, environment.environment)]

    @activity.defn
    async def request_cancel(self, promotion: PromotionRef) -> None:
        """Ask Temporal to cancel the promotion's own workflow, so that it closes as Canceled."""
        await temporal.cancel(self._client, names.promotion_workflow(promotion.promotion))


def _admit_next(s: Session, request: AdmitInput, queue: Sequence[QueueRecord]) -> AdmitResult:
    project, environment = request.project, request.environment
    restraining_now = [_restraint(r) for r in restraints.open_at(s, project, environment, request.now)]
    waiting = [_waiting(s, place) for place in queue]
    turn = rules.next_turn(waiting, restraining_now, _verified_ordinal(s, project, environment), request.now)
    for promotion in turn.refused:
        lanes.set_status(s, promotion, REFUSED, code=Code.RELEASE_OLDER)
    if turn.promotion is not None:
        number = lanes.next_number(s, project, environment)
        lanes.set_status(s, turn.promotion, ADMITTED, number=number)
    return AdmitResult(
        holder=turn.promotion,
        admitted=turn.promotion is not None,
        refused=turn.refused,
        waiting=len(queue) - len(turn.refused) - (turn.promotion is not None),
        blocked_by=tuple(Blocker.model_validate(b, from_attributes=True) for b in turn.blocked_by),
        next_at=turn.next_at,
    )


def _waiting(s: Session, place: QueueRecord) -> rules.Waiting:
    promotion = lookup.promotion(s, place.promotion)
    release = lookup.release(s, promotion.project, promotion.release_digest)
    return rules.Waiting(
        promotion=promotion.id,
        release=promotion.release,
        ordinal=release.ordinal,
        is_rollback=promotion.intent == INTENT_ROLLBACK,
        through_hold=promotion.through_hold is not None,
        takes_down=promotion.intent == INTENT_RETIRE,
    )


def _restraint(record: RestraintRecord) -> rules.Restraint:
    return rules.Restraint(
        id=record.id,
        kind=record.kind,
        reason=record.reason,
        actor=record.actor,
        since=record.since,
        until=record.until,
    )


def _verified_ordinal(s: Session, project: str, environment: str) -> int | None:
    last = deployments.last_verified(s, project, environment)
    return lookup.release(s, project, last.release_digest).ordinal if last else None


def _workflows_of(promotion: str) -> tuple[str, ...]:
    """The promotion's own workflow, its deployment's and that one's rollback's."""
    deployment = promotion
    return (
        names.promotion_workflow(promotion),
        names.deployment_workflow(deployment),
        names.deployment_workflow(names.rollback_of(deployment)),
    )


async def _pulse() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


def _request(lane: LaneRef) -> LaneRequest:
    return LaneRequest(promotion=lane.promotion, request=lane.request)


def _update_id(lane: LaneRef) -> str:
    return hashlib.sha256(lane.request.encode()).hexdigest()
