"""Signed statements into the ledger, each under a key of its own: asked again, a seal answers what it sealed the first time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from temporalio import activity

from activities import decision_seals, deployment_seals, lookup
from activities.sealer import Sealer, Signers
from fairlead.contracts import activities
from fairlead.contracts.seals import SealDecision, SealDeployment, Sealed, SealOutcome, SealRollback
from fairlead.ports import FailPoints, NoFailPoints, Signer
from fairlead.store.database import Database

NO_FAIL_POINTS = NoFailPoints()


class SealActivities(activities.SealActivities):
    """`decision` signs what is decided, `agent` (the worker's own key) what was done and seen."""

    def __init__(self, db: Database, decision: Signer, agent: Signer, fail_points: FailPoints = NO_FAIL_POINTS) -> None:
        self._db = db
        self._signers = Signers(decision, agent)
        self._fail_points = fail_points

    @activity.defn
    def seal_decision(self, request: SealDecision) -> Sealed:
        """The verdicts it rests on, the votes, and the decision itself."""
        id = request.promotion
        with self._sealing(id, request.time) as sealer:
            earlier = sealer.earlier(f"{id}/decision", f"{id}/verdict/", f"{id}/votes")
            return earlier or decision_seals.seal_decision(sealer, request)

    @activity.defn
    def seal_deployment(self, request: SealDeployment) -> Sealed:
        """What a deployment did, what was seen of each target, and whether that is well."""
        id = request.deployment
        with self._sealing(self._promotion_of(id), request.time) as sealer:
            earlier = sealer.earlier(f"{id}/verification", f"{id}/deployment", f"{id}/observation/")
            return earlier or deployment_seals.seal_deployment(sealer, lookup.deployment(sealer.s, id), request)

    @activity.defn
    def seal_rollback(self, request: SealRollback) -> Sealed:
        """Why a deployment is rolled back and where each of its targets goes."""
        id = request.deployment
        with self._sealing(self._promotion_of(id), request.time) as sealer:
            earlier = sealer.earlier(f"{id}/rollback")
            return earlier or deployment_seals.seal_rollback(sealer, lookup.deployment(sealer.s, id), request)

    @activity.defn
    def seal_outcome(self, request: SealOutcome) -> Sealed:
        """How a promotion ended."""
        with self._sealing(request.promotion, request.time) as sealer:
            earlier = sealer.earlier(f"{request.promotion}/outcome")
            return earlier or decision_seals.seal_outcome(sealer, request)

    @contextmanager
    def _sealing(self, promotion: str, time: datetime) -> Iterator[Sealer]:
        self._fail_points.reach("before_seal")
        with self._db.session() as s:
            yield Sealer(s, self._signers, promotion, time)
        self._fail_points.reach("after_seal")

    def _promotion_of(self, deployment: str) -> str:
        with self._db.session() as s:
            return lookup.deployment(s, deployment).promotion
