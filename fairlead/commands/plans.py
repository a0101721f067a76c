"""Plans: what a deployment will execute, and what one target is told of it."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlmodel import Session

from fairlead.commands.configuration import Layering, resolved
from fairlead.commands.inventory import EVERYTHING, Scope
from fairlead.commands.promotions import require_environment
from fairlead.contracts.canonical import Digest
from fairlead.contracts.forecasts import ForecastTarget
from fairlead.contracts.messages import INTENT_RECONVERGE, INTENT_RETIRE
from fairlead.contracts.records import DeploymentRecord, PromotionRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.release import Plan, PlannedComponent, PlannedTarget, PlanStrategy, RenderedConfig, SecretUse
from fairlead.contracts.target import ComponentSpec, TargetAddress, TargetSpec
from fairlead.domain.catalogue import Catalogue, Component, Environment, Strategy, Target
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import read_template
from fairlead.domain.errors import BadInput, Conflict, NotFound, Unavailable
from fairlead.domain.render import render
from fairlead.domain.target_kinds import objections
from fairlead.domain.waves import start_order, waves
from fairlead.ports import Secrets
from fairlead.store import documents, promotions, releases
from fairlead.store.rows import read_canonical

Versions = Mapping[str, str]
"""Secret reference to the version it has."""
NO_VERSIONS: Versions = MappingProxyType({})
PLANS_KEPT = 32


def make_plan(
    s: Session,
    catalogue: Catalogue,
    environment: str,
    release: ReleaseRecord,
    versions: Versions = NO_VERSIONS,
    promotion: PromotionRecord | None = None,
    scope: Scope = EVERYTHING,
) -> Plan:
    """Render every component for every target that takes part and keep the results as artifacts; the plan itself is the caller's to keep.

    `versions`: of all secrets that are needed (secret_versions); `promotion`: whose request may have brought a layer.
    Raises NotFound (environment_not_found), BadInput (bad_value) where the layers contradict the rules.
    """
    place = require_environment(catalogue, environment)
    layering = Layering(s, catalogue, release, promotion)
    components = {name: c for name, c in frozen_components(s, release).items() if name not in scope.without}
    names = [name for name in place.targets if name not in scope.skipped]
    order = start_order({name: component.depends_on for name, component in components.items()})
    targets = [
        _planned(s, release, [components[c] for c in order], place, catalogue.targets[name], wave, versions, layering)
        for wave, together in enumerate(waves(names, place.strategy))
        for name in together
    ]
    return Plan(
        project=catalogue.project,
        environment=environment,
        release=release.digest,
        strategy=plan_strategy(place.strategy),
        on_failure=place.on_failure,
        targets=tuple(targets),
    )


def plan_strategy(strategy: Strategy) -> PlanStrategy:
    """How to go through targets, as a plan says it."""
    return PlanStrategy(
        type=strategy.type.value,
        batch=strategy.batch,
        min_healthy_time=strategy.min_healthy_time,
        healthy_deadline=strategy.healthy_deadline,
    )


def secret_references(
    s: Session,
    catalogue: Catalogue,
    environment: str,
    release: ReleaseRecord,
    promotion: PromotionRecord | None = None,
) -> frozenset[str]:
    """The secrets that a plan needs, to be asked for outside of the transaction. Raises NotFound (environment_not_found)."""
    place = require_environment(catalogue, environment)
    components, layering = frozen_components(s, release).values(), Layering(s, catalogue, release, promotion)
    targets = [catalogue.targets[name] for name in place.targets]
    layers = [[layer for _, layer in layering.of(place, target)] for target in targets]
    rendered = (resolved(component, below) for below in layers for component in components)
    return frozenset(reference for component in rendered for reference in component.secrets.values())


def secret_versions(secrets: Secrets, references: Collection[str]) -> dict[str, str]:
    """The version that each has now.

    Raises NotFound (secret_not_found), NotAllowed (secret_denied) or Unavailable (secrets_unavailable).
    """
    return {reference: secrets.version(reference) for reference in sorted(references)}


def target_spec(s: Session, deployment: DeploymentRecord, task: TaskRecord) -> TargetSpec:
    """What the executor of one target is told: the task's plan entry with the rendered configurations."""
    plan = read_plan(s, task.plan)
    release = releases.by_digest(s, deployment.project, task.release_digest)
    if release is None or deployment.decision is None:
        raise Conflict(Code.HISTORY_CONFLICT, f"deployment {deployment.id} has no release or no decision")
    components = tuple(_specified(s, release, planned) for planned in entry_of(plan, task.target).components)
    return TargetSpec(
        project=deployment.project,
        environment=deployment.environment,
        target=task.target,
        type=task.type,
        endpoint=components[0].config.endpoint,
        release=task.release,
        deployment=deployment.id,
        decision=deployment.decision,
        is_rollback=deployment.is_rollback or _puts_right(s, deployment),
        healthy_deadline=plan.strategy.healthy_deadline,
        components=components,
    )


def foreseen_spec(s: Session, asked: ForecastTarget) -> TargetSpec:
    """What the executor would be told if somebody asked for it: nobody has decided, so the plan stands where deployment and decision will."""
    release = releases.by_digest(s, asked.project, asked.release)
    if release is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"nothing is kept under {asked.release}")
    components = tuple(_specified(s, release, planned) for planned in asked.target.components)
    return TargetSpec(
        project=asked.project,
        environment=asked.environment,
        target=asked.target.name,
        type=asked.target.type,
        endpoint=components[0].config.endpoint,
        release=release.version,
        deployment=asked.plan,
        decision=asked.plan,
        healthy_deadline=asked.healthy_deadline,
        components=components,
    )


def _puts_right(s: Session, deployment: DeploymentRecord) -> bool:
    """Whether it brings nothing but what was verified here: then, as in a rollback, what is right already stays untouched."""
    promotion = promotions.get(s, deployment.promotion)
    return promotion is not None and promotion.intent in {INTENT_RECONVERGE, INTENT_RETIRE}


def address(spec: TargetSpec) -> TargetAddress:
    """Where the target of a specification is."""
    return TargetAddress(
        project=spec.project,
        environment=spec.environment,
        target=spec.target,
        type=spec.type,
        endpoint=spec.endpoint,
        options=spec.options,
    )


def addresses(catalogue: Catalogue, environment: str) -> tuple[TargetAddress, ...]:
    """Where an environment's targets are, by the catalogue of now. Raises NotFound (environment_not_found)."""
    place = require_environment(catalogue, environment)
    return tuple(
        TargetAddress(
            project=catalogue.project,
            environment=environment,
            target=name,
            type=catalogue.targets[name].type.value,
            endpoint=catalogue.targets[name].endpoint,
            options=dict(catalogue.targets[name].options),
        )
        for name in place.targets
    )


def read_plan(s: Session, digest: Digest) -> Plan:
    """A kept plan. Raises NotFound (digest_not_found)."""
    return _parsed(_found(documents.plan_content(s, digest), digest))


@lru_cache(maxsize=PLANS_KEPT)
def _parsed(content: bytes) -> Plan:
    """Kept by its bytes, which never change: every step of every target reads the whole plan."""
    return Plan.model_validate(read_canonical(content))


def rendered(s: Session, digest: Digest) -> RenderedConfig:
    """A rendered configuration by its digest. Raises NotFound (digest_not_found)."""
    return RenderedConfig.model_validate(_found(documents.artifact(s, digest), digest))


def frozen_components(s: Session, release: ReleaseRecord) -> dict[str, Component]:
    """The release's components as their templates were when it was created, whatever the catalogue says now."""
    manifest = release.manifest
    return {
        name: read_template(name, pinned.repository, _found(documents.artifact(s, digest), digest))
        for name, pinned in manifest.components.items()
        for digest in (manifest.templates[name],)
    }


def _planned(
    s: Session,
    release: ReleaseRecord,
    components: Sequence[Component],
    environment: Environment,
    target: Target,
    wave: int,
    versions: Versions,
    layering: Layering,
) -> PlannedTarget:
    layers = [layer for _, layer in layering.of(environment, target)]
    settled = [resolved(c, layers) for c in components]
    for component in settled:
        _refuse(component, target)
    configs = [_rendered(render(component, target, ()), versions) for component in settled]
    kept = documents.put_all_artifacts(s, release.project, configs)
    planned = [
        PlannedComponent(
            name=component.name,
            digest=release.manifest.components[component.name].digest,
            template=release.manifest.templates[component.name],
            config=config,
        )
        for component, config in zip(components, kept, strict=True)
    ]
    return PlannedTarget(name=target.name, type=target.type.value, wave=wave, components=tuple(planned))


def _refuse(component: Component, target: Target) -> None:
    """What the last layers have made of it, too, must be such that the target takes it. Raises BadInput."""
    for code, words in objections(target.type, component.sections, target.options):
        raise BadInput(code, f"{component.name} on {target.name}: {words}")


def _rendered(draft: dict[str, Any], versions: Versions) -> RenderedConfig:
    missing = [reference for reference in (draft["secrets"] or {}).values() if reference not in versions]
    if missing:
        raise Unavailable(Code.SECRETS_UNAVAILABLE, f"{missing[0]} has come into the catalogue only just now")
    uses = {
        name: SecretUse(reference=reference, version=versions[reference])
        for name, reference in (draft["secrets"] or {}).items()
    }
    return RenderedConfig(**{**draft, "secrets": uses or None})


def _specified(s: Session, release: ReleaseRecord, planned: PlannedComponent) -> ComponentSpec:
    config = rendered(s, planned.config)
    return ComponentSpec(
        name=planned.name,
        digest=planned.digest,
        platforms=release.manifest.components[planned.name].platforms or {},
        config_digest=planned.config,
        config=config,
        files={path: _found(documents.file(s, digest), digest) for path, digest in (config.files or {}).items()},
    )


def hands_over(s: Session, deployment: DeploymentRecord, target: str) -> bool:
    """Whether a deployment leaves what runs on a target to somebody else."""
    return not deployment.is_rollback and entry_of(read_plan(s, deployment.plan), target).hand_over is True


def entry_of(plan: Plan, target: str) -> PlannedTarget:
    """What a plan says of one target. Raises NotFound (target_not_found)."""
    for planned in plan.targets:
        if planned.name == target:
            return planned
    raise NotFound(Code.TARGET_NOT_FOUND, f"the plan has no target {target}")


def _found(document: Any | None, digest: Digest) -> Any:
    if document is None:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"nothing is kept under {digest}")
    return document
