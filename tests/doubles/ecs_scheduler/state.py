"""What there is: services, their tasks, and the containers that these are."""

import math
from typing import Any

from docker.errors import DockerException, ImageNotFound, NotFound
from ministack.services import ecs

Json = dict[str, Any]
INSTANCE = "11111111222233334444555555555555"
LOGS: dict[tuple[str, str], str] = {}
"""What tasks that ended had printed, by task and container."""


def running(service: Json) -> list[Json]:
    group = f"service:{service['serviceName']}"
    ours = [t for t in ecs._tasks.values() if t["group"] == group and t["clusterArn"] == service["clusterArn"]]
    return [task for task in ours if task["lastStatus"] == "RUNNING"]


def primary(service: Json) -> Json:
    return service["deployments"][0]


def cluster_of(service: Json) -> str:
    return service["clusterArn"].rpartition("/")[2]


def bounds(service: Json) -> tuple[int, int]:
    """How many must be well, and how many there may be."""
    said, desired = service.get("deploymentConfiguration") or {}, service["desiredCount"]
    least = math.ceil(desired * said.get("minimumHealthyPercent", 100) / 100)
    return least, math.floor(desired * said.get("maximumPercent", 200) / 100)


def containers_of(task: Json) -> dict[str, Any]:
    found = {}
    for id in task.get("_docker_ids") or []:
        try:
            container = ecs._get_docker().containers.get(id)
        except NotFound:
            continue
        found[container.labels["com.amazonaws.ecs.container-name"]] = container
    return found


def health(container: Any) -> str:
    return ((container.attrs["State"].get("Health") or {}).get("Status") or "unknown").upper()


def is_well(task: Json) -> bool:
    """Where nobody checks, to run is to be well."""
    definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
    checked = any(container.get("healthCheck") for container in definition["containerDefinitions"])
    return not checked or all(health(container) in {"UNKNOWN", "HEALTHY"} for container in containers_of(task).values())


def not_pulled(image: str) -> str:
    engine = ecs._get_docker()
    try:
        engine.images.get(image)
    except ImageNotFound:
        try:
            engine.images.pull(image)
        except DockerException as error:
            return f"CannotPullContainerError: {error}"
    return ""


def wanted_ports(definition: Json) -> set[int]:
    said = [port for c in definition["containerDefinitions"] for port in c.get("portMappings") or []]
    return (
        set() if definition["networkMode"] == "awsvpc" else {port["hostPort"] for port in said if port.get("hostPort")}
    )


def used_ports() -> set[int]:
    running = [task for task in ecs._tasks.values() if task["lastStatus"] == "RUNNING"]
    definitions = [ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])] for task in running]
    return {port for definition in definitions for port in wanted_ports(definition)}


def tell(service: Json, words: str) -> None:
    event = {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": f"(service {service['serviceName']}) {words}"}
    service["events"].insert(0, event)
    del service["events"][100:]


def instance_arn() -> str:
    return f"arn:aws:ecs:{ecs.get_region()}:{ecs.get_account_id()}:container-instance/{INSTANCE}"
