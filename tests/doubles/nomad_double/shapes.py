"""What the double answers with: allocations short and in full, lists in no order, logs."""

import base64
import json
from typing import Any

from tests.doubles.nomad_double import canonical
from tests.doubles.nomad_double.cluster import Alloc

Json = dict[str, Any]
NODE = "3c375e2a-fcf2-ba8b-b6d0-3141ca591944"
_WORDS = {
    "pending": "",
    "running": "Tasks are running",
    "complete": "All tasks have completed",
    "failed": "Failed tasks",
}
_TRANSITION = dict.fromkeys(("ForceReschedule", "Migrate", "MigrateDisablePlacement", "NoShutdownDelay", "Reschedule"))


def unsorted(found: list[Json]) -> list[Json]:
    """Ordered by ID, which is by nothing that means anything."""
    return sorted(found, key=lambda one: one["ID"])


def stub(alloc: Alloc) -> Json:
    """The short form: with JobVersion, without DeploymentID; what is empty is there."""
    return {
        "ClientDescription": _client_words(alloc), "ClientStatus": alloc.client, "CreateIndex": alloc.index, "CreateTime": alloc.created,
        "DeploymentStatus": alloc.status, "DesiredDescription": alloc.desired_words, "DesiredStatus": alloc.desired,
        "DesiredTransition": dict(_TRANSITION), "EvalID": alloc.eval, "FollowupEvalID": "", "ID": alloc.id, "JobID": alloc.job["ID"],
        "JobType": alloc.job["Type"], "JobVersion": alloc.version, "ModifyIndex": alloc.modified, "ModifyTime": alloc.created, "Name": alloc.name,
        "Namespace": alloc.job["Namespace"], "NextAllocation": alloc.next, "NodeID": NODE, "NodeName": "node-1", "PreemptedAllocations": None,
        "PreemptedByAllocation": "", "RescheduleTracker": None, "TaskGroup": alloc.group, "TaskStates": alloc.states or None,
    }  # fmt: skip


def full(alloc: Alloc) -> Json:
    """The long form: with Job and DeploymentID, without JobVersion; what is empty is not there."""
    network = {key: value for key, value in alloc.ports.items() if value}
    ports = [
        {"HostIP": "127.0.0.1", **{k: p[k] for k in ("Label", "To", "Value") if k in p}}
        for kind in ("DynamicPorts", "ReservedPorts")
        for p in alloc.ports[kind]
    ]
    said = {
        "AllocModifyIndex": alloc.alloc_modified,
        "AllocatedResources": {"Shared": {"DiskMB": 300, "Networks": [network], "Ports": ports}, "TaskLifecycles": {}, "Tasks": {}},
        "ClientDescription": _client_words(alloc), "ClientStatus": alloc.client, "CreateIndex": alloc.index, "CreateTime": alloc.created,
        "DeploymentID": alloc.deployment, "DeploymentStatus": alloc.status, "DesiredDescription": alloc.desired_words,
        "DesiredStatus": alloc.desired, "EvalID": alloc.eval, "ID": alloc.id, "Job": alloc.job, "JobID": alloc.job["ID"], "Metrics": {},
        "ModifyIndex": alloc.modified, "ModifyTime": alloc.created, "Name": alloc.name, "Namespace": alloc.job["Namespace"],
        "NetworkStatus": None, "NextAllocation": alloc.next, "NodeID": NODE, "NodeName": "node-1",
        "PreviousAllocation": alloc.previous.id if alloc.previous else "", "Resources": {}, "SharedResources": {}, "SigningKeyID": NODE,
        "TaskGroup": alloc.group, "TaskResources": {}, "TaskStates": alloc.states or None,
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, "")}


def log(alloc: Alloc, task: str, stream: str, origin: str, offset: int, plain: bool) -> str:
    """A part of what a task printed."""
    text = getattr(alloc.tasks[task], stream)
    data = text.encode()
    part = data[offset:] if origin == "start" else data[max(0, len(data) - offset) :]
    if plain:
        return part.decode(errors="replace")
    frame = {"Data": base64.b64encode(part).decode(), "File": f"alloc/logs/{task}.{stream}.0", "Offset": len(data)}
    return json.dumps(frame)


def planned(job: Json, present: Json | None, steps: dict[str, Any], with_diff: bool, words: str) -> Json:
    """The answer to a plan."""
    failed = {name: step.failed for name, step in steps.items() if step.failed}
    diff = canonical.diff(present, job) if with_diff else None
    for group in (diff or {}).get("TaskGroups", []):
        if group["Name"] in steps and (updates := _updates(steps[group["Name"]].told())):
            group["Updates"] = updates
    return {
        "Annotations": {"DesiredTGUpdates": {n: s.told() for n, s in steps.items()}, "PreemptedAllocs": None}, "CreatedEvals": None,
        "Diff": diff, "FailedTGAllocs": failed or None, "Index": present["JobModifyIndex"] if present else 0,
        "JobModifyIndex": present["JobModifyIndex"] if present else 0, "NextPeriodicLaunch": None, "Warnings": words,
    }  # fmt: skip


_UPDATES = {
    "Canary": "canary", "DestructiveUpdate": "create/destroy update", "Ignore": "ignore", "InPlaceUpdate": "in-place update", "Place": "create",
    "Stop": "destroy",
}  # fmt: skip


def _updates(told: Json) -> Json:
    return {words: told[name] for name, words in _UPDATES.items() if told[name]}


def _client_words(alloc: Alloc) -> str:
    return _WORDS[alloc.client] if alloc.tasks else ""
