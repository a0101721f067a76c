"""How our service is named, and what its tags and the labels of its containers say (interface.md 7).

Labels are part of a task definition, which nobody can edit: they say what runs. Tags of the service are what lies on the target: claims,
which revisions we registered, which of them were seen healthy, and the sticker.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.secrets import references
from fairlead.contracts.canonical import canonical
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentSpec, Sticker, TargetAddress, TargetSpec
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
"""The health check as JSON, where we ask: whoever looks later, with no plan at hand, probes in the same way."""
SECRETS = "fairlead.secrets"
HOOK = "fairlead.hook"
"""Which hook a task is, and its container."""

CLAIM: Final = "fairlead.claim."
"""Begins the key of a claim's tag; the claim follows. Never edited."""
MADE: Final = "fairlead.made."
"""Begins the key of a tag that says which revision a claim registered or took over."""
GOOD: Final = "fairlead.good."
"""The same of a revision that was seen healthy under that claim."""
HOOKS: Final = "fairlead.hooks."
"""The same of how far a claim's hooks are: which was begun last, of which revision and when, or that it has ended well."""
HANDED_OVER: Final = "fairlead.handed-over."
"""Begins the key of the one tag that stays on a service that was handed over; the claim follows, the value says whose it was."""
STICKER: Final = "fairlead.sticker"
"""How many tags hold the sticker: a value has few characters, and not all."""

_OURS: Final = "fairlead."
_PIECE: Final = 240
_NO_TAG: Final = re.compile(r"[^\w\s+\-=.:/@]")

Address = TargetAddress | TargetSpec
Json = dict[str, Any]


def service_name(address: Address) -> str:
    """The service that is this target: the one named in its options, else `<project>-<environment>-<target>`."""
    return str(address.options.get("name") or stem(address))


def cluster_name(address: Address) -> str:
    """Where it is."""
    return str(address.options.get("cluster") or "default")


def stem(address: Address) -> str:
    """Names our task definitions: `<project>-<environment>-<target>`."""
    return f"{address.project}-{address.environment}-{address.target}"


def hook_family(address: Address) -> str:
    """Names the task definitions of our hooks: no target is called like this."""
    return f"{stem(address)}_hooks"


def secret_prefix(address: Address) -> str:
    """What the names of a target's secrets begin with."""
    return f"fairlead/{address.project}/{address.environment}/{address.target}/"


def of_target(address: Address) -> dict[str, str]:
    """What tells our service from another that has its name."""
    return {PROJECT: address.project, ENVIRONMENT: address.environment, TARGET: address.target}


def of_release(spec: TargetSpec, claim: Claim) -> dict[str, str]:
    """What everything that one claim registers says of itself."""
    return {
        **of_target(spec),
        RELEASE: spec.release,
        FENCE: str(claim),
        DEPLOYMENT: spec.deployment,
        DECISION: spec.decision,
    }


def of_container(spec: TargetSpec, component: ComponentSpec, claim: Claim, *, probed: bool) -> dict[str, str]:
    """The labels of a component's container."""
    health, secrets = component.config.health, references(component)
    return {
        **of_release(spec, claim),
        COMPONENT: component.name,
        DIGEST: component.digest,
        CONFIG: component.config_digest,
        **({HEALTH: canonical(health).decode()} if health and probed else {}),
        **({SECRETS: canonical(secrets).decode()} if secrets else {}),
    }


def components_in(definition: Mapping[str, Any]) -> dict[str, Json]:
    """The containers of a task definition that are components, by name."""
    containers = definition.get("containerDefinitions") or []
    return {labels(one)[COMPONENT]: one for one in containers if labels(one).get(COMPONENT)}


def labels(container: Mapping[str, Any]) -> Mapping[str, str]:
    """What a container definition says of itself."""
    return container.get("dockerLabels") or {}


def claim_in(definition: Mapping[str, Any]) -> Claim | None:
    """The claim under which a task definition was registered; None where that cannot be told."""
    for container in components_in(definition).values():
        return parse_claim(labels(container).get(FENCE, ""))
    return None


def registered(address: Address, definition: Mapping[str, Any]) -> bool:
    """Whether a task definition is one of this target: somebody else's may have our family, which is joined of names."""
    parts = components_in(definition).values()
    return bool(parts) and all(of_target(address).items() <= labels(one).items() for one in parts)


def health_in(container: Mapping[str, Any]) -> RenderedHealth | None:
    """Where and how we ask whether a container is healthy."""
    text = labels(container).get(HEALTH)
    return RenderedHealth.model_validate(json.loads(text)) if text else None


def parse_claim(text: str) -> Claim | None:
    """A claim; None for anything else."""
    try:
        return Claim.parse(text)
    except ValueError:
        return None


def revision(arn: str) -> str:
    """`family:revision`, of the ARN of a task definition."""
    return arn.rpartition("/")[2]


# tags


def as_tags(said: Mapping[str, str]) -> list[dict[str, str]]:
    """As AWS takes them: of the characters that it allows, not longer than it allows."""
    return [{"key": key, "value": _NO_TAG.sub("_", value)[:256]} for key, value in said.items()]


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a service."""
    return {str(tag.get("key")): str(tag.get("value", "")) for tag in resource.get("tags") or []}


def owns(address: Address, service: Mapping[str, Any]) -> bool:
    """Whether a service is ours and of this target."""
    return of_target(address).items() <= tags_of(service).items()


def whose(address: Address) -> str:
    """A target in one word."""
    return f"{address.project}/{address.environment}/{address.target}"


def all_of_ours(tags: Mapping[str, str]) -> set[str]:
    """The keys of all that we say on a service, but for what stays when it is handed over."""
    return {key for key in tags if key.startswith(_OURS) and not key.startswith(HANDED_OVER)}


def under(prefix: str, tags: Mapping[str, str]) -> Iterator[tuple[Claim, str]]:
    """The tags whose keys are a prefix and a claim."""
    for key, value in tags.items():
        claim = parse_claim(key.removeprefix(prefix)) if key.startswith(prefix) else None
        if claim:
            yield claim, value


def sticker_tags(sticker: Sticker) -> dict[str, str]:
    """A sticker in as many tags as it needs; ten components, which is all that a task holds, need about fifteen."""
    text = base64.urlsafe_b64encode(canonical(sticker)).decode()
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
    return {STICKER: str(len(pieces)), **{f"{STICKER}.{place}": piece for place, piece in enumerate(pieces)}}


def sticker_in(tags: Mapping[str, str]) -> Sticker | None:
    """The sticker, None where there is none or it was spoilt."""
    try:
        pieces = [tags[f"{STICKER}.{place}"] for place in range(int(tags.get(STICKER, "0")))]
        return Sticker.model_validate_json(base64.urlsafe_b64decode("".join(pieces))) if pieces else None
    except (ValueError, KeyError):
        return None


def sticker_keys(tags: Mapping[str, str]) -> set[str]:
    """All keys that belong to a sticker."""
    return {key for key in tags if key == STICKER or key.startswith(f"{STICKER}.")}
