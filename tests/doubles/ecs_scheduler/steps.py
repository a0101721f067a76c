"""One step of every service: what ended is noted, what is too much ends, what lacks begins, and the rollout is judged."""

import json
import math
from typing import Any

from ministack.services import ecs

from tests.doubles.ecs_scheduler import state
from tests.doubles.ecs_scheduler.state import Json

THRESHOLD = 3


def settle() -> None:
    """Bring every service on."""
    for task in [task for task in ecs._tasks.values() if _is_alone(task)]:
        _refresh_one(task)
    for service in list(ecs._services.values()):
        if service["status"] == "ACTIVE":
            _refresh(service)
            while _stop_one(service) or _start_one(service):
                pass
            _judge(service)


def _refresh(service: Json) -> None:
    """A task ends with any essential container; what it printed and how it ended is kept."""
    for task in state.running(service):
        containers = _refresh_one(task)
        if any(state.health(c) == "UNHEALTHY" for c in containers.values()):
            state.primary(service)["failedTasks"] += 1
            end(task, "ServiceSchedulerInitiated", "Task failed container health checks", containers)


def _is_alone(task: Json) -> bool:
    """Begun by RunTask: nobody starts it again."""
    return task["lastStatus"] == "RUNNING" and not task["group"].startswith("service:")


def _refresh_one(task: Json) -> dict[str, Any]:
    """What still runs of it."""
    containers = state.containers_of(task)
    if any(c.status in {"exited", "dead"} for c in containers.values()):
        end(task, "EssentialContainerExited", "Essential container in task exited", containers)
        return {}
    return containers


def _stop_one(service: Json) -> bool:
    """One of the old tasks, or one too many, if enough are left."""
    primary, running = state.primary(service), state.running(service)
    ours = [task for task in running if task["startedBy"] == primary["id"]]
    old = [task for task in running if task["startedBy"] != primary["id"]]
    least, most = state.bounds(service)
    well = sum(state.is_well(task) for task in running)
    if len(ours) > service["desiredCount"]:
        gone = ours[-1]
    elif old and primary["rolloutState"] != "FAILED" and (len(running) > most or well - state.is_well(old[0]) >= least):
        gone = old[0]
    else:
        return False
    end(gone, "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {primary['id']})")
    return True


def _start_one(service: Json) -> bool:
    primary, running = state.primary(service), state.running(service)
    ours = [task for task in running if task["startedBy"] == primary["id"]]
    if (
        primary["rolloutState"] == "FAILED"
        or len(ours) >= service["desiredCount"]
        or len(running) >= state.bounds(service)[1]
    ):
        return False
    definition = ecs._task_defs[ecs._resolve_td_key(primary["taskDefinition"])]
    if state.wanted_ports(definition) & state.used_ports():
        state.tell(service, "was unable to place a task because no container instance met all of its requirements.")
        return False
    return _started(service, primary, definition)


def _started(service: Json, primary: Json, definition: Json) -> bool:
    why = next((why for c in definition["containerDefinitions"] if (why := state.not_pulled(c["image"]))), "")
    if why:
        _stillborn(service, primary, definition, why)
        return False
    answer = ecs._run_task({
        "cluster": state.cluster_of(service), "taskDefinition": primary["taskDefinition"], "count": 1,
        "group": f"service:{service['serviceName']}", "startedBy": primary["id"], "launchType": service["launchType"],
    })  # fmt: skip
    task = ecs._tasks[json.loads(answer[2])["tasks"][0]["taskArn"]]
    task["containerInstanceArn"] = state.instance_arn() if service["launchType"] == "EC2" else ""
    return True


def _stillborn(service: Json, primary: Json, definition: Json, why: str) -> None:
    """A task that could not start."""
    arn = f"arn:aws:ecs:{ecs.get_region()}:{ecs.get_account_id()}:task/{state.cluster_of(service)}/{ecs.new_uuid()}"
    containers = ecs._build_task_containers(definition, [])
    for container in containers:
        container |= {"lastStatus": "STOPPED", "reason": why}
    ecs._tasks[arn] = {
        "taskArn": arn, "clusterArn": service["clusterArn"], "taskDefinitionArn": primary["taskDefinition"], "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED", "createdAt": ecs._iso(), "stoppedAt": ecs._iso(), "stopCode": "TaskFailedToStart",
        "stoppedReason": why, "group": f"service:{service['serviceName']}", "startedBy": primary["id"], "containers": containers,
        "_docker_ids": [],
    }  # fmt: skip
    primary["failedTasks"] += 1


def _judge(service: Json) -> None:
    """What ECS says of the rollout."""
    primary, running = state.primary(service), state.running(service)
    ours = [task for task in running if task["startedBy"] == primary["id"]]
    service["runningCount"] = len(running)
    for deployment in service["deployments"]:
        deployment["runningCount"] = sum(task["startedBy"] == deployment["id"] for task in running)
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    if primary["rolloutState"] != "IN_PROGRESS":
        return
    if breaker.get("enable") and primary["failedTasks"] >= max(THRESHOLD, math.ceil(service["desiredCount"] / 2)):
        primary |= {
            "rolloutState": "FAILED",
            "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start.",
        }
    elif len(ours) == len(running) == service["desiredCount"] and all(state.is_well(task) for task in ours):
        primary |= {"rolloutState": "COMPLETED", "rolloutStateReason": f"ECS deployment {primary['id']} completed."}
        del service["deployments"][1:]


def end(task: Json, code: str, reason: str, containers: dict[str, Any] | None = None) -> None:
    """Keep what it printed and how its containers ended."""
    found = state.containers_of(task) if containers is None else containers
    codes = {name: c.attrs["State"]["ExitCode"] for name, c in found.items() if c.status in {"exited", "dead"}}
    for name, container in found.items():
        if container.status == "running":
            container.stop(timeout=5)
        state.LOGS[task["taskArn"].rpartition("/")[2], name] = container.logs().decode(errors="replace")
    ecs._stop_task({"task": task["taskArn"], "cluster": task["clusterArn"], "reason": reason})
    task["stopCode"] = code
    for container in task["containers"]:
        container["exitCode"] = codes.get(container["name"])
