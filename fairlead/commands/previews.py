"""Previews: plans beside what runs, and what is left alone."""

from sqlmodel import Session

from fairlead.commands.inventory import EVERYTHING, Scope, TargetStatus
from fairlead.commands.plans import NO_VERSIONS, Versions, entry_of, make_plan, read_plan
from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.records import PromotionRecord, ReleaseRecord
from fairlead.contracts.release import Plan, PlannedComponent, PlannedTarget
from fairlead.domain.catalogue import Catalogue
from fairlead.store import deployments


class PreviewComponent(Frozen):
    """`action`: create | change | keep. The old ones are those last verified on this target, None where there were none."""

    name: str
    action: str
    old_digest: Digest | None
    new_digest: Digest
    old_config: Digest | None
    new_config: Digest


class PreviewTarget(Frozen):
    """`removed`: components that run there now and that the plan does not have. `retire`: nothing of ours will run there.

    `hand_over`: it goes on running, as somebody else's.
    """

    name: str
    wave: int
    release: str | None
    components: tuple[PreviewComponent, ...]
    removed: tuple[str, ...] = ()
    retire: bool = False
    hand_over: bool = False


class Preview(Frozen):
    """A plan, its digest, and what it would change of what was last verified.

    `skipped`: targets that do not serve, which stay as they are; `without`: components of the release that are retired there.
    """

    plan: Plan
    digest: Digest
    targets: tuple[PreviewTarget, ...]
    skipped: tuple[TargetStatus, ...] = ()
    without: tuple[str, ...] = ()


def preview(
    s: Session,
    catalogue: Catalogue,
    environment: str,
    release: ReleaseRecord,
    versions: Versions = NO_VERSIONS,
    promotion: PromotionRecord | None = None,
    scope: Scope = EVERYTHING,
) -> Preview:
    """The plan beside what was last verified on each target."""
    return compared(s, make_plan(s, catalogue, environment, release, versions, promotion, scope), scope)


def compared(s: Session, plan: Plan, scope: Scope = EVERYTHING) -> Preview:
    """A plan beside what was last verified on each of its targets."""
    return Preview(
        plan=plan,
        digest=digest_of(plan),
        targets=tuple(_compared(s, plan, target) for target in plan.targets),
        skipped=tuple(scope.skipped.values()),
        without=tuple(sorted(scope.without)),
    )


def _compared(s: Session, plan: Plan, target: PlannedTarget) -> PreviewTarget:
    task = deployments.last_verified_task(s, plan.project, plan.environment, target.name)
    running = entry_of(read_plan(s, task.plan), target.name).components if task else ()
    old = {component.name: component for component in running}
    return PreviewTarget(
        name=target.name,
        wave=target.wave,
        release=task.release if task else None,
        components=tuple(_difference(old.get(new.name), new) for new in target.components),
        removed=tuple(sorted(set(old) - {new.name for new in target.components})),
        retire=target.retire is True,
        hand_over=target.hand_over is True,
    )


def _difference(old: PlannedComponent | None, new: PlannedComponent) -> PreviewComponent:
    same = old is not None and (old.digest, old.config) == (new.digest, new.config)
    return PreviewComponent(
        name=new.name,
        action="create" if old is None else "keep" if same else "change",
        old_digest=old.digest if old else None,
        new_digest=new.digest,
        old_config=old.config if old else None,
        new_config=new.config,
    )
