"""Looking at targets: what is seen is kept, and compared with what should be there."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from activities import lookup
from fairlead.commands import plans
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.compare import Difference, compare
from fairlead.contracts.drift import Sight, Sighted
from fairlead.contracts.records import DeploymentRecord, TaskRecord
from fairlead.contracts.steps import Observed
from fairlead.contracts.target import TargetAddress, TargetObservation, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, FairleadError, NotFound
from fairlead.ports import Executor
from fairlead.store import deployments, observations
from fairlead.store.database import Database


class Eyes:
    """Sees targets through the executors of their types."""

    def __init__(self, db: Database, executors: Mapping[str, Executor]) -> None:
        self._db = db
        self._executors = executors

    def executor(self, spec: TargetSpec | TargetAddress) -> Executor:
        """Who acts on this target. Raises BadInput (not_supported_yet)."""
        found = self._executors.get(spec.type)
        if found is None:
            raise BadInput(Code.NOT_SUPPORTED_YET, f"nothing here acts on targets of type {spec.type}")
        return found

    def glance(self, request: Sight) -> Sighted:
        """Look between deployments. What could not be looked at was not reached; what was known already is not kept again."""
        with self._db.session() as s:
            address = _address(s, request)
        try:
            seen = self.executor(address).observe(address)
        except FairleadError as error:
            seen = TargetObservation(target=request.target, reachable=False, detail=error.detail)
        content = seen.model_dump(mode="json", exclude_none=True)
        with self._db.session() as s:
            kept = observations.by_digest(s, request.project, digest_of(content)) or observations.add(
                s,
                project=request.project,
                environment=request.environment,
                target=request.target,
                deployment=None,
                time=request.time,
                content=content,
            )
        return Sighted(target=request.target, time=request.time, observation=kept.digest)

    def work(self, deployment: str, target: str) -> tuple[DeploymentRecord, TaskRecord, TargetSpec]:
        """The work on a target, and what its executor is told."""
        with self._db.session() as s:
            record, task = lookup.deployment(s, deployment), lookup.task(s, deployment, target)
            return record, task, plans.target_spec(s, record, task)

    def look(self, deployment: str, target: str, time: datetime) -> Observed:
        """Look now and keep what was seen, with whether it is what the deployment should have left there."""
        record, task, spec = self.work(deployment, target)
        seen = self.executor(spec).observe(plans.address(spec))
        with self._db.session() as s:
            kept = observations.add(
                s,
                project=record.project,
                environment=record.environment,
                target=target,
                deployment=deployment,
                time=time,
                content=seen.model_dump(mode="json", exclude_none=True),
            )
        wrong = differences(spec, task, seen)
        return Observed(
            target=target,
            ok=not wrong,
            observation=kept.digest,
            code=wrong[0].code if wrong else None,
            detail="; ".join(difference.detail for difference in wrong),
        )


def _address(s: Session, request: Sight) -> TargetAddress:
    """Where the target was when something was verified there last; else where the catalogue says it is."""
    task = deployments.last_verified_task(s, request.project, request.environment, request.target)
    if task is not None:
        return plans.address(plans.target_spec(s, lookup.deployment(s, task.deployment), task))
    catalogue = lookup.project_catalogue(s, request.project)
    for address in plans.addresses(catalogue, request.environment):
        if address.target == request.target:
            return address
    raise NotFound(Code.TARGET_NOT_FOUND, f"{request.environment} has no target {request.target}")


def differences(spec: TargetSpec, task: TaskRecord, seen: TargetObservation) -> tuple[Difference, ...]:
    """What is not as this task should have left it; after a retirement nothing of ours may be there."""
    return compare(() if task.retire else spec.components, seen)
