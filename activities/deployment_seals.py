"""What a deployment's statements say: what was done, what was seen, whether that is well, and where a rollback goes."""

from typing import Literal

from activities import lookup
from activities.sealer import Sealer
from fairlead.commands import plans
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import DeploymentRecord, TaskRecord
from fairlead.contracts.release import ReleaseManifest
from fairlead.contracts.seals import SealDeployment, Sealed, SealRollback
from fairlead.contracts.steps import Observed
from fairlead.contracts.target import TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound
from fairlead.domain.states import TaskState
from fairlead.evidence import statements
from fairlead.evidence.predicates import DeployedTarget, PlacedComponent, RollbackTarget, SentArtifact
from fairlead.store import deployments, observations
from fairlead.store.artifacts import last_sent


def seal_deployment(sealer: Sealer, deployment: DeploymentRecord, request: SealDeployment) -> Sealed:
    """Seal what was done, then each observation, then the judgement."""
    tasks = deployments.tasks(sealer.s, deployment.id)
    targets = [_deployed(sealer, deployment, task) for task in tasks]
    done = sealer.seal(
        f"{deployment.id}/deployment", "deployment", _deployment(sealer, deployment, request, tasks, targets)
    )
    by_name = {target.name: target for target in targets}
    seen = [_observation(sealer, deployment, done, by_name[o.target], o) for o in request.observed]
    judged = statements.verification(
        sealer.about,
        deployment_statement=done,
        observations=seen,
        deployment=deployment.id,
        is_rollback=deployment.is_rollback,
        result="passed" if request.ok else "failed",
        code=request.code,
        detail=request.detail or None,
    )
    verification = sealer.seal(f"{deployment.id}/verification", "verification", judged)
    return Sealed(statements=(done, *seen, verification))


def seal_rollback(sealer: Sealer, failed: DeploymentRecord, request: SealRollback) -> Sealed:
    """Seal where each touched target goes, and let the rollback rest on that."""
    statement = statements.rollback(
        sealer.about,
        decision=authority(failed),
        deployment_statement=sealer.require(f"{failed.id}/deployment"),
        verification_statement=sealer.require(f"{failed.id}/verification"),
        deployment=failed.id,
        rollback=request.rollback,
        code=request.code,
        detail=request.detail or None,
        targets=[_way_back(sealer, task) for task in deployments.tasks(sealer.s, request.rollback)],
    )
    digest = sealer.seal(f"{failed.id}/rollback", "rollback", statement)
    deployments.set_decision(sealer.s, request.rollback, digest)
    return Sealed(statements=(digest,))


def authority(deployment: DeploymentRecord) -> Digest:
    """The decision, or of a rollback the rollback statement, that a deployment rests on. Raises NotFound (digest_not_found)."""
    if deployment.decision is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"deployment {deployment.id} rests on no decision")
    return deployment.decision


def _deployment(
    sealer: Sealer,
    deployment: DeploymentRecord,
    request: SealDeployment,
    tasks: list[TaskRecord],
    targets: list[DeployedTarget],
) -> statements.Statement:
    return statements.deployment(
        sealer.about,
        authority=authority(deployment),
        deployment=deployment.id,
        number=deployment.number,
        is_rollback=deployment.is_rollback,
        result=_result(request, tasks),
        targets=targets,
        plan=None if deployment.is_rollback else deployment.plan,
        manifests=_manifests(sealer, tasks),
        code=request.code,
        detail=request.detail or None,
    )


def _result(request: SealDeployment, tasks: list[TaskRecord]) -> Literal["succeeded", "failed", "cancelled"]:
    if request.code == Code.CANCELLED:
        return "cancelled"
    done = all(task.state in {TaskState.SUCCEEDED, TaskState.SKIPPED} for task in tasks)
    return "succeeded" if request.ok and done else "failed"


def _manifests(sealer: Sealer, tasks: list[TaskRecord]) -> list[ReleaseManifest]:
    """Of the releases that targets were given, beside the promoted one."""
    others = dict.fromkeys(t.release_digest for t in tasks if t.release_digest != sealer.release.digest)
    return [lookup.release(sealer.s, sealer.promotion.project, digest).manifest for digest in others]


def _observation(
    sealer: Sealer, deployment: DeploymentRecord, done: Digest, target: DeployedTarget, observed: Observed
) -> Digest:
    statement = statements.observation(
        sealer.about,
        deployment_statement=done,
        deployment=deployment.id,
        is_rollback=deployment.is_rollback,
        target=target,
        manifest=lookup.release(sealer.s, deployment.project, target.release_digest).manifest,
        observed=_seen(sealer, observed),
        ok=observed.ok,
        code=observed.code,
    )
    return sealer.seal(f"{deployment.id}/observation/{target.name}", "observation", statement)


def _seen(sealer: Sealer, observed: Observed) -> TargetObservation:
    found = observations.by_digest(sealer.s, sealer.promotion.project, observed.observation)
    if found is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"there is no observation {observed.observation}")
    return TargetObservation.model_validate(found.content)


def _deployed(sealer: Sealer, deployment: DeploymentRecord, task: TaskRecord) -> DeployedTarget:
    return DeployedTarget(
        name=task.target,
        release=task.release,
        release_digest=task.release_digest,
        touched=task.touched,
        attempt=task.attempt,
        state=task.state,
        code=task.code,
        retire=task.retire,
        hand_over=(task.retire and plans.hands_over(sealer.s, deployment, task.target)) or None,
        components=_placed(sealer, task),
        sent=_sent(sealer, task),
    )


def _sent(sealer: Sealer, task: TaskRecord) -> tuple[SentArtifact, ...] | None:
    sent = last_sent(sealer.s, task.deployment, task.target) if task.touched and not task.retire else ()
    return tuple(SentArtifact(name=file.name, digest=file.digest) for file in sent) or None


def _way_back(sealer: Sealer, task: TaskRecord) -> RollbackTarget:
    return RollbackTarget(
        name=task.target,
        release=task.release,
        release_digest=task.release_digest,
        retire=task.retire,
        components=_placed(sealer, task),
    )


def _placed(sealer: Sealer, task: TaskRecord) -> tuple[PlacedComponent, ...]:
    if task.retire:
        return ()
    target = next(t for t in lookup.plan(sealer.s, task.plan).targets if t.name == task.target)
    return tuple(PlacedComponent(name=c.name, digest=c.digest, config=c.config) for c in target.components)
