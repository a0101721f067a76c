"""Puts it into ministack, and starts that."""

import json
import logging
from typing import Any

from docker.errors import APIError
from ministack.app import main
from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs, ecs

from tests.doubles.ecs_scheduler import state, told
from tests.doubles.ecs_scheduler.state import Json
from tests.doubles.ecs_scheduler.steps import end, settle

_TOKENS: dict[str, str] = {}
_BEGUN: dict[str, str] = {}
_ORIGINAL = dict(ecs._ACTION_MAP)
_RUN_KWARGS = ecs._build_run_kwargs


class _LastWord(logging.Handler):
    """Of the engine on a container that it did not start: ministack writes it into its log alone."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        for error in record.args or ():
            if isinstance(error, APIError):
                self.said = str(error.explanation)


_ENGINE = _LastWord()


def _looked(name: str) -> Any:
    def handler(data: Json) -> Any:
        missing = _no_cluster(data)
        if missing:
            return missing
        if name != "DescribeTasks":
            settle()
        for task in (ecs._tasks[arn] for arn in data.get("tasks", ())):
            if task["lastStatus"] == "RUNNING":
                told.describe(task)
        return _ORIGINAL[name](data)

    return handler


def _no_cluster(data: Json) -> Any:
    known = data.get("cluster", "default") in {"default", *ecs._clusters.keys()}
    return None if known else error_response_json("ClusterNotFoundException", "Cluster not found.", 400)


def _create_service(data: Json) -> Any:
    token, name = data.get("clientToken", ""), data["serviceName"]
    found = ecs._services.get(f"{data.get('cluster', 'default')}/{name}")
    if found and found["status"] == "ACTIVE" and _TOKENS.get(name) == token:
        return json_response({"service": ecs._sanitize(found)})
    answer = _no_cluster(data) or _ORIGINAL["CreateService"](data)
    service = ecs._services.get(f"{data.get('cluster', 'default')}/{name}")
    if answer[0] == 200:
        _TOKENS[name] = token
        kept = ("serviceConnectConfiguration", "capacityProviderStrategy", "placementConstraints", "placementStrategy")
        service |= {key: data[key] for key in kept if key in data}
        state.primary(service)["rolloutState"] = "IN_PROGRESS"
    return answer


def _update_service(data: Json) -> Any:
    service = ecs._services.get(f"{data.get('cluster', 'default')}/{data['service']}")
    missing = _no_cluster(data)
    if missing or service is None or service["status"] != "ACTIVE":
        return missing or error_response_json("ServiceNotActiveException", "Service was not ACTIVE.", 400)
    before = state.primary(service)["id"]
    answer = _ORIGINAL["UpdateService"](data)
    if answer[0] == 200:
        if data.get("forceNewDeployment") and state.primary(service)["id"] == before:
            state.primary(service)["status"] = "ACTIVE"
            service["deployments"].insert(0, ecs._make_deployment(service["taskDefinition"], service["desiredCount"]))
        if state.primary(service)["id"] != before:
            begun = {"rolloutState": "IN_PROGRESS", "rolloutStateReason": "ECS deployment in progress."}
            state.primary(service).update(begun)
        settle()
        return json_response({"service": ecs._sanitize(service)})
    return answer


def _run_task(data: Json) -> Any:
    """One token begins one task, for as long as it is remembered, which here is always."""
    known = ecs._tasks.get(_BEGUN.get(data.get("clientToken", ""), ""))
    if known and "clientToken" in data:
        return json_response({"tasks": [ecs._sanitize(known)], "failures": []})
    answer = _no_cluster(data) or _ORIGINAL["RunTask"](data)
    if answer[0] == 200:
        task = ecs._tasks[json.loads(answer[2])["tasks"][0]["taskArn"]]
        _BEGUN[data.get("clientToken", "")] = task["taskArn"]
        if not task["_docker_ids"]:
            end(task, "TaskFailedToStart", f"CannotStartContainerError: Error response from daemon: {_ENGINE.said}")
    return answer


def _stop_task(data: Json) -> Any:
    task = ecs._tasks.get(data["task"])
    if task is None or task["lastStatus"] == "STOPPED":
        return _ORIGINAL["StopTask"](data)
    end(task, "UserInitiated", data.get("reason", "Task stopped by user"))
    return json_response({"task": ecs._sanitize(task)})


def _run_kwargs(cdef: Json, td: Json, *more: Any) -> Json:
    """Ports are published where the task has no address of its own; the container's own check is the engine's."""
    said = _RUN_KWARGS(cdef, td, *more)
    if td["networkMode"] == "awsvpc":
        said["ports"] = None
    check = cdef.get("healthCheck")
    if check:
        seconds = 10**9
        said["healthcheck"] = {
            "test": check["command"], "interval": check["interval"] * seconds // 10, "timeout": check["timeout"] * seconds,
            "retries": check["retries"],
        }  # fmt: skip
    return said


def install() -> None:
    """Put it into ministack."""
    ecs._reconcile_service_tasks = lambda cluster, key: None
    ecs._maybe_mark_stopped = lambda task: None
    ecs._reap_exited_containers = lambda: None
    ecs._build_run_kwargs = _run_kwargs
    ecs.logger.addHandler(_ENGINE)
    ecs._ACTION_MAP |= {name: _looked(name) for name in ("DescribeServices", "ListTasks", "DescribeTasks")}
    ecs._ACTION_MAP |= {
        "CreateService": _create_service,
        "UpdateService": _update_service,
        "RunTask": _run_task,
        "StopTask": _stop_task,
        "ListContainerInstances": lambda data: (
            _no_cluster(data) or json_response({"containerInstanceArns": [state.instance_arn()]})
        ),
        "DescribeContainerInstances": told.describe_container_instances,
    }
    cloudwatch_logs._get_log_events = told.get_log_events


if __name__ == "__main__":
    install()
    main()
