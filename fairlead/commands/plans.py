"""Plans: what a deployment will execute, what one target is told of it, and what a preview shows beside it."""

from typing import Any

from sqlmodel import Session

from fairlead.contracts.base import Frozen
from fairlead.contracts.canonical import Digest
from fairlead.contracts.records import DeploymentRecord, ReleaseRecord, TaskRecord
from fairlead.contracts.release import Plan
from fairlead.contracts.target import TargetAddress, TargetSpec
from fairlead.domain.catalogue import Catalogue


class PreviewComponent(Frozen):
    """`action`: create | change | keep. The old ones are those last verified on this target, None where there were none."""

    name: str
    action: str
    old_digest: Digest | None
    new_digest: Digest
    old_config: Digest | None
    new_config: Digest


class PreviewTarget(Frozen):
    """`removed`: components that run there now and that the plan does not have."""

    name: str
    wave: int
    release: str | None
    components: tuple[PreviewComponent, ...]
    removed: tuple[str, ...] = ()


class Preview(Frozen):
    """A plan, its digest, and what it would change of what was last verified."""

    plan: Plan
    digest: Digest
    targets: tuple[PreviewTarget, ...]


def make_plan(s: Session, catalogue: Catalogue, environment: str, release: ReleaseRecord) -> Plan:
    """Render every component for every target and keep the results as artifacts; the plan itself is the caller's to keep.

    Raises NotFound (environment_not_found).
    """
    raise NotImplementedError


def preview(s: Session, catalogue: Catalogue, environment: str, release: ReleaseRecord) -> Preview:
    """The plan beside what was last verified on each target."""
    raise NotImplementedError


def target_spec(s: Session, deployment: DeploymentRecord, task: TaskRecord) -> TargetSpec:
    """What the executor of one target is told: the task's plan entry with the rendered configurations."""
    raise NotImplementedError


def address(spec: TargetSpec) -> TargetAddress:
    """Where the target of a specification is."""
    raise NotImplementedError


def addresses(catalogue: Catalogue, environment: str) -> tuple[TargetAddress, ...]:
    """Where an environment's targets are, by the catalogue of now. Raises NotFound (environment_not_found)."""
    raise NotImplementedError


def rendered(s: Session, digest: Digest) -> dict[str, Any]:
    """A rendered configuration by its digest. Raises NotFound (digest_not_found)."""
    raise NotImplementedError
