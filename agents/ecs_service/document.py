"""The task definition and the service that a target asks for: pure functions of specification and claim."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agents.ecs_service import marks
from agents.ecs_service.access import Place
from agents.ecs_service.cluster import UNCHANGEABLE
from agents.ecs_service.marks import Json
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.fence import Claim
from fairlead.domain.target_kinds.ecs_service import CONTAINER, SECTION

AWSVPC: Final = "awsvpc"
FARGATE: Final = "FARGATE"
_LEAST_INTERVAL, _LEAST_TIMEOUT, _MOST_RETRIES = 5, 2, 10
"""What AWS takes for a container's own check."""

Arns = Mapping[str, str]
"""Where the secrets of each component lie, by component."""


def reference(component: ComponentSpec) -> str:
    """The image, by digest: only such a reference says what really runs."""
    return f"{component.config.repository}@{component.digest}"


def section(component: ComponentSpec) -> Mapping[str, Any]:
    """What the component says about ECS."""
    return (component.config.run or {}).get(SECTION, {})


def definition(spec: TargetSpec, claim: Claim, place: Place, arns: Arns) -> Json:
    """What RegisterTaskDefinition takes."""
    given: Json = dict(spec.options.get("definition", {}))
    beside = given.pop("containerDefinitions", [])
    mode = network_mode(spec)
    fargate = on_fargate(spec)
    return {
        "family": marks.stem(spec),
        **given,
        **{key: str(given[key]) for key in ("cpu", "memory") if key in given},
        **({"networkMode": mode} if mode else {}),
        **({"requiresCompatibilities": given.get("requiresCompatibilities", [FARGATE])} if fargate else {}),
        "containerDefinitions": [*(_container(spec, c, claim, place, arns) for c in spec.components), *beside],
        "tags": marks.as_tags(marks.of_release(spec, claim)),
    }


def service(spec: TargetSpec) -> Json:
    """What CreateService takes beside names, count and task definition. The breaker stops what fails; going back is ours alone."""
    given = dict(spec.options.get("service", {}))
    rolling = dict(given.pop("deploymentConfiguration", {}))
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    return {**given, "propagateTags": "TASK_DEFINITION", "deploymentConfiguration": {**rolling, **breaker}}


def count(spec: TargetSpec, service: Mapping[str, Any]) -> int:
    """As many as the target says, else as many as there are: somebody may scale them."""
    return int(spec.options.get("count") or service.get("desiredCount") or 1)


def change(spec: TargetSpec) -> Json:
    """The same of UpdateService."""
    return {key: value for key, value in service(spec).items() if key not in UNCHANGEABLE}


def on_fargate(spec: TargetSpec) -> bool:
    """Whether tasks run on capacity that AWS keeps."""
    given = spec.options.get("service", {})
    providers = [str(one.get("capacityProvider", "")) for one in given.get("capacityProviderStrategy", [])]
    return given.get("launchType") == FARGATE or any(provider.startswith(FARGATE) for provider in providers)


def network_mode(spec: TargetSpec) -> str:
    """With addresses of their own where the service says in which subnets; empty is AWS's own default, bridge."""
    said = str(spec.options.get("definition", {}).get("networkMode", ""))
    return said or (AWSVPC if on_fargate(spec) or "networkConfiguration" in spec.options.get("service", {}) else "")


def host_ports(spec: TargetSpec) -> set[int]:
    """The ports that a task takes on the instance where it runs."""
    if network_mode(spec) == AWSVPC:
        return set()
    return {
        said["hostPort"] for component in spec.components for said in _ports(spec, component) if said.get("hostPort")
    }


def _container(spec: TargetSpec, component: ComponentSpec, claim: Claim, place: Place, arns: Arns) -> Json:
    config, given = component.config, dict(section(component).get("container", {}))
    own = section(component).get("health") == CONTAINER
    if own and config.health:
        given.setdefault("healthCheck", _check(config.health))
    ours: Json = {
        "name": component.name,
        "image": reference(component),
        "essential": given.get("essential", True),
        "command": list(config.command),
        "environment": [{"name": name, "value": value} for name, value in sorted(config.env.items())],
        "portMappings": _ports(spec, component),
        "secrets": _secrets(component, arns),
        "stopTimeout": max(math.ceil(config.stop_grace), 1),
        "dockerLabels": marks.of_container(spec, component, claim, probed=not own),
        "dependsOn": [*given.pop("dependsOn", []), *_order(spec, component)],
        "logConfiguration": given.pop("logConfiguration", None) or _log(spec, place),
    }
    return {**given, **{key: value for key, value in ours.items() if value not in (None, [], {})}}


def _order(spec: TargetSpec, component: ComponentSpec) -> list[Json]:
    """Whoever is depended on has started, or is healthy where ECS asks it."""
    named = {other.name: other for other in spec.components}
    return [
        {"containerName": name, "condition": "HEALTHY" if _is_checked(named[name]) else "START"}
        for name in component.config.depends_on
        if name in named
    ]


def _is_checked(component: ComponentSpec) -> bool:
    said = section(component)
    own = said.get("health") == CONTAINER and component.config.health is not None
    return own or "healthCheck" in said.get("container", {})


def _ports(spec: TargetSpec, component: ComponentSpec) -> list[Json]:
    """Each mapping has a name, for Service Connect: `<component>-<port>`."""
    pairs = [(int(host), int(inside)) for host, _, inside in (entry.partition(":") for entry in component.config.ports)]
    health = component.config.health
    if health and health.port not in {inside for _, inside in pairs}:
        pairs.append((0, health.port))
    anywhere = section(component).get("ports") == "dynamic"
    return [_mapping(spec, component.name, 0 if anywhere else host, inside) for host, inside in _once(pairs)]


def _mapping(spec: TargetSpec, name: str, host: int, inside: int) -> Json:
    said: Json = {"containerPort": inside, "protocol": "tcp", "name": f"{name}-{inside}"}
    return said if network_mode(spec) == AWSVPC else {**said, "hostPort": host}


def _once(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """One mapping for each port inside: AWS takes no second."""
    return [(host, inside) for inside, host in {inside: host for host, inside in pairs}.items()]


def _secrets(component: ComponentSpec, arns: Arns) -> list[Json]:
    arn = arns.get(component.name, "")
    return [{"name": name, "valueFrom": f"{arn}:{name}::"} for name in sorted(component.config.secrets or {})]


def _check(health: RenderedHealth) -> Json:
    """Asked inside of the container, with what most images have; an image that has not says its own `healthCheck`."""
    timeout = max(math.ceil(health.timeout), _LEAST_TIMEOUT)
    http = ["wget", "-q", "-T", str(timeout), "-O", "/dev/null", f"http://127.0.0.1:{health.port}{health.http}"]
    tcp = ["nc", "-z", "-w", str(timeout), "127.0.0.1", str(health.port)]
    return {
        "command": ["CMD", *(http if health.http else tcp)],
        "interval": max(math.ceil(health.interval), _LEAST_INTERVAL),
        "timeout": timeout,
        "retries": min(max(health.retries, 1), _MOST_RETRIES),
    }


def _log(spec: TargetSpec, place: Place) -> Json | None:
    group = spec.options.get("log_group")
    if not group:
        return None
    options = {"awslogs-group": group, "awslogs-region": place.region, "awslogs-stream-prefix": "fairlead"}
    return {"logDriver": "awslogs", "options": options}
