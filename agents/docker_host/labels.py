"""How our things on an engine are named and labelled (interface.md 7)."""

import json
from collections.abc import Mapping

from fairlead.contracts.canonical import canonical
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentSpec, TargetAddress, TargetSpec
from fairlead.domain.fence import Claim

PROJECT = "fairlead.project"
ENVIRONMENT = "fairlead.environment"
TARGET = "fairlead.target"
COMPONENT = "fairlead.component"
RELEASE = "fairlead.release"
DIGEST = "fairlead.digest"
CONFIG = "fairlead.config"
FENCE = "fairlead.fence"
DEPLOYMENT = "fairlead.deployment"
DECISION = "fairlead.decision"
HEALTH = "fairlead.health"
"""The health check as JSON: whoever looks later, with no plan at hand, probes in the same way."""
REPLICA = "fairlead.replica"
"""Which of several it is, as `2/3`."""
ROLE = "fairlead.role"
"""What it is there for, where it is no service."""
UNRUN = "fairlead.unrun"
"""Why something that runs once was not run."""
ONCE = "fairlead.once"
"""What has been run, on the mark that says so."""
IMAGES = "fairlead.images"
"""Which images a release brought, as JSON."""
KIND = "fairlead.kind"
"""What a thing of ours is that is no component: a claim, a sticker, a mark, data."""
DATA, HOOK, HANDED_OVER = "data", "hook", "handed-over"
STICKER = "fairlead.sticker"

_PARKED = ".old-"

Address = TargetAddress | TargetSpec


def of_target(address: Address) -> dict[str, str]:
    """What everything of ours on a target carries."""
    return {PROJECT: address.project, ENVIRONMENT: address.environment, TARGET: address.target}


def of_container(spec: TargetSpec, component: ComponentSpec, claim: Claim) -> dict[str, str]:
    """What a container carries for as long as it lives."""
    health = {HEALTH: canonical(component.config.health).decode()} if component.config.health else {}
    return {
        **of_release(spec, claim),
        COMPONENT: component.name,
        DIGEST: component.digest,
        CONFIG: component.config_digest,
        **health,
    }


def of_data(address: Address) -> dict[str, str]:
    """What networks and volumes of a target carry that components asked for."""
    return {**of_target(address), KIND: DATA}


def of_release(spec: TargetSpec, claim: Claim) -> dict[str, str]:
    """What every container of one task carries."""
    return {
        **of_target(spec),
        RELEASE: spec.release,
        FENCE: str(claim),
        DEPLOYMENT: spec.deployment,
        DECISION: spec.decision,
    }


def container_name(address: Address, component: str, replica: int = 1) -> str:
    """`<project>-<environment>-<target>-<component>`, and `.2` for the second of several."""
    return f"{stem(address)}-{component}" + (f".{replica}" if replica > 1 else "")


def stem(address: Address) -> str:
    """What the names of all our things on a target begin with."""
    return f"{address.project}-{address.environment}-{address.target}"


def parked_name(name: str, claim: Claim) -> str:
    """The name under which an old container waits until its successor is healthy."""
    return f"{name}{_PARKED}{claim}"


def is_parked(name: str) -> bool:
    """Whether a container with this name waits so."""
    return _PARKED in name


def own_name(name: str) -> str:
    """The name that a parked container had before."""
    return name.partition(_PARKED)[0]


def claim_in(labels: Mapping[str, str]) -> Claim | None:
    """The claim under which something was made; None where the label is missing or says nothing."""
    try:
        return Claim.parse(labels.get(FENCE, ""))
    except ValueError:
        return None


def health_in(labels: Mapping[str, str]) -> RenderedHealth | None:
    """The health check that a container was started with."""
    text = labels.get(HEALTH)
    return RenderedHealth.model_validate(json.loads(text)) if text else None
