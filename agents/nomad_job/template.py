"""A job from a file of the catalogue, in HCL or JSON: what is ours is put into it, the rest stays as its author wrote it."""

import json
from typing import Any

from agents.nomad_job import delivery, document, marks
from agents.nomad_job.marks import Json
from agents.nomad_job.server import Said, Server
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.domain.files import FIELD


def job_of(server: Server, spec: TargetSpec, claim: Claim) -> Json:
    """The job that a specification asks for. Raises Refused (job_invalid, not_supported_yet)."""
    named = {path: c.files[path] for c in spec.components if (path := document.section(c).get(FIELD))}
    if len(named) > 1:
        raise invalid(f"one target is one job, but its components name {' and '.join(sorted(named))}")
    for path, content in named.items():
        try:
            return filled(_read(server, path, content), spec, claim)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise invalid(f"{path} holds no job as Nomad knows them: {error!r}") from error
    return document.render(spec, claim)


def filled(job: Json, spec: TargetSpec, claim: Claim) -> Json:
    """A job with its name, digests, meta and our way of rolling put in."""
    if job.get("Type") not in {None, "service"}:
        raise Refused(Code.NOT_SUPPORTED_YET, f"a job of type {job['Type']} has no deployments that could be followed")
    tasks = {
        component.name: str(document.section(component).get("task", component.name)) for component in spec.components
    }
    options = spec.options
    ours: Json = {
        "ID": marks.job_id(spec),
        "Name": marks.job_id(spec),
        "Type": "service",
        "Namespace": options.get("namespace", "default"),
        "Meta": {**(job.get("Meta") or {}), **marks.of_job(spec, claim, tasks)},
        "TaskGroups": [_group(group, spec) for group in job.get("TaskGroups") or []],
    }
    for key, field in (("region", "Region"), ("datacenters", "Datacenters")):
        if key in options:
            ours[field] = options[key]
    job = {**job, **ours}
    # What stands for the whole job would come before what its groups say.
    job.pop("Update", None)
    for component in spec.components:
        _put(spec, component, [t for t in _tasks(job) if t["Name"] == tasks[component.name]], tasks[component.name])
    return job


def invalid(detail: str) -> Refused:
    """No job that Nomad would run."""
    return Refused(Code.JOB_INVALID, detail, hint="try it with `nomad job validate`")


def _read(server: Server, path: str, content: str) -> Json:
    try:
        job = json.loads(content) if path.endswith(".json") else server.parse(content)
    except (Said, ValueError) as error:
        raise invalid(f"{path} cannot be read: {error}") from error
    job = job.get("Job", job) if isinstance(job, dict) else None
    if not isinstance(job, dict) or not isinstance(job.get("TaskGroups"), list):
        raise invalid(f"{path} holds no job with groups")
    return job


def _group(group: Json, spec: TargetSpec) -> Json:
    """Its author says how it rolls; what must be ours is that Nomad neither promotes nor goes back by itself."""
    said = {key: value for key, value in (group.get("Update") or {}).items() if value is not None}
    checked = any(service.get("Checks") for service in _services(group))
    return {
        **group,
        "Update": {**document.update(spec, checked=checked), **said, "AutoRevert": False, "AutoPromote": False},
    }


def _services(group: Json) -> list[Json]:
    inside = [service for task in group.get("Tasks") or [] for service in task.get("Services") or []]
    return [*(group.get("Services") or []), *inside]


def _tasks(job: Json) -> list[Json]:
    return [task for group in job["TaskGroups"] for task in group.get("Tasks") or []]


def _put(spec: TargetSpec, component: ComponentSpec, tasks: list[Json], name: str) -> None:
    if not tasks:
        raise invalid(f"the job has no task {name} for the component {component.name}")
    for task in tasks:
        given: dict[str, Any] = task.get("Config") or {}
        task["Config"] = {**given, "image": document.reference(component)}
        task["Env"] = {**(task.get("Env") or {}), **component.config.env}
        task["Templates"] = [*(task.get("Templates") or []), *delivery.template(delivery.path(spec), component)] or None
