"""The batch job that a hook is: a pure function of the job around which it runs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.nomad_job import delivery, marks
from agents.nomad_job.document import SECOND
from agents.nomad_job.marks import Json
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.hooks import POST, PRE, Hook, hooks_of

GROUP: Final = "hook"
_OF_JOB: Final = (
    "Affinities", "Constraints", "ConsulNamespace", "Datacenters", "Namespace", "NodePool", "Priority", "Region", "VaultNamespace",
)  # fmt: skip
_OF_GROUP: Final = ("Affinities", "Constraints", "Consul", "EphemeralDisk", "Meta", "Volumes")
_NOT_OF_TASK: Final = (
    "Actions", "DispatchPayload", "Kind", "Leader", "Lifecycle", "RestartPolicy", "ScalingPolicies", "Schedule", "Services", "ShutdownDelay",
)  # fmt: skip
_PORTS: Final = ("DynamicPorts", "ReservedPorts")
_NEVER_AGAIN: Final = {
    "RestartPolicy": {"Attempts": 0, "Interval": 60 * SECOND, "Delay": SECOND, "Mode": "fail"},
    "ReschedulePolicy": {"Attempts": 0, "Unlimited": False},
    "PreventRescheduleOnLost": True,
}


def all_of(spec: TargetSpec) -> Iterator[tuple[ComponentSpec, Hook]]:
    """Every hook of a deployment, in the order in which they are run."""
    for when in (PRE, POST):
        for component in spec.components:
            yield from ((component, hook) for hook in hooks_of(component.name, component.config.run, when))


def images_of(spec: TargetSpec) -> Iterator[tuple[str, str]]:
    """(repository, digest) of what hooks need beside the components' own images."""
    yield from (hook.image.split("@") for _, hook in all_of(spec) if hook.image)  # type: ignore[misc]


def render(around: Json, spec: TargetSpec, component: ComponentSpec, hook: Hook, claim: Claim) -> Json:
    """The component's task alone, with another command. `around`: the job that the deployment asks for."""
    id = marks.hook_job_id(spec, claim.number, hook.id)
    name = marks.components_in(around)[component.name]["task"]
    found = [(group, task) for group in around["TaskGroups"] for task in group.get("Tasks") or []]
    group, task = next(pair for pair in found if pair[1]["Name"] == name)
    meta = {key: value for key, value in around["Meta"].items() if key != marks.COMPONENTS}
    return {
        **_kept(around, _OF_JOB),
        "ID": id,
        "Name": f"{marks.job_id(spec)}-hook-{claim.number}.{hook.id}",
        "Type": "batch",
        "Meta": {**meta, marks.HOOK: hook.id},
        "TaskGroups": [_group(group, _task(task, component, hook, delivery.path_of(id)))],
    }


def _group(said: Json, task: Json) -> Json:
    networks = [{key: value for key, value in one.items() if key not in _PORTS} for one in said.get("Networks") or []]
    return {
        **_kept(said, _OF_GROUP),
        **_NEVER_AGAIN,
        "Name": GROUP,
        "Count": 1,
        "Networks": [one for one in networks if any(one.values())] or None,
        "Tasks": [task],
    }


def _task(said: Json, component: ComponentSpec, hook: Hook, secrets: str) -> Json:
    config = {key: value for key, value in (said.get("Config") or {}).items() if key not in {"ports", "port_map"}}
    config |= {"command": hook.command[0], "args": list(hook.command[1:])}
    templates = [one for one in said.get("Templates") or [] if one.get("DestPath") != delivery.FILE]
    return {
        **{key: value for key, value in said.items() if key not in _NOT_OF_TASK},
        "Config": {**config, "image": hook.image} if hook.image else config,
        "Templates": [*templates, *delivery.template(secrets, component)] or None,
    }


def _kept(said: Mapping[str, Any], fields: tuple[str, ...]) -> Json:
    return {key: said[key] for key in fields if said.get(key) is not None}
