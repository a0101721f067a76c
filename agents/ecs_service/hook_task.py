"""The task that a hook is: pure functions of specification, claim and service; and what the tag beside the claim says of how far they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.ecs_service import document, marks
from agents.ecs_service.access import Place
from agents.ecs_service.marks import Json
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.ecs_service import CONTAINER, SECTION
from fairlead.domain.target_kinds.hooks import POST, PRE, Hook, hooks_of

_NOT_OF_HOOKS: Final = (
    "dependsOn", "essential", "firelensConfiguration", "healthCheck", "links", "startTimeout", "volumesFrom",
)  # fmt: skip
"""Of a container: it is alone in its task, and nobody asks whether it is healthy."""
_AS_SERVICE: Final = (
    "capacityProviderStrategy", "enableECSManagedTags", "launchType", "networkConfiguration", "placementConstraints",
    "placementStrategy", "platformVersion",
)  # fmt: skip
_EITHER: Final = ("capacityProviderStrategy", "launchType")
_TOKEN: Final = 36


@dataclass(frozen=True, slots=True)
class Mark:
    """The hook that was begun last, by its place among all of the deployment: of which revision, when. Of one that ended well only that."""

    place: int
    revision: str = ""
    begun: int = 0

    @property
    def done(self) -> int:
        """How many have ended well."""
        return self.place if self.revision else self.place + 1

    def __str__(self) -> str:
        """As a tag says it."""
        return f"{self.place} {self.revision} {self.begun}" if self.revision else f"{self.place}"

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """What stands in a tag. Raises ValueError."""
        place, revision, begun = (*text.split(), "", "0")[:3]
        return cls(int(place), revision, int(begun))


def all_of(spec: TargetSpec) -> list[tuple[ComponentSpec, Hook]]:
    """Every hook of a deployment, in the order in which they are run."""
    return [(c, hook) for when in (PRE, POST) for c in spec.components for hook in hooks_of(c.name, c.config.run, when)]


def images_of(spec: TargetSpec) -> Iterator[ComponentSpec]:
    """What hooks need beside the components' own images."""
    yield from (as_component(component, hook) for component, hook in all_of(spec) if hook.image)


def as_component(component: ComponentSpec, hook: Hook) -> ComponentSpec:
    """A hook as something to be run: in the component's environment, from its image or a given one."""
    config, said = component.config, document.section(component)
    container = {key: value for key, value in said.get("container", {}).items() if key not in _NOT_OF_HOOKS}
    run = {**(config.run or {}), SECTION: {CONTAINER: container}}
    repository, _, digest = hook.image.partition("@")
    alone = {"command": hook.command, "ports": (), "health": None, "depends_on": (), "run": run}
    config = config.model_copy(update={**alone, "repository": repository or config.repository})
    own = {"digest": digest, "platforms": {}} if hook.image else {}
    return component.model_copy(update={"config": config, **own})


def definition(
    spec: TargetSpec, component: ComponentSpec, hook: Hook, claim: Claim, place: Place, arns: document.Arns
) -> Json:
    """What RegisterTaskDefinition takes: the component's container alone, without what only a service needs."""
    alone = spec.model_copy(update={"components": (as_component(component, hook),)})
    said = document.definition(alone, claim, place, arns)
    said.pop("proxyConfiguration", None)
    container = said["containerDefinitions"][0]
    container["dockerLabels"] = {**container["dockerLabels"], marks.HOOK: hook.id}
    return {**said, "family": marks.hook_family(spec), "containerDefinitions": [container]}


def order(spec: TargetSpec, hook: Hook, claim: Claim, service: Mapping[str, Any], revision: str) -> Json:
    """What RunTask takes: where and as what the service's own tasks run. What an attempt asks for the next asks for again, with one token."""
    given = document.service(spec)
    said = {key: given.get(key) or service.get(key) for key in _AS_SERVICE}
    if any(given.get(key) for key in _EITHER):
        said |= {key: given.get(key) for key in _EITHER}
    return {
        **{key: value for key, value in said.items() if value},
        "taskDefinition": revision,
        "startedBy": token(spec, hook, claim),
        "propagateTags": "TASK_DEFINITION",
        "tags": marks.as_tags({marks.HOOK: hook.id}),
    }


def token(spec: TargetSpec, hook: Hook, claim: Claim) -> str:
    """Names the task of a hook in a deployment, whichever attempt asks for it."""
    return f"fairlead-{digest_of([marks.of_target(spec), claim.number, hook.id])[-_TOKEN:]}"
