"""Builders for what was done, seen, judged and rolled back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.names import rollback_of
from fairlead.contracts.release import ReleaseManifest
from fairlead.contracts.target import TargetObservation
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence import predicates as p
from fairlead.evidence.about import About, about_releases, given
from fairlead.evidence.statement import Statement


def deployment(
    about: About,
    *,
    authority: Digest,
    deployment: str,
    number: int,
    is_rollback: bool,
    result: Literal["succeeded", "failed", "cancelled"],
    targets: Sequence[p.DeployedTarget],
    plan: Digest | None = None,
    manifests: Sequence[ReleaseManifest] = (),
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """What a deployment did. `authority`: the decision statement or, for a rollback, the rollback statement.

    `plan` for a deployment that is no rollback. `manifests`: of the releases that targets went back to, beside the promoted one.
    """
    known = {digest_of(manifest): manifest for manifest in (about.manifest, *manifests)}
    if unknown := {target.release_digest for target in targets} - set(known):
        raise BadInput(Code.RELEASE_NOT_FOUND, f"no manifest was given for {', '.join(sorted(unknown))}")
    predicate = p.DeploymentPredicate(
        **about.common(authority, *given(plan)),
        deployment=deployment,
        number=number,
        is_rollback=is_rollback,
        result=result,
        plan=plan,
        targets=tuple(targets),
        code=code,
        detail=detail or None,
    )
    gone_to = [known[target.release_digest] for target in targets] if is_rollback else [about.manifest]
    return about_releases(gone_to, predicate)


def observation(
    about: About,
    *,
    deployment_statement: Digest,
    deployment: str,
    is_rollback: bool,
    target: p.DeployedTarget,
    manifest: ReleaseManifest,
    observed: TargetObservation,
    ok: bool,
    code: str | None = None,
) -> Statement:
    """What one target showed. `target`: its entry in the deployment statement; `manifest`: of the release named there."""
    predicate = p.ObservationPredicate(
        **about.common(deployment_statement),
        deployment=deployment,
        is_rollback=is_rollback,
        target=target.name,
        release=target.release,
        release_digest=target.release_digest,
        retire=target.retire,
        hand_over=target.hand_over,
        ok=ok,
        reachable=observed.reachable,
        components=_seen(observed),
        code=code,
        detail=observed.detail,
    )
    return about_releases([manifest], predicate)


def verification(
    about: About,
    *,
    deployment_statement: Digest,
    observations: Sequence[Digest],
    deployment: str,
    is_rollback: bool,
    result: Literal["passed", "failed"],
    code: str | None = None,
    detail: str | None = None,
) -> Statement:
    """The judgement over a deployment. `observations`: the observation statements, in ledger order."""
    predicate = p.VerificationPredicate(
        **about.common(deployment_statement, *observations),
        deployment=deployment,
        is_rollback=is_rollback,
        result=result,
        code=code,
        detail=detail or None,
    )
    return about_releases([about.manifest], predicate)


def rollback(
    about: About,
    *,
    decision: Digest,
    deployment_statement: Digest,
    verification_statement: Digest,
    deployment: str,
    code: str,
    targets: Sequence[p.RollbackTarget],
    rollback: str | None = None,
    detail: str | None = None,
) -> Statement:
    """Where each touched target of a failed deployment goes back to; sealed before the first change."""
    predicate = p.RollbackPredicate(
        **about.common(decision, deployment_statement, verification_statement),
        deployment=deployment,
        rollback=rollback or rollback_of(deployment),
        code=code,
        detail=detail or None,
        targets=tuple(targets),
    )
    return about_releases([about.manifest], predicate)


def drift(
    *,
    manifest: ReleaseManifest,
    environment: str,
    deployment_statement: Digest,
    observed: TargetObservation,
    code: str,
    time: datetime,
    detail: str | None = None,
    observation: Digest | None = None,
    differences: Sequence[p.DriftedComponent] = (),
) -> Statement:
    """A target shows something else than the last successful deployment left there."""
    predicate = p.DriftPredicate(
        project=manifest.project,
        time=time,
        inputs=(deployment_statement,),
        environment=environment,
        target=observed.target,
        release=manifest.version,
        release_digest=digest_of(manifest),
        components=_seen(observed),
        code=code,
        detail=detail,
        observation=observation,
        differences=tuple(differences),
    )
    return about_releases([manifest], predicate)


def _seen(observed: TargetObservation) -> tuple[p.SeenComponent, ...]:
    return tuple(p.SeenComponent.model_validate(component.model_dump()) for component in observed.components)
