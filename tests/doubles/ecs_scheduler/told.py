"""What is told of tasks, of the one machine, and of what was printed."""

from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ec2, ecs

from tests.doubles.ecs_scheduler import state
from tests.doubles.ecs_scheduler.state import Json

HOST = "127.0.0.1"
RESERVED = {22, 2375, 2376, 51678, 51679}


def describe(task: Json) -> None:
    """Digest, ports, address and health of its containers."""
    found = state.containers_of(task)
    for said in task["containers"]:
        container = found.get(said["name"])
        if container is None:
            continue
        networks = container.attrs["NetworkSettings"]
        said["imageDigest"] = _digest(container)
        said["healthStatus"] = state.health(container) if "Health" in container.attrs["State"] else "UNKNOWN"
        own = not networks["Ports"] or not any(networks["Ports"].values())
        said["networkInterfaces"] = [{"privateIpv4Address": networks["IPAddress"]}] if own else []
        said["networkBindings"] = [] if own else list(_bindings(networks["Ports"]))


def _digest(container: Any) -> str | None:
    """As ECS's agent has it: of what the engine pulled."""
    name = container.attrs["Config"]["Image"]
    known = ecs._get_docker().images.get(container.attrs["Image"]).attrs["RepoDigests"]
    found = [one for one in known if one == name] or [
        one for one in known if one.split("@")[0] == name.split("@")[0].split(":")[0]
    ]
    return found[0].partition("@")[2] if found else None


def _bindings(ports: Json):
    for inside, outside in ports.items():
        for one in outside or []:
            number = int(inside.partition("/")[0])
            yield {"bindIP": "0.0.0.0", "containerPort": number, "hostPort": int(one["HostPort"]), "protocol": "tcp"}


def describe_container_instances(data: Json) -> Any:
    """One machine, which is this one."""
    if not ec2._instances:
        ec2._run_instances({"MinCount": ["1"], "MaxCount": ["1"], "PrivateIpAddress": [HOST]})
    used = sorted(str(port) for port in RESERVED | state.used_ports())
    said = {
        "containerInstanceArn": state.instance_arn(), "ec2InstanceId": next(iter(ec2._instances)), "status": "ACTIVE", "agentConnected": True,
        "remainingResources": [{"name": "PORTS", "type": "STRINGSET", "stringSetValue": used}],
    }  # fmt: skip
    return json_response({"containerInstances": [said], "failures": []})


def get_log_events(data: Json) -> Any:
    """What the log driver would have written."""
    _, name, id = data["logStreamName"].split("/")
    text = state.LOGS.get((id, name))
    task = next((task for arn, task in ecs._tasks.items() if arn.endswith(id)), None)
    if text is None and task:
        text = next(
            (c.logs().decode(errors="replace") for n, c in state.containers_of(task).items() if n == name), None
        )
    if text is None:
        return error_response_json("ResourceNotFoundException", "The specified log stream does not exist.", 400)
    lines = [{"timestamp": 0, "ingestionTime": 0, "message": line} for line in text.splitlines()[-data["limit"] :]]
    return json_response({"events": lines, "nextForwardToken": "f/0", "nextBackwardToken": "b/0"})
