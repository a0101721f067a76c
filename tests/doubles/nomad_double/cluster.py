"""The double's state: tables with indexes, and the commands that change them. What follows from a change is the scheduler's (scheduler.py)."""

import copy
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.doubles.nomad_double import canonical
from tests.doubles.nomad_double.played import Player, Task, by_environment

Json = dict[str, Any]
Key = tuple[str, str]
GIB = 1024


class Refusal(Exception):
    """An answer that is no success, in Nomad's words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(eq=False)
class Alloc:
    """An allocation; `job` is the version it was placed, or last updated in place, with."""

    id: str
    name: str
    group: str
    eval: str
    job: Json
    deployment: str
    canary: bool
    ports: Json
    previous: "Alloc | None"
    index: int
    created: int
    next: str = ""
    desired: str = "run"
    desired_words: str = ""
    client: str = "pending"
    modified: int = 0
    alloc_modified: int = 0
    status: Json | None = None
    tasks: dict[str, Task] = field(default_factory=dict)
    states: dict[str, Json] = field(default_factory=dict)
    checks: dict[str, Json] = field(default_factory=dict)
    checked: float = 0.0
    well_since: float | None = None
    again_at: dict[str, float] = field(default_factory=dict)
    born: float = field(default_factory=time.monotonic)
    """When its health deadline began to run: at its placing, or at its last update in place."""
    killed: float | None = None
    replace_at: float | None = None
    judged: bool = False

    @property
    def over(self) -> bool:
        return self.client in {"complete", "failed", "lost"}

    @property
    def version(self) -> int:
        return int(self.job["Version"])

    @property
    def spec(self) -> Json:
        group = canonical.group_of(self.job, self.group)
        assert group is not None
        return group


class Cluster:
    """`delays`: what Nomad's own waiting is divided by; `deadlines`: the same for its deadlines."""

    def __init__(self, player: Player = by_environment, *, delays: float = 10.0, deadlines: float = 1.0) -> None:
        self.lock = threading.Condition(threading.RLock())
        self.player, self.delays, self.deadlines = player, delays, deadlines
        self.index = 1000
        self.tables: dict[str, int] = dict.fromkeys(("jobs", "allocs", "deployment", "evals", "variables"), 1000)
        self.versions: dict[Key, list[Json]] = {}
        self.allocs: dict[str, Alloc] = {}
        self.deployments: dict[str, Json] = {}
        self.evals: dict[str, Json] = {}
        self.variables: dict[Key, Json] = {}
        self.namespaces, self.pools = {"default"}, {"default"}
        self.region = "global"
        self.attributes = {
            "attr.cpu.arch": "amd64",
            "attr.kernel.name": "linux",
            "attr.nomad.service_discovery": "true",
            "node.datacenter": "dc1",
        }
        self.memory = 8 * GIB
        self.next_eval: dict[str, float] = {}
        """When the deployment watcher looks again, by deployment: it collects what happens."""
        self.require_by: dict[tuple[str, str], float] = {}
        self.created: Counter[str] = Counter()
        self.started: Counter[str] = Counter()

    # reading

    def current(self, key: Key) -> Json | None:
        versions = self.versions.get(key)
        return versions[0] if versions else None

    def allocs_of(self, key: Key) -> list[Alloc]:
        return [alloc for alloc in self.allocs.values() if (alloc.job["Namespace"], alloc.job["ID"]) == key]

    def deployments_of(self, key: Key) -> list[Json]:
        return [d for d in self.deployments.values() if (d["Namespace"], d["JobID"]) == key]

    def deployment_of(self, job: Json) -> Json | None:
        """That of exactly this version."""
        found = [d for d in self.deployments_of((job["Namespace"], job["ID"])) if d["JobVersion"] == job["Version"]]
        return max(found, key=lambda d: d["CreateIndex"], default=None)

    # writing

    def touch(self, *tables: str) -> int:
        """A new index for what has just changed."""
        self.index += 1
        for table in tables:
            self.tables[table] = self.index
        self.lock.notify_all()
        return self.index

    def register(self, said: Json, enforce: bool, index: int) -> Json:
        """A registration, or a refusal in Nomad's words."""
        if words := canonical.problem(said, self.namespaces, self.pools):
            raise Refusal(500, words)
        job = canonical.canonical(said)
        key = (job["Namespace"], job["ID"])
        present = self.current(key)
        if enforce:
            _enforce(present, index)
        if present and not present["Stop"] and canonical.same(present, job):
            return self._evaluated(present, "job-register", JobModifyIndex=present["JobModifyIndex"])
        return self.add_version(job, "job-register", said.get("VersionTag"))

    def add_version(self, job: Json, why: str, tag: Json | None = None) -> Json:
        """Make this the job's newest version, and have it evaluated. A mark is copied by who scales or stops it, or sends one along."""
        key = (job["Namespace"], job["ID"])
        present = self.current(key)
        now = self.touch("jobs", "evals")
        job |= {
            "CreateIndex": present["CreateIndex"] if present else now,
            "JobModifyIndex": now, "ModifyIndex": now, "Version": present["Version"] + 1 if present else 0, "SubmitTime": time.time_ns(),
            "Status": "dead" if job["Stop"] else "running", "VersionTag": tag,
        }  # fmt: skip
        self.versions.setdefault(key, []).insert(0, job)
        kept = [v for place, v in enumerate(self.versions[key]) if place < 6 or v["VersionTag"]]
        self.versions[key] = kept
        return self._evaluated(job, why, index=now)

    def stop(self, key: Key, purge: bool) -> Json:
        """A stop is a version of its own; a purge forgets everything at once."""
        present = self.current(key)
        gone = {"VolumeEvalID": "", "VolumeEvalIndex": 0}
        if present is None:
            return {**_written(0), "EvalCreateIndex": 0, "EvalID": "", "JobModifyIndex": 0, **gone}
        if not purge:
            answer = self.add_version({**copy.deepcopy(present), "Stop": True}, "job-deregister", present["VersionTag"])
        else:
            answer = self._evaluated(
                present, "job-deregister", index=self.touch("jobs", "evals", "allocs", "deployment")
            )
            self._forget(key)
        return {**{k: v for k, v in answer.items() if k != "Warnings"}, **gone}

    def _forget(self, key: Key) -> None:
        for alloc in self.allocs_of(key):
            for task in alloc.tasks.values():
                task.stop()
            del self.allocs[alloc.id]
        for deployment in self.deployments_of(key):
            del self.deployments[deployment["ID"]]
        del self.versions[key]

    def scale(self, key: Key, group: str, count: int) -> Json:
        """A version of its own, to which the mark of the one before is copied."""
        job = copy.deepcopy(self.current(key))
        if job is None:
            raise Refusal(404, f'job "{key[1]}" not found')
        next(said for said in job["TaskGroups"] if said["Name"] == group)["Count"] = count
        return self.add_version(job, "job-scaling", tag=job["VersionTag"])

    def revert(self, key: Key, version: int) -> Json:
        """An older version anew, its meta with it."""
        present = self.current(key)
        if present is None:
            raise Refusal(500, f'job "{key[1]}" not found')
        if version == present["Version"]:
            raise Refusal(500, "can't revert to current version")
        found = next((v for v in self.versions[key] if v["Version"] == version), None)
        if found is None:
            raise Refusal(500, f'job "{key[1]}" in namespace "{key[0]}" at version {version} not found')
        return self.add_version({**copy.deepcopy(found), "Stable": False, "Stop": False}, "job-register")

    def tag(self, key: Key, name: str, version: int, words: str) -> Json:
        """Mark a version."""
        for other in self.versions.get(key, []):
            if other["VersionTag"] and other["VersionTag"]["Name"] == name and other["Version"] != version:
                raise Refusal(500, f'tag "{name}" already exists on a different version of job "{key[1]}"')
        found = next((v for v in self.versions.get(key, []) if v["Version"] == version), None)
        if found is None:
            raise Refusal(500, f'job "{key[1]}" version {version} not found')
        found["VersionTag"] = {"Name": name, "Description": words, "TaggedTime": time.time_ns()}
        return {**_written(self.touch("jobs")), **found["VersionTag"]}

    def untag(self, key: Key, name: str) -> Json:
        """Take the mark away."""
        for version in self.versions.get(key, []):
            if version["VersionTag"] and version["VersionTag"]["Name"] == name:
                version["VersionTag"] = None
                return {**_written(self.touch("jobs")), "Name": "", "Description": "", "TaggedTime": 0}
        raise Refusal(500, f'tag "{name}" not found on job "{key[1]}"')

    def put_variable(self, key: Key, items: Any, cas: str | None) -> tuple[int, Json]:
        """(status, body) of a write."""
        if not items:
            raise Refusal(400, "variable missing required Items object")
        if not all(isinstance(value, str) for value in items.values()):
            raise Refusal(
                400, "json: cannot unmarshal number into Go struct field VariableDecrypted.Items of type string"
            )
        present = self.variables.get(key)
        if cas is not None and not cas.isdigit():
            raise Refusal(400, f'can not parse cas: strconv.ParseUint: parsing "{cas}": invalid syntax')
        if sum(len(k) + len(v) for k, v in items.items()) > 64 * 1024:
            raise Refusal(400, "RPC Error:: 400,variables are limited to 64KiB in total size")
        if cas is not None and int(cas) != (present["ModifyIndex"] if present else 0):
            return 409, present or self._no_variable(key)
        now, stamp = self.touch("variables"), time.time_ns()
        self.variables[key] = {
            "CreateIndex": present["CreateIndex"] if present else now, "CreateTime": present["CreateTime"] if present else stamp,
            "Items": dict(items), "ModifyIndex": now, "ModifyTime": stamp, "Namespace": key[0], "Path": key[1],
        }  # fmt: skip
        return 200, self.variables[key]

    def _no_variable(self, key: Key) -> Json:
        zeros = dict.fromkeys(("CreateIndex", "CreateTime", "ModifyIndex", "ModifyTime"), 0)
        return {**zeros, "Namespace": key[0], "Path": key[1]}

    def drop_variable(self, key: Key, cas: str | None) -> tuple[int, Json | None]:
        """(status, body) of a delete."""
        present = self.variables.get(key)
        if cas is not None and int(cas) != (present["ModifyIndex"] if present else 0):
            return 409, present or self._no_variable(key)
        self.variables.pop(key, None)
        self.touch("variables")
        return 204, None

    # evaluations and deployments

    def evaluation(self, job: Json, why: str, *, index: int = 0, **more: Any) -> Json:
        """A pending evaluation."""
        now, stamp = index or self.touch("evals"), time.time_ns()
        made = {
            "CreateIndex": now, "CreateTime": stamp, "ID": new_id(), "JobID": job["ID"], "ModifyIndex": now, "ModifyTime": stamp,
            "Namespace": job["Namespace"], "Priority": 50, "Status": "pending", "TriggeredBy": why, "Type": job["Type"], **more,
        }  # fmt: skip
        self.evals[made["ID"]] = made
        return made

    def _evaluated(self, job: Json, why: str, *, index: int = 0, **more: Any) -> Json:
        made = self.evaluation(job, why, index=index, JobModifyIndex=job["JobModifyIndex"])
        answer = {
            "EvalCreateIndex": made["CreateIndex"],
            "EvalID": made["ID"],
            "JobModifyIndex": made["CreateIndex"],
            **more,
        }
        return {**_written(made["CreateIndex"]), **answer, "Warnings": warnings(job)}

    def end_deployment(self, deployment: Json, status: str, words: str) -> None:
        """Give it its last state."""
        now = self.touch("deployment")
        deployment |= {"Status": status, "StatusDescription": words, "ModifyIndex": now, "ModifyTime": time.time_ns()}

    def steered(self, id: str, verb: str) -> Json:
        """One that is not over. Raises Refusal."""
        deployment = self.deployments.get(id)
        if deployment is None:
            raise Refusal(500, "deployment not found")
        if deployment["Status"] not in {"running", "paused"}:
            raise Refusal(500, f"can't {verb} terminal deployment")
        return deployment

    def promote(self, id: str) -> Json:
        """Let the canaries become the new version."""
        deployment = self.steered(id, "promote")
        lacking = []
        for name, group in deployment["TaskGroups"].items():
            canaries = [self.allocs[c] for c in group["PlacedCanaries"] or []]
            healthy = sum((alloc.status or {}).get("Healthy") is True for alloc in canaries)
            if healthy < group["DesiredCanaries"]:
                lacking.append(f'Task group "{name}" has {healthy}/{group["DesiredCanaries"]} healthy allocations')
        if lacking:
            raise Refusal(500, f"1 error occurred:\n\t* {lacking[0]}\n\n")
        for name, group in deployment["TaskGroups"].items():
            group["Promoted"] = True
            self.set_deadline(deployment, name)
            for alloc in [self.allocs[c] for c in group["PlacedCanaries"] or []]:
                alloc.canary, alloc.status = False, {**(alloc.status or {}), "Canary": False}
        deployment["StatusDescription"] = "Deployment is running"
        return self._steered(deployment)

    def fail(self, id: str) -> Json:
        """Mark it as failed; nothing more is placed for it."""
        deployment = self.steered(id, "fail")
        self.end_deployment(deployment, "failed", "Deployment marked as failed")
        return self._steered(deployment)

    def pause(self, id: str, pause: bool) -> Json:
        """Hold it, or let it go on."""
        deployment = self.steered(id, "pause" if pause else "resume")
        words = "Deployment is paused" if pause else "Deployment is running"
        self.end_deployment(deployment, "paused" if pause else "running", words)
        answer = self._steered(deployment) if not pause else {"EvalID": "", "EvalCreateIndex": 0}
        return {
            **answer,
            "DeploymentModifyIndex": deployment["ModifyIndex"],
            "RevertedJobVersion": None,
            "Index": self.index,
        }

    def _steered(self, deployment: Json) -> Json:
        now = self.touch("deployment", "evals", "allocs")
        deployment["ModifyIndex"] = now
        job = self.current((deployment["Namespace"], deployment["JobID"])) or {}
        made = self.evaluation(job, "deployment-watcher", index=now, DeploymentID=deployment["ID"])
        return {
            "DeploymentModifyIndex": now, "EvalCreateIndex": now, "EvalID": made["ID"], "Index": now, "RevertedJobVersion": None,
        }  # fmt: skip

    def set_deadline(self, deployment: Json, name: str) -> None:
        """Progress was made: the deadline moves."""
        group = deployment["TaskGroups"][name]
        seconds = group["ProgressDeadline"] / canonical.SECOND
        if seconds:
            self.require_by[deployment["ID"], name] = time.monotonic() + seconds / self.deadlines
        group["RequireProgressBy"] = stamp(time.time_ns() + group["ProgressDeadline"])

    def each(self, holds: Callable[[Alloc], bool]) -> Iterator[Alloc]:
        """Allocations that are so, the oldest first."""
        yield from sorted((a for a in self.allocs.values() if holds(a)), key=lambda a: (a.index, a.name))


def new_id() -> str:
    """As Nomad's: 36 characters, in no order."""
    return str(uuid.UUID(bytes=os.urandom(16)))


def stamp(nanoseconds: int) -> str:
    """RFC 3339 with nanoseconds."""
    seconds, rest = divmod(nanoseconds, canonical.SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def warnings(job: Mapping[str, Any]) -> str:
    """What the server remarks about a job that it takes."""
    bare = [
        group["Name"]
        for group in job.get("TaskGroups") or []
        if group.get("Services") and not group.get("ShutdownDelay")
    ]
    if not bare:
        return ""
    said = [
        f'* group "{name}" defines services, but neither the group nor any of its tasks have shutdown_delay set'
        for name in bare
    ]
    return f"{len(said)} warning{'s' if len(said) > 1 else ''}:\n\n" + "\n".join(said)


def _written(index: int) -> Json:
    return {"Index": index, "KnownLeader": False, "LastContact": 0, "NextToken": ""}


def _enforce(present: Json | None, index: int) -> None:
    """The check index of a registration."""
    if present is None and index:
        raise Refusal(500, f"Enforcing job modify index {index}: job does not exist")
    if present is not None and index == 0:
        raise Refusal(500, "Enforcing job modify index 0: job already exists")
    if present is not None and index != present["JobModifyIndex"]:
        words = f"job exists with conflicting job modify index: {present['JobModifyIndex']}"
        raise Refusal(500, f"Enforcing job modify index {index}: {words}")
