"""Jobs as Nomad keeps them: every field there, defaults filled in; and what differs between two."""

import copy
import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
SECOND = 1_000_000_000

_NULLS = "Affinities Constraints Multiregion ParameterizedJob Payload Periodic Spreads UI VersionTag"
JOB: Json = {
    **dict.fromkeys(_NULLS.split()), "AllAtOnce": False, "ConsulNamespace": "", "Datacenters": ["*"], "DispatchIdempotencyToken": "",
    "Dispatched": False, "Meta": None, "NodePool": "default", "NomadTokenID": "", "ParentID": "", "Priority": 50, "Region": "global",
    "Stable": False, "Status": "pending", "StatusDescription": "", "Stop": False, "Type": "service", "VaultNamespace": "", "Namespace": "default",
}  # fmt: skip
_RESTART: Json = {
    "Attempts": 2,
    "Delay": 15 * SECOND,
    "Interval": 1800 * SECOND,
    "Mode": "fail",
    "RenderTemplates": False,
}
_RESCHEDULE: Json = {
    "Attempts": 0, "Delay": 30 * SECOND, "DelayFunction": "exponential", "Interval": 0, "MaxDelay": 3600 * SECOND, "Unlimited": True,
}  # fmt: skip
_UPDATE: Json = {
    "AutoPromote": False, "AutoRevert": False, "Canary": 0, "HealthCheck": "checks", "HealthyDeadline": 300 * SECOND, "MaxParallel": 1,
    "MinHealthyTime": 10 * SECOND, "ProgressDeadline": 600 * SECOND, "Stagger": 30 * SECOND,
}  # fmt: skip
_GROUP_NULLS = (
    "Affinities Constraints Consul Disconnect MaxClientDisconnect MaxRunDuration Meta Networks Scaling Services Spreads "
    "StopAfterClientDisconnect Volumes"
)
_GROUP: Json = {
    **dict.fromkeys(_GROUP_NULLS.split()), "Count": 1, "EphemeralDisk": {"Migrate": False, "SizeMB": 300, "Sticky": False},
    "Migrate": {"HealthCheck": "checks", "HealthyDeadline": 300 * SECOND, "MaxParallel": 1, "MinHealthyTime": 10 * SECOND},
    "PreventRescheduleOnLost": False, "ShutdownDelay": 0,
}  # fmt: skip
_TEMPLATE: Json = {
    "ChangeMode": "restart", "ChangeScript": None, "ChangeSignal": "", "DestPath": "", "EmbeddedTmpl": "", "Envvars": False, "ErrMissingKey": False,
    "Gid": None, "LeftDelim": "{{", "Once": False, "Perms": "0644", "RightDelim": "}}", "SourcePath": "", "Splay": 5 * SECOND, "Uid": None,
    "VaultGrace": 0, "Wait": None,
}  # fmt: skip
_TASK_NULLS = (
    "Actions Affinities Artifacts CSIPluginConfig Constraints Consul DispatchPayload Env Identities Lifecycle Meta ScalingPolicies "
    "Schedule Secrets Services Templates Vault VolumeMounts"
)
_TASK: Json = {
    **dict.fromkeys(_TASK_NULLS.split()), "Config": {}, "KillSignal": "", "KillTimeout": 5 * SECOND, "Kind": "", "Leader": False,
    "Identity": {
        "Audience": ["nomadproject.io"], "ChangeMode": "", "ChangeSignal": "", "Env": False, "ExtraClaims": None, "File": False, "Filepath": "",
        "Name": "default", "ServiceName": "", "TTL": 0,
    },
    "LogConfig": {"Disabled": False, "MaxFileSizeMB": 10, "MaxFiles": 10}, "ShutdownDelay": 0, "User": "",
}  # fmt: skip
_RESOURCES: Json = {
    "CPU": 100,
    "Cores": 0, "Devices": None, "DiskMB": 0, "IOPS": 0, "MemoryMB": 300, "MemoryMaxMB": 0, "NUMA": None, "Networks": None, "SecretsMB": 0,
}  # fmt: skip
_SERVICE: Json = {
    "Address": "", "AddressMode": "auto", "CanaryMeta": None, "CanaryTags": None, "Checks": None, "Cluster": "default", "Connect": None,
    "EnableTagOverride": False, "Identity": None, "Kind": "", "Meta": None, "Namespace": "default", "OnUpdate": "require_healthy", "PortLabel": "",
    "Provider": "consul", "TaggedAddresses": None, "Tags": None, "TaskName": "", "Weights": None,
}  # fmt: skip
_CHECK: Json = {
    "AddressMode": "", "Args": None, "Body": "", "CheckRestart": None, "Command": "", "Expose": False, "FailuresBeforeCritical": 0,
    "FailuresBeforeWarning": 0,
    "GRPCService": "", "GRPCUseTLS": False, "Header": None, "InitialStatus": "", "Method": "", "Notes": "",
    "OnUpdate": "require_healthy", "Path": "", "PortLabel": "", "Protocol": "", "SuccessBeforePassing": 0,
    "TLSServerName": "", "TLSSkipVerify": False,
    "TaskName": "",
}  # fmt: skip
_DISCOVERY = [
    {"LTarget": "${attr.nomad.service_discovery}", "Operand": "=", "RTarget": "true"},
    {"LTarget": "${attr.nomad.version}", "Operand": "semver", "RTarget": ">= 1.4.0"},
]
SERVER_FIELDS = (
    "CreateIndex", "JobModifyIndex", "ModifyIndex", "Stable", "Status", "StatusDescription", "SubmitTime", "Version", "VersionTag", "Stop",
    "NomadTokenID",
)  # fmt: skip


def canonical(job: Mapping[str, Any]) -> Json:
    """A job as it comes back."""
    full = _over(JOB, job)
    full["Name"] = job.get("Name") or job["ID"]
    full["Stop"] = False
    full["TaskGroups"] = [_group(group, job.get("Update") or {}) for group in job.get("TaskGroups") or []]
    stagger = {"AutoPromote": False, "AutoRevert": False, "Canary": 0, "HealthCheck": "", "HealthyDeadline": 0}
    first = (full["TaskGroups"] or [{"Update": _UPDATE}])[0]["Update"]["MaxParallel"]
    rest = {"MaxParallel": first, "MinHealthyTime": 0, "ProgressDeadline": 0, "Stagger": 30 * SECOND}
    full["Update"] = {**stagger, **rest}
    return full


def _over(defaults: Mapping[str, Any], said: Mapping[str, Any]) -> Json:
    return {**copy.deepcopy(dict(defaults)), **{k: copy.deepcopy(v) for k, v in said.items() if v is not None}}


def _group(said: Mapping[str, Any], of_job: Mapping[str, Any]) -> Json:
    group = _over(_GROUP, said)
    group["Update"] = _over(_over(_UPDATE, of_job), said.get("Update") or {})
    group["RestartPolicy"] = _over(_RESTART, said.get("RestartPolicy") or {})
    group["ReschedulePolicy"] = _over(_RESCHEDULE, said.get("ReschedulePolicy") or {})
    group["Services"] = [_service(service) for service in said.get("Services") or []] or None
    group["Tasks"] = [_task(task, group["RestartPolicy"]) for task in said.get("Tasks") or []]
    if any(service["Provider"] == "nomad" for service in group["Services"] or []):
        kept = [rule for rule in group["Constraints"] or [] if rule not in _DISCOVERY]
        group["Constraints"] = [*kept, *copy.deepcopy(_DISCOVERY)]
    group["Networks"] = [_network(network) for network in said.get("Networks") or []] or None
    return group


def _network(said: Mapping[str, Any]) -> Json:
    network = {key: value for key, value in said.items() if value}
    for kind in ("DynamicPorts", "ReservedPorts"):
        if network.get(kind):
            network[kind] = [{"HostNetwork": "default", **port} for port in network[kind]]
    return network


def _service(said: Mapping[str, Any]) -> Json:
    named = {**_CHECK, "Name": f'service: "{said.get("Name") or ""}" check'}
    return {**_over(_SERVICE, said), "Checks": [_over(named, check) for check in said.get("Checks") or []] or None}


def _task(said: Mapping[str, Any], restart: Mapping[str, Any]) -> Json:
    task = _over(_TASK, said)
    task["Resources"] = _over(_RESOURCES, said.get("Resources") or {})
    task["RestartPolicy"] = _over(restart, said.get("RestartPolicy") or {})
    task["Services"] = [_service(service) for service in said.get("Services") or []] or None
    task["Templates"] = [_over(_TEMPLATE, template) for template in said.get("Templates") or []] or None
    task["Env"] = task["Env"] or None
    return task


def specification(job: Mapping[str, Any]) -> Json:
    """What somebody asked for, without what the server keeps."""
    return {key: value for key, value in job.items() if key not in SERVER_FIELDS}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether registering the one over the other would change nothing."""
    return specification(one) == specification(other)


_IN_PLACE = ("Count", "Update", "ReschedulePolicy", "Migrate", "Name", "Scaling", "Services", "ShutdownDelay")


def destructive(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> bool:
    """Whether an allocation of the group must be made anew; job meta alone does that."""
    before, after = group_of(old, name), group_of(new, name)
    if before is None or after is None:
        return True
    kept = [{key: value for key, value in group.items() if key not in _IN_PLACE} for group in (before, after)]
    return bool(kept[0] != kept[1] or (old.get("Meta") or {}) != (new.get("Meta") or {}))


def group_of(job: Mapping[str, Any], name: str) -> Json | None:
    """A group by its name."""
    return next((group for group in job.get("TaskGroups") or [] if group["Name"] == name), None)


def problem(job: Mapping[str, Any], namespaces: set[str], pools: set[str]) -> str:
    """Why the server will not have it, in its own words; empty when it will."""
    if " " in job["ID"]:
        return _errors("Job ID contains a space")
    if not job.get("TaskGroups"):
        return _errors("Missing job task groups")
    for group in canonical(job)["TaskGroups"]:
        if said := _group_problem(group):
            return _errors(f"Task group {group['Name']} validation failed: {said}")
    space, pool = job.get("Namespace") or "default", job.get("NodePool") or "default"
    if space not in namespaces:
        return _errors(f'job "{job["ID"]}" is in nonexistent namespace "{space}"')
    return "" if pool in pools else _errors(f'job "{job["ID"]}" is in nonexistent node pool "{pool}"')


def _group_problem(group: Json) -> str:
    update, names = group["Update"], [task["Name"] for task in group["Tasks"]]
    for task in group["Tasks"]:
        if not task.get("Driver"):
            return _errors(f"Task {task['Name']} validation failed: {_errors('Missing task driver')}")
    for index, name in enumerate(names):
        if name in names[:index]:
            return _errors(f"Task {index + 1} redefines '{name}' from task {names.index(name) + 1}")
    if update["AutoPromote"] and not update["Canary"]:
        return _errors("Auto Promote requires a Canary count greater than zero")
    if update["MinHealthyTime"] >= update["HealthyDeadline"]:
        words = f"{_go(update['MinHealthyTime'])} > {_go(update['HealthyDeadline'])}"
        return _errors(f"Minimum healthy time must be less than healthy deadline: {words}")
    if update["ProgressDeadline"] and update["HealthyDeadline"] >= update["ProgressDeadline"]:
        words = f"{_go(update['HealthyDeadline'])} > {_go(update['ProgressDeadline'])}"
        return _errors(f"Healthy deadline must be less than progress deadline: {words}")
    return ""


def _errors(words: str) -> str:
    return f"1 error occurred:\n\t* {words}\n\n"


def _go(nanoseconds: int) -> str:
    seconds = nanoseconds / SECOND
    return f"{seconds:g}s" if seconds < 60 else f"{int(seconds // 60)}m{seconds % 60:g}s"


# Differences, as a plan tells them.


def diff(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Json:
    """The Diff of a plan."""
    if old is None:
        said = _compare({}, _plain(new))
        groups = [_added(group) for group in new["TaskGroups"]]
        return {"Fields": said[0], "ID": new["ID"], "Objects": said[1], "TaskGroups": groups, "Type": "Added"}
    fields, objects = _compare({**_plain(old), "Stop": old["Stop"]}, {**_plain(new), "Stop": False})
    names = dict.fromkeys(group["Name"] for group in [*new["TaskGroups"], *old["TaskGroups"]])
    groups = [_group_diff(group_of(old, name), group_of(new, name)) for name in names]
    changed = bool(fields or objects or any(group["Type"] != "None" for group in groups))
    return {
        "Fields": fields, "ID": new["ID"], "Objects": objects, "TaskGroups": groups, "Type": "Edited" if changed else "None",
    }  # fmt: skip


def _plain(job: Mapping[str, Any]) -> Json:
    return {key: value for key, value in specification(job).items() if key not in {"TaskGroups", "Update", "ID"}}


def _added(group: Json) -> Json:
    fields, objects = _compare({}, {key: value for key, value in group.items() if key not in {"Tasks", "Name"}})
    tasks = [
        {"Annotations": ["forces create"], "Fields": a, "Name": task["Name"], "Objects": b, "Type": "Added"}
        for task in group["Tasks"]
        for a, b in [_compare({}, task)]
    ]
    return {"Fields": fields, "Name": group["Name"], "Objects": objects, "Tasks": tasks, "Type": "Added"}


def _group_diff(old: Json | None, new: Json | None) -> Json:
    if old is None or new is None:
        return {**_added(new or old or {}), "Type": "Added" if new else "Deleted"}
    fields, objects = _compare(
        {k: v for k, v in old.items() if k != "Tasks"}, {k: v for k, v in new.items() if k != "Tasks"}
    )
    before = {task["Name"]: task for task in old["Tasks"]}
    tasks = [_task_diff(before.get(task["Name"], {}), task) for task in new["Tasks"]]
    changed = fields or objects or any(task["Type"] != "None" for task in tasks)
    return {
        "Fields": fields, "Name": new["Name"], "Objects": objects, "Tasks": tasks, "Type": "Edited" if changed else "None",
    }  # fmt: skip


def _task_diff(old: Json, new: Json) -> Json:
    fields, objects = _compare(old, new)
    changed = bool(fields or objects)
    return {
        "Annotations": ["forces create/destroy update"] if changed else None, "Fields": fields, "Name": new["Name"], "Objects": objects,
        "Type": "Edited" if changed else "None",
    }  # fmt: skip


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[Json] | None, list[Json] | None]:
    """(fields that differ, objects that differ): maps of meta and environment count as fields."""
    fields, objects = [], []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name in {"Meta", "Env"}:
            for key in sorted({*(before or {}), *(after or {})}):
                fields += _field(f"{name}[{key}]", (before or {}).get(key), (after or {}).get(key))
        elif isinstance(before, dict | list) or isinstance(after, dict | list):
            flat = [
                field
                for key in sorted({*_flat(before), *_flat(after)})
                for field in _field(key, _flat(before).get(key), _flat(after).get(key), keep=True)
            ]
            objects.append({"Fields": flat, "Name": name, "Objects": None, "Type": _type(before, after)})
        else:
            fields += _field(name, before, after)
    return fields or None, objects or None


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        pairs = [(f"{prefix}.{key}" if prefix else key, inner) for key, inner in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{prefix}[{index}]", inner) for index, inner in enumerate(value)]
    else:
        return {} if value is None else {prefix: value}
    return {key: found for name, inner in pairs for key, found in _flat(inner, name).items()}


def _field(name: str, old: Any, new: Any, *, keep: bool = False) -> list[Json]:
    texts = [_text(old), _text(new)]
    if texts[0] == texts[1] and not keep:
        return []
    return [{"Annotations": None, "Name": name, "New": texts[1], "Old": texts[0], "Type": _type(old, new)}]


def _type(old: Any, new: Any) -> str:
    if old == new:
        return "None"
    return "Added" if old in (None, [], {}) else "Deleted" if new in (None, [], {}) else "Edited"


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def fits(constraint: Mapping[str, str], attributes: Mapping[str, str]) -> bool:
    """Whether a node with these attributes satisfies a constraint."""
    value = re.sub(r"\$\{([^}]*)\}", lambda match: attributes.get(match[1], ""), constraint["LTarget"])
    wanted, operand = constraint["RTarget"], constraint.get("Operand") or "="
    if operand == "regexp":
        return re.search(wanted, value) is not None
    return operand == "semver" or (value == wanted) == (operand in {"=", "==", "is"})
