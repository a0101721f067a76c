"""The job that a target runs: one group, one docker task for each component. A pure function of specification and claim."""

from collections.abc import Mapping
from typing import Any, Final

from agents.nomad_job import delivery, marks
from agents.nomad_job.marks import Json
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.durations import parse_duration
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.nomad_job import SECTION

GROUP: Final = "main"
SECOND: Final = 1_000_000_000
_SPARE: Final = 15
"""Seconds by which Nomad's own deadlines lie behind ours: they count only when nobody of us is left to judge."""
_LEAST: Final = 1.0
"""Nomad takes no check more often, and none with a shorter timeout."""
_RESTART: Final = {"Attempts": 3, "Interval": 60 * SECOND, "Delay": 2 * SECOND, "Mode": "fail"}


def reference(component: ComponentSpec) -> str:
    """The image, by digest: only such a reference says what really runs."""
    return f"{component.config.repository}@{component.digest}"


def section(component: ComponentSpec) -> Mapping[str, Any]:
    """What the component says about Nomad."""
    return (component.config.run or {}).get(SECTION, {})


def render(spec: TargetSpec, claim: Claim) -> Json:
    """The whole job."""
    options = spec.options
    job = {
        "ID": marks.job_id(spec),
        "Name": marks.job_id(spec),
        "Type": "service",
        "Namespace": options.get("namespace", "default"),
        "Datacenters": options.get("datacenters", ["*"]),
        "Meta": marks.of_job(spec, claim, {component.name: component.name for component in spec.components}),
        "TaskGroups": [_group(spec)],
    }
    return {**job, "Region": options["region"]} if "region" in options else job


def least(spec: TargetSpec) -> float:
    """For how many seconds each allocation must have been healthy before the next one follows."""
    return parse_duration(spec.options.get("min_healthy_time", "0s"))


def update(spec: TargetSpec, *, checked: bool) -> Json:
    """How it rolls: Nomad places and counts, we promote and judge. Going back is ours alone, so `AutoRevert` is off."""
    options = spec.options
    deadline = spec.healthy_deadline + least(spec) + _SPARE
    return {
        "MaxParallel": options.get("max_parallel", 1),
        "Canary": options.get("canaries", 0),
        "HealthCheck": "checks" if checked else "task_states",
        "MinHealthyTime": _nanoseconds(least(spec)),
        "HealthyDeadline": _nanoseconds(deadline),
        "ProgressDeadline": _nanoseconds(deadline + _SPARE),
        "AutoRevert": False,
        "AutoPromote": False,
    }


def _group(spec: TargetSpec) -> Json:
    ports = [port for component in spec.components for port in _ports(component)]
    group: Json = {
        "Name": GROUP,
        "Count": spec.options.get("count", 1),
        "Constraints": [rule for component in spec.components for rule in _fitting(component)] or None,
        "RestartPolicy": dict(_RESTART),
        "Update": update(spec, checked=any(component.config.health for component in spec.components)),
        "Tasks": [_task(spec, component) for component in spec.components],
        "Services": [_service(spec, c, c.config.health) for c in spec.components if c.config.health],
    }
    return {**group, "Networks": [_network(ports)]} if ports else group


def _task(spec: TargetSpec, component: ComponentSpec) -> Json:
    config = component.config
    run = {"image": reference(component), "ports": [label for label, _, _ in _ports(component)]}
    if config.command:
        run |= {"command": config.command[0], "args": list(config.command[1:])}
    resources = {field: section(component)[key] for key, field in _RESOURCES.items() if key in section(component)}
    return {
        "Name": component.name,
        "Driver": "docker",
        "Config": run,
        "Env": dict(config.env),
        "Resources": resources or None,
        "Templates": delivery.template(delivery.path(spec), component) or None,
        "KillTimeout": _nanoseconds(config.stop_grace),
    }


_RESOURCES = {"cpu": "CPU", "memory": "MemoryMB"}


def _ports(component: ComponentSpec) -> list[tuple[str, int, int]]:
    """(label, host port or 0 for any, container port). What only the health check needs gets any port."""
    pairs = [(int(host), int(inside)) for host, _, inside in (entry.partition(":") for entry in component.config.ports)]
    health = component.config.health
    if health and health.port not in {inside for _, inside in pairs}:
        pairs.append((0, health.port))
    anywhere = section(component).get("ports") == "dynamic"
    return [(f"{component.name}-{inside}-{host}", 0 if anywhere else host, inside) for host, inside in pairs]


def _network(ports: list[tuple[str, int, int]]) -> Json:
    fixed = [{"Label": label, "Value": host, "To": inside} for label, host, inside in ports if host]
    free = [{"Label": label, "To": inside} for label, host, inside in ports if not host]
    return {"ReservedPorts": fixed or None, "DynamicPorts": free or None}


def _service(spec: TargetSpec, component: ComponentSpec, health: RenderedHealth) -> Json:
    label = next(label for label, _, inside in _ports(component) if inside == health.port)
    check = {
        "Name": f"{component.name}-health",
        "Type": "http" if health.http else "tcp",
        "Interval": _nanoseconds(max(_LEAST, health.interval)),
        "Timeout": _nanoseconds(max(_LEAST, health.timeout)),
    }
    return {
        "Name": f"{marks.job_id(spec)}-{component.name}".replace(".", "-").replace("_", "-"),
        "Provider": "nomad",
        "PortLabel": label,
        "TaskName": component.name,
        "Checks": [{**check, "Path": health.http} if health.http else check],
    }


def _fitting(component: ComponentSpec) -> list[Json]:
    """Where it is known what an image was made for, only nodes of such a kind will do: else one fails when it pulls."""
    known = sorted({kind.split("/")[1] for kind in component.platforms if kind.startswith("linux/")})
    if not known:
        return []
    return [{"LTarget": "${attr.cpu.arch}", "Operand": "regexp", "RTarget": f"^({'|'.join(known)})$"}]


def _nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND)
