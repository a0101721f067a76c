"""Looking between deployments: which targets to look at, what the looks come to, and asking for what drifted to be put right."""

import asyncio
from collections.abc import Collection, Sequence

from sqlmodel import Session
from temporalio import activity
from temporalio.client import Client

from activities import drift_events, lookup
from fairlead.adapters import temporal
from fairlead.commands import drift, ids, plans
from fairlead.commands.catalogue import of_project
from fairlead.commands.inventory import not_serving
from fairlead.commands.promotions import request_reconvergence, workflow_input
from fairlead.contracts import activities
from fairlead.contracts.compare import Difference, compare
from fairlead.contracts.drift import LooksTaken, Sighted, Watch, Watched
from fairlead.contracts.records import LookRecord, PromotionRecord, TaskRecord
from fairlead.contracts.steps import EnvironmentRef, PromotionRef
from fairlead.contracts.target import TargetObservation
from fairlead.domain.catalogue import Environment
from fairlead.domain.drift import Looks, is_news, look_again
from fairlead.ports import Signer
from fairlead.store import deployments, lanes, looks, promotions
from fairlead.store.database import Database


class DriftActivities(activities.DriftActivities):
    """`agent` signs what was seen to drift."""

    def __init__(self, db: Database, client: Client, agent: Signer) -> None:
        self._db = db
        self._client = client
        self._agent = agent

    @activity.defn
    def plan_looks(self, environment: EnvironmentRef) -> Watch:
        """Which targets to look at; none while a deployment is under way, nor where the environment is gone."""
        with self._db.session() as s:
            place = of_project(s, environment.project).environments.get(environment.environment)
            if place is None or deployments.running(s, environment.project, place.name):
                return Watch()
            number = deployments.newest_number(s, environment.project, place.name)
            return Watch(number=number, targets=place.targets)

    @activity.defn
    def judge_looks(self, request: LooksTaken) -> Watched:
        """Record what drifted and what is well again, seal it, and ask for a re-convergence where the policy says so."""
        project, environment = request.project, request.environment
        with self._db.session() as s:
            lanes.lock(s, project, environment)
            place = of_project(s, project).environments.get(environment)
            is_busy = bool(deployments.running(s, project, environment))
            if place is None or is_busy or deployments.newest_number(s, project, environment) != request.number:
                return Watched(silent=True)
            idle = {status.target for status in not_serving(s, project, place, request.time)}
            changed = self._judge(s, request, idle)
            found = drift.drifted(s, project, place, request.time)
            return Watched(
                drifted=tuple(look.target for look in found),
                changed=changed,
                reconverge=_put_right(s, place, found, request),
            )

    @activity.defn
    async def begin(self, promotion: PromotionRef) -> None:
        """Start the workflow of a promotion that we asked for ourselves; if we do not get to it, the sweep does."""
        record = await asyncio.to_thread(self._promotion, promotion.promotion)
        await temporal.start_promotion(self._client, workflow_input(record))

    def _promotion(self, id: str) -> PromotionRecord:
        with self._db.session() as s:
            return lookup.promotion(s, id)

    def _judge(self, s: Session, request: LooksTaken, idle: Collection[str]) -> tuple[str, ...]:
        """Take in every look, once, but at those that do not serve; answers the targets whose drift is not what it was."""
        known = looks.of(s, request.project, request.environment)
        changed = []
        for sighted in request.seen:
            before = known.get(sighted.target)
            if sighted.target in idle:  # people may be at work there
                continue
            if before is not None and before.time >= sighted.time:  # by an earlier try of this same step
                continue
            task = deployments.last_verified_task(s, request.project, request.environment, sighted.target)
            after = _look(s, request, sighted, task, before)
            if is_news(before.drift if before else (), after.drift):
                after = drift_events.tell(s, self._agent, before, after, task)
                changed.append(sighted.target)
            looks.put(s, after)
        return tuple(changed)


def _look(
    s: Session, request: LooksTaken, sighted: Sighted, task: TaskRecord | None, before: LookRecord | None
) -> LookRecord:
    """What this look makes of those before it; what was deployed anew begins anew."""
    seen = drift_events.observed(s, request.project, sighted.observation)
    verified = task.deployment if task else ""
    so_far = before if before and before.deployment == verified else None
    looked = look_again(
        Looks(so_far.seen, so_far.drift, so_far.since) if so_far else Looks(),
        _differences(s, task, seen),
        sighted.time,
    )
    out_of_sight = (before.unreachable_since if before else None) or sighted.time
    return LookRecord(
        project=request.project,
        environment=request.environment,
        target=sighted.target,
        deployment=verified,
        time=sighted.time,
        observation=sighted.observation,
        unreachable_since=None if seen.reachable else out_of_sight,
        seen=looked.seen,
        drift=looked.drift,
        since=looked.since,
        statement=so_far.statement if so_far and looked.drift else None,
    )


def _differences(s: Session, task: TaskRecord | None, seen: TargetObservation) -> Sequence[Difference]:
    """Nothing differs where nothing was ever verified."""
    if task is None:
        return ()
    spec = plans.target_spec(s, lookup.deployment(s, task.deployment), task)
    return compare(spec.components, seen)


def _put_right(s: Session, place: Environment, found: Sequence[LookRecord], request: LooksTaken) -> str | None:
    """Ask for what was last verified once more, if it may be; the id of the promotion, also when asked again."""
    id = ids.id_from(f"reconverge/{request.project}/{place.name}/{request.time.isoformat()}")
    if promotions.get(s, id):
        return id
    remedy = drift.remedy(s, request.project, place, found, request.time)
    if remedy is None:
        return None
    if remedy.stopped:
        drift_events.tell_stopped(s, request, remedy.in_vain)
    if not remedy.now:
        return None
    targets = [look.target for look in found]
    reason = f"drift on {', '.join(targets)}"
    asked = request_reconvergence(s, request.project, place, now=request.time, reason=reason, id=id)
    if asked is None:
        return None
    drift_events.tell_asked(s, request, asked, targets)
    return asked.id
