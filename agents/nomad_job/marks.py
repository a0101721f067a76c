"""How our job is named, and what its meta says (interface.md 7)."""

import json
from collections.abc import Mapping
from typing import Any

from agents.secrets import references
from fairlead.contracts.canonical import canonical, digest_bytes
from fairlead.contracts.target import ComponentSpec, TargetAddress, TargetSpec
from fairlead.domain.fence import Claim

PROJECT = "fairlead.project"
ENVIRONMENT = "fairlead.environment"
TARGET = "fairlead.target"
RELEASE = "fairlead.release"
FENCE = "fairlead.fence"
DEPLOYMENT = "fairlead.deployment"
DECISION = "fairlead.decision"
COMPONENTS = "fairlead.components"
"""Each component's digest, configuration, task and references to secrets, as JSON: whoever looks later has no plan at hand."""

HOOK = "fairlead.hook"
"""Which hook a job is."""

VERIFIED = "fairlead-"
"""What the version tag of a version that was seen healthy begins with; the claim follows."""

_SHORT = 12

Address = TargetAddress | TargetSpec
Json = dict[str, Any]


def job_id(address: Address) -> str:
    """The job that is this target: the one named in its options, else `<project>-<environment>-<target>`."""
    return str(address.options.get("job") or f"{address.project}-{address.environment}-{address.target}")


def hook_job_id(address: Address, number: int, hook: str) -> str:
    """The job that a hook is in a deployment: short, and of what may stand in the path of a variable. Its name tells more."""
    return f"{job_id(address)}-hook-{number}-{digest_bytes(hook.encode())[-_SHORT:]}"


def variable(address: Address) -> str:
    """The path of the variable that holds the target's fence and sticker."""
    return f"fairlead/{address.project}/{address.environment}/{address.target}"


def of_target(address: Address) -> dict[str, str]:
    """What tells our job from another that has its name."""
    return {PROJECT: address.project, ENVIRONMENT: address.environment, TARGET: address.target}


def of_job(spec: TargetSpec, claim: Claim, tasks: Mapping[str, str]) -> dict[str, str]:
    """What the job says of itself for as long as this version lives. `tasks`: component to task."""
    components = {c.name: _said(c, tasks[c.name]) for c in spec.components}
    return {
        **of_target(spec),
        RELEASE: spec.release,
        FENCE: str(claim),
        DEPLOYMENT: spec.deployment,
        DECISION: spec.decision,
        COMPONENTS: canonical(components).decode(),
    }


def _said(component: ComponentSpec, task: str) -> Json:
    said = {"task": task, "digest": component.digest, "config": component.config_digest}
    return {**said, "secrets": references(component)} if component.config.secrets else said


def owns(address: Address, job: Mapping[str, Any]) -> bool:
    """Whether a job is ours and of this target."""
    return of_target(address).items() <= (job.get("Meta") or {}).items()


def claim_in(job: Mapping[str, Any]) -> Claim | None:
    """The claim under which a version was registered; None where that cannot be told."""
    try:
        return Claim.parse((job.get("Meta") or {}).get(FENCE, ""))
    except ValueError:
        return None


def components_in(job: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a version says that it runs; nothing where somebody has spoilt it."""
    try:
        found = json.loads((job.get("Meta") or {}).get(COMPONENTS) or "{}")
        return {name: {**said} for name, said in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def verified_by(version: Mapping[str, Any]) -> Claim | None:
    """The claim under which a version was seen healthy, by its tag."""
    name = (version.get("VersionTag") or {}).get("Name") or ""
    try:
        return Claim.parse(name.removeprefix(VERIFIED)) if name.startswith(VERIFIED) else None
    except ValueError:
        return None
