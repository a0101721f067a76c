"""ECS services in the catalogue. What AWS has words for is said in AWS's own words, and passed through."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from fairlead.domain.blocks import Block, is_text
from fairlead.domain.codes import Code
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds import fields, hooks
from fairlead.domain.target_kinds.kind import TargetKind

SECTION: Final = "ecs"
ADDRESS: Final = "address"
CONTAINER: Final = "container"

SERVICE_FIELDS: Final = (
    "availabilityZoneRebalancing", "capacityProviderStrategy", "deploymentConfiguration", "enableECSManagedTags", "enableExecuteCommand",
    "healthCheckGracePeriodSeconds", "launchType", "loadBalancers", "networkConfiguration", "placementConstraints", "placementStrategy",
    "platformVersion", "role", "serviceConnectConfiguration", "serviceRegistries", "volumeConfigurations", "vpcLatticeConfigurations",
)  # fmt: skip
"""Of CreateService; the others are ours to say."""
DEFINITION_FIELDS: Final = (
    "containerDefinitions", "cpu", "enableFaultInjection", "ephemeralStorage", "executionRoleArn", "ipcMode", "memory", "networkMode",
    "pidMode", "placementConstraints", "proxyConfiguration", "requiresCompatibilities", "runtimePlatform", "taskRoleArn", "volumes",
)  # fmt: skip
"""Of RegisterTaskDefinition. `containerDefinitions` are those beside our components."""
CONTAINER_FIELDS: Final = (
    "cpu", "credentialSpecs", "dependsOn", "disableNetworking", "dnsSearchDomains", "dnsServers", "dockerSecurityOptions", "entryPoint",
    "environmentFiles", "essential", "extraHosts", "firelensConfiguration", "healthCheck", "hostname", "interactive", "links",
    "linuxParameters", "logConfiguration", "memory", "memoryReservation", "mountPoints", "privileged", "pseudoTerminal",
    "readonlyRootFilesystem", "repositoryCredentials", "resourceRequirements", "startTimeout", "systemControls", "ulimits", "user",
    "volumesFrom", "workingDirectory",
)  # fmt: skip
"""Of one container of a component; image, command, environment, ports and secrets are said where they are for every type."""

_HOST_REGION = re.compile(r"https?://(?:[^/]*\.)?ecs(?:-fips)?\.([a-z0-9-]+)\.")
_IN_THE_CLEAR = re.compile(r"http://[^/:]*\.(amazonaws\.com(\.cn)?|api\.aws)(:|$)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_REGION = re.compile(r"[a-z]{2}(-[a-z0-9]+)+-[0-9]{1,2}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\x21-\x7e]{1,512}")
_EXTERNAL = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
_GROUP = re.compile(r"[A-Za-z0-9_./#-]{1,512}")
_PINNED = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def options(block: Block) -> dict[str, Any]:
    """The target's own: which service it is, who we are there, and what the service and its tasks have beside our components."""
    said: dict[str, Any] = {
        "region": fields.matching(block, "region", _REGION, "a region, such as eu-west-1"),
        "cluster": fields.matching(block, "cluster", _NAME, "the name of a cluster"),
        "name": fields.matching(block, "name", _NAME, "a name"),
        "role": fields.matching(block, "role", _ROLE, "the ARN of a role"),
        "external_id": fields.matching(block, "external_id", _EXTERNAL, "an external id"),
        "log_group": fields.matching(block, "log_group", _GROUP, "the name of a log group"),
        "count": block.count("count", 1, 1, 5000) if block.has("count") else None,
        "service": _passed(block, "service", SERVICE_FIELDS),
        "definition": _passed(block, "definition", DEFINITION_FIELDS),
    }
    if said["external_id"] and not said["role"]:
        block.flaw(Code.MISSING_FIELD, "an external id belongs to a role", "external_id")
    _refuse_rollout(block, said["service"])
    _refuse_unpinned(block, said["definition"])
    block.close()
    return _filled(said)


def section(block: Block) -> dict[str, Any]:
    """How a component runs there: where its health is asked for, its host ports, and what else its container has."""
    health = block.choice("health", ADDRESS, (ADDRESS, CONTAINER))
    ports = block.choice("ports", "static", ("static", "dynamic"))
    said = {
        "health": health if health != ADDRESS else "",
        "ports": ports if ports != "static" else "",
        "container": _passed(block, "container", CONTAINER_FIELDS),
    }
    block.close()
    return _filled(said)


def region_of(endpoint: str, options: Mapping[str, Any]) -> str:
    """The region that is said, else the one in the endpoint's name; empty where there is neither."""
    found = _HOST_REGION.match(endpoint)
    return str(options.get("region") or (found.group(1) if found else ""))


def check(block: Block, endpoint: str, options: Mapping[str, Any]) -> None:
    """AWS's own endpoints name their region, others do not; and what AWS is told, secrets among it, is told over HTTPS."""
    if _IN_THE_CLEAR.match(endpoint):
        block.flaw(Code.PLAINTEXT_REFUSED, "AWS is spoken to over https only", "endpoint")
    if not region_of(endpoint, options):
        block.flaw(Code.MISSING_FIELD, f"{endpoint} names no region", SECTION, "region")


KIND = TargetKind(
    endpoint=re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?"),
    example="https://ecs.eu-west-1.amazonaws.com",
    key=SECTION,
    options=options,
    check=check,
    sections=(SECTION, hooks.SECTION),
)


def _passed(block: Block, key: str, known: Collection[str]) -> dict[str, Any]:
    """A mapping in AWS's own words; what it means there is AWS's to judge."""
    said = block.take(key)
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        block.flaw(Code.BAD_VALUE, "expected a mapping", key)
        return {}
    for field in said:
        if field not in known:
            detail = f"{field!r:.80} is none of {', '.join(known)}{did_you_mean(str(field), known)}"
            block.flaw(Code.UNKNOWN_FIELD, detail, key, str(field))
    if not _is_json(said):
        block.flaw(Code.BAD_VALUE, "expected mappings, lists, text, numbers, true and false only", key)
        return {}
    return {field: value for field, value in said.items() if value not in (None, {}, [], "")}


def _is_json(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_text(key) and _is_json(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_is_json(inner) for inner in value)
    return is_text(value) if isinstance(value, str) else isinstance(value, bool | int)


def _refuse_rollout(block: Block, service: Mapping[str, Any]) -> None:
    """How it rolls may be said, who goes back may not: that is ours alone."""
    at = ("service", "deploymentConfiguration")
    configuration = service.get("deploymentConfiguration", {})
    if not isinstance(configuration, Mapping):
        block.flaw(Code.BAD_VALUE, "expected a mapping", *at)
        return
    if configuration.get("strategy", "ROLLING") != "ROLLING":
        block.flaw(Code.NOT_SUPPORTED_YET, "only rolling deployments are followed", *at, "strategy")
    for field in ("deploymentCircuitBreaker", "lifecycleHooks"):
        if field in configuration:
            detail = f"{field} is ours to say: the breaker is always on, and never goes back by itself"
            block.flaw(Code.BAD_VALUE, detail, *at, field)


def _refuse_unpinned(block: Block, definition: Mapping[str, Any]) -> None:
    for index, container in _each(definition.get("containerDefinitions")):
        at = ("definition", "containerDefinitions", index)
        if not isinstance(container, Mapping) or not isinstance(container.get("name"), str):
            block.flaw(Code.BAD_VALUE, "expected a container with a name", *at)
        elif not _PINNED.fullmatch(str(container.get("image", ""))):
            detail = f"the image of {container['name']!r:.60} is not named by its digest"
            block.flaw(Code.IMAGE_UNPINNED, detail, *at, "image")


def _each(items: object) -> Iterator[tuple[int, object]]:
    yield from enumerate(items if isinstance(items, list) else ())


def _filled(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value not in (None, "", {})}
