"""The double's HTTP side: addresses, blocking reads, indexes, the refusals that come before any of it."""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.doubles.nomad_double import agent, canonical, hcl, shapes
from tests.doubles.nomad_double.cluster import Cluster, Json, Key, Refusal, warnings
from tests.doubles.nomad_double.scheduler import Scheduler

_DURATION = re.compile(r"([0-9.]+)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_UUID_LENGTH = 36


class Answer:
    """A status, a body (text or JSON) and, where Nomad gives one, an index."""

    def __init__(self, body: Any, *, status: int = 200, index: int | None = None, read: bool = False) -> None:
        self.body, self.status, self.index, self.read = body, status, index, read


class Front:
    """Answers requests from a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.c, self.scheduler = cluster, Scheduler(cluster)

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """One request."""
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        path = unquote(parts.path).removeprefix("/v1/")
        try:
            if path != "regions" and query.get("region") not in {None, self.c.region}:
                raise Refusal(500, "No path to region")
            if method == "GET":
                return self._blocking(path, query)
            with self.c.lock:
                return self._write(method, path, query, body)
        except Refusal as no:
            return Answer(no.words, status=no.status)

    # reads

    def _blocking(self, path: str, query: dict[str, str]) -> Answer:
        """An index that has been passed answers at once; else the answer comes with the next change, or when the wait is over."""
        after, wait = _index(query), _wait(query)
        until = time.monotonic() + wait
        with self.c.lock:
            while True:
                found = self._read(path, query)
                left = until - time.monotonic()
                if not found.read or not after or (found.index or 0) > after or left <= 0:
                    return found
                self.c.lock.wait(left)

    def _read(self, path: str, query: dict[str, str]) -> Answer:
        for pattern, method in _READS:
            if match := re.fullmatch(pattern, path):
                handler: Callable[..., Answer] = getattr(self, method)
                return handler(query, *match.groups())
        known = any(re.fullmatch(pattern, path) for _, pattern, _ in _WRITES)
        raise Refusal(405, "Invalid method") if known else Refusal(404, "")

    def _leader(self, query: dict[str, str]) -> Answer:
        return Answer("127.0.0.1:14647", status=200)

    def _regions(self, query: dict[str, str]) -> Answer:
        return Answer([self.c.region])

    def _health(self, query: dict[str, str]) -> Answer:
        return Answer({"client": {"message": "ok", "ok": True}, "server": {"message": "ok", "ok": True}})

    def _self(self, query: dict[str, str]) -> Answer:
        return Answer(agent.SELF)

    def _nodes(self, query: dict[str, str]) -> Answer:
        return Answer([agent.NODE], index=agent.NODE["ModifyIndex"], read=True)

    def _jobs(self, query: dict[str, str]) -> Answer:
        space = query.get("namespace", "default")
        return self._list([{"ID": v[0]["ID"], **v[0]} for k, v in self.c.versions.items() if k[0] == space], "jobs")

    def _job(self, query: dict[str, str], id: str) -> Answer:
        job = self.c.current(_key(query, id))
        return self._object(job, "jobs", "job not found")

    def _versions(self, query: dict[str, str], id: str) -> Answer:
        found = self.c.versions.get(_key(query, id))
        if found is None:
            return Answer("job versions not found", status=404, index=self.c.tables["jobs"], read=True)
        rest = {"Diffs": None, "Index": found[0]["ModifyIndex"], "KnownLeader": True, "LastContact": 0, "NextToken": ""}
        return Answer({**rest, "Versions": found}, index=found[0]["ModifyIndex"], read=True)

    def _job_allocations(self, query: dict[str, str], id: str) -> Answer:
        return self._list([shapes.stub(a) for a in self.c.allocs_of(_key(query, id))], "allocs")

    def _job_evaluations(self, query: dict[str, str], id: str) -> Answer:
        key = _key(query, id)
        return self._list([e for e in self.c.evals.values() if (e["Namespace"], e["JobID"]) == key], "evals")

    def _job_deployments(self, query: dict[str, str], id: str) -> Answer:
        return self._list(self.c.deployments_of(_key(query, id)), "deployment")

    def _job_deployment(self, query: dict[str, str], id: str) -> Answer:
        found = max(self.c.deployments_of(_key(query, id)), key=lambda d: d["CreateIndex"], default=None)
        return Answer(found, index=found["ModifyIndex"] if found else self.c.tables["deployment"], read=True)

    def _deployments(self, query: dict[str, str]) -> Answer:
        prefix = query.get("prefix", "")
        if re.search(r"[^0-9a-f-]", prefix):
            raise Refusal(500, "index error: Input (without hyphens) must be even length")
        return self._list([d for d in self.c.deployments.values() if d["ID"].startswith(prefix)], "deployment")

    def _deployment(self, query: dict[str, str], id: str) -> Answer:
        _full(id, "deployment lookup failed")
        return self._object(self.c.deployments.get(id), "deployment", "deployment not found")

    def _deployment_allocations(self, query: dict[str, str], id: str) -> Answer:
        return self._list([shapes.stub(a) for a in self.c.allocs.values() if a.deployment == id], "allocs")

    def _evaluation(self, query: dict[str, str], id: str) -> Answer:
        _full(id, "failed to lookup eval: eval lookup failed")
        return self._object(self.c.evals.get(id), "evals", "eval not found")

    def _evaluation_allocations(self, query: dict[str, str], id: str) -> Answer:
        return self._list([shapes.stub(a) for a in self.c.allocs.values() if a.eval == id], "allocs")

    def _allocation(self, query: dict[str, str], id: str) -> Answer:
        _full(id, "alloc lookup failed")
        alloc = self.c.allocs.get(id)
        return self._object(shapes.full(alloc) if alloc else None, "allocs", "alloc not found")

    def _checks(self, query: dict[str, str], id: str) -> Answer:
        if id not in self.c.allocs:
            raise Refusal(404, f'Unknown allocation "{id}"')
        return Answer(self.c.allocs[id].checks)

    def _logs(self, query: dict[str, str], id: str) -> Answer:
        alloc, task = self.c.allocs.get(id), query.get("task", "")
        if alloc is None:
            raise Refusal(404, f'Unknown allocation "{id}"')
        if task not in {one["Name"] for one in alloc.spec["Tasks"]}:
            raise Refusal(400, f'unknown task name "{task}"')
        if query.get("type") not in {"stdout", "stderr"}:
            raise Refusal(400, "must provide log type (stdout/stderr)")
        if not alloc.states.get(task, {}).get("StartedAt"):
            raise Refusal(404, f'task "{task}" not started yet. No logs available')
        plain, offset = query.get("plain", "").lower() == "true", int(query.get("offset", "0"))
        return Answer(shapes.log(alloc, task, query["type"], query.get("origin", "start"), offset, plain), index=-1)

    def _variable(self, query: dict[str, str], path: str) -> Answer:
        return self._object(self.c.variables.get(_key(query, path)), "variables", "variable not found")

    def _variables(self, query: dict[str, str]) -> Answer:
        space, prefix = query.get("namespace", "default"), query.get("prefix", "")
        kept = [v for (s, p), v in sorted(self.c.variables.items()) if s == space and p.startswith(prefix)]
        bare = [{key: value for key, value in v.items() if key != "Items"} for v in kept]
        return Answer(bare, index=self.c.tables["variables"], read=True)

    def _service(self, query: dict[str, str], name: str) -> Answer:
        return Answer([], index=self.c.tables["allocs"], read=True)

    def _object(self, found: Json | None, table: str, missing: str) -> Answer:
        if found is None:
            return Answer(missing, status=404, index=self.c.tables[table], read=True)
        return Answer(found, index=found["ModifyIndex"], read=True)

    def _list(self, found: list[Json], table: str) -> Answer:
        return Answer(shapes.unsorted(found), index=self.c.tables[table], read=True)

    # writes

    def _write(self, method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
        for verbs, pattern, name in _WRITES:
            if method in verbs and (match := re.fullmatch(pattern, path)):
                handler: Callable[..., Answer] = getattr(self, name)
                said = {} if method == "DELETE" else _json(body)
                return handler(query, said, *match.groups())
        raise Refusal(405, "Invalid method")

    def _register(self, query: dict[str, str], said: Json, id: str = "") -> Answer:
        job = _job_in(said)
        if id and id != job["ID"]:
            raise Refusal(400, "Job ID does not match name")
        answer = self.c.register(
            self._placed(job, query), bool(said.get("EnforceIndex")), int(said.get("JobModifyIndex") or 0)
        )
        return Answer(answer, index=answer["Index"])

    def _plan(self, query: dict[str, str], said: Json, id: str) -> Answer:
        job = self._placed(_job_in(said), query)
        if id != job["ID"]:
            raise Refusal(400, "Job ID does not match")
        if words := canonical.problem(job, self.c.namespaces, self.c.pools):
            raise Refusal(500, words)
        full = canonical.canonical(job)
        present = self.c.current((full["Namespace"], id))
        same = bool(present) and not present["Stop"] and canonical.same(present, full)
        steps = self.scheduler.planner.steps(present if same else full, present)
        return Answer(
            shapes.planned(full, present, steps, bool(said.get("Diff")), warnings(full)), index=self.c.tables["jobs"]
        )

    def _validate(self, query: dict[str, str], said: Json) -> Answer:
        words = canonical.problem(
            self._placed(_job_in(said), query), self.c.namespaces | {said["Job"].get("Namespace")}, self.c.pools
        )
        listed = [words.removeprefix("1 error occurred:\n\t* ").removesuffix("\n\n")] if words else None
        return Answer(
            {
                "DriverConfigValidated": True,
                "Error": words,
                "ValidationErrors": listed,
                "Warnings": warnings(said["Job"]),
            }
        )

    def _parse(self, query: dict[str, str], said: Json) -> Answer:
        try:
            return Answer(hcl.job(said["JobHCL"]))
        except hcl.Unreadable as error:
            raise Refusal(400, f"Failed to parse job: input.hcl:{error}") from error

    def _placed(self, job: Json, query: dict[str, str]) -> Json:
        if job.get("Region") not in {None, self.c.region}:
            raise Refusal(500, "No path to region")
        space = job.get("Namespace") or query.get("namespace") or "default"
        return {**job, "Region": self.c.region, "Namespace": space}

    def _stop(self, query: dict[str, str], said: Json, id: str) -> Answer:
        answer = self.c.stop(_key(query, id), query.get("purge", "").lower() == "true")
        return Answer(answer, index=answer["Index"])

    def _revert(self, query: dict[str, str], said: Json, id: str) -> Answer:
        answer = self.c.revert(_key(query, id), said["JobVersion"])
        return Answer(answer, index=answer["Index"])

    def _scale(self, query: dict[str, str], said: Json, id: str) -> Answer:
        answer = self.c.scale(_key(query, id), said["Target"]["Group"], said["Count"])
        return Answer(answer, index=answer["Index"])

    def _tag(self, query: dict[str, str], said: Json, id: str, name: str) -> Answer:
        return Answer(self.c.tag(_key(query, id), name, said["Version"], said.get("Description", "")))

    def _untag(self, query: dict[str, str], said: Json, id: str, name: str) -> Answer:
        return Answer(self.c.untag(_key(query, id), name))

    def _promote(self, query: dict[str, str], said: Json, id: str) -> Answer:
        return Answer(self.c.promote(id), index=self.c.index)

    def _fail(self, query: dict[str, str], said: Json, id: str) -> Answer:
        return Answer(self.c.fail(id), index=self.c.index)

    def _pause(self, query: dict[str, str], said: Json, id: str) -> Answer:
        return Answer(self.c.pause(id, said["Pause"]), index=self.c.index)

    def _health_set(self, query: dict[str, str], said: Json, id: str) -> Answer:
        self.c.steered(id, "set health of")
        raise Refusal(501, "the double does not do this")

    def _put(self, query: dict[str, str], said: Json, path: str) -> Answer:
        if path.startswith("nomad/") and not path.startswith(("nomad/jobs", "nomad/job-templates")):
            words = 'only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level "nomad" directory'
            raise Refusal(400, f"RPC Error:: 400,{words}")
        if re.search(r"[^A-Za-z0-9_~/-]", path):
            raise Refusal(400, f'RPC Error:: 400,invalid path "{path}"')
        status, body = self.c.put_variable(_key(query, path), said.get("Items"), query.get("cas"))
        return Answer(body, status=status, index=self.c.tables["variables"])

    def _drop(self, query: dict[str, str], said: Json, path: str) -> Answer:
        status, body = self.c.drop_variable(_key(query, path), query.get("cas"))
        return Answer(body, status=status, index=self.c.tables["variables"])


_READS = (
    ("regions", "_regions"),
    ("status/leader", "_leader"), ("agent/health", "_health"), ("agent/self", "_self"), ("nodes", "_nodes"), ("jobs", "_jobs"),
    ("job/([^/]+)", "_job"),
    ("job/([^/]+)/versions", "_versions"), ("job/([^/]+)/allocations", "_job_allocations"), ("job/([^/]+)/evaluations", "_job_evaluations"),
    ("job/([^/]+)/deployments", "_job_deployments"), ("job/([^/]+)/deployment", "_job_deployment"), ("deployments", "_deployments"),
    ("deployment/allocations/([^/]+)", "_deployment_allocations"), ("deployment/([^/]+)", "_deployment"),
    ("evaluation/([^/]+)", "_evaluation"), ("evaluation/([^/]+)/allocations", "_evaluation_allocations"), ("allocation/([^/]+)", "_allocation"),
    ("client/allocation/([^/]+)/checks", "_checks"), ("client/fs/logs/([^/]+)", "_logs"), ("var/(.+)", "_variable"), ("vars", "_variables"),
    ("service/([^/]+)", "_service"),
)  # fmt: skip
_SET = {"POST", "PUT"}
_WRITES = (
    (_SET, "jobs", "_register"), (_SET, "jobs/parse", "_parse"), (_SET, "validate/job", "_validate"), (_SET, "job/([^/]+)", "_register"),
    (_SET, "job/([^/]+)/plan", "_plan"), (_SET, "job/([^/]+)/revert", "_revert"), (_SET, "job/([^/]+)/scale", "_scale"),
    (_SET, "job/([^/]+)/versions/([^/]+)/tag", "_tag"),
    ({"DELETE"}, "job/([^/]+)/versions/([^/]+)/tag", "_untag"), ({"DELETE"}, "job/([^/]+)", "_stop"),
    (_SET, "deployment/promote/([^/]+)", "_promote"), (_SET, "deployment/fail/([^/]+)", "_fail"), (_SET, "deployment/pause/([^/]+)", "_pause"),
    (_SET, "deployment/allocation-health/([^/]+)", "_health_set"), (_SET, "var/(.+)", "_put"), ({"DELETE"}, "var/(.+)", "_drop"),
)  # fmt: skip


def _key(query: dict[str, str], name: str) -> Key:
    return query.get("namespace") or "default", name


def _json(body: bytes) -> Json:
    if not body:
        raise Refusal(400, "Request body is empty")
    try:
        said = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "invalid character 'n' looking for beginning of object key string") from error
    if not isinstance(said, dict):
        raise Refusal(400, "json: cannot unmarshal array into Go value of type api.JobRegisterRequest")
    return said


def _job_in(said: Json) -> Json:
    job = said.get("Job")
    if not job:
        raise Refusal(400, "Job must be specified")
    if not job.get("ID"):
        raise Refusal(400, "Job ID hasn't been provided")
    for group in job.get("TaskGroups") or []:
        if isinstance(group.get("Count"), str):
            words = "json: cannot unmarshal string into Go struct field TaskGroup.Job.TaskGroups.Count of type int"
            raise Refusal(400, words)
    return dict(job)


def _full(id: str, words: str) -> None:
    if len(id) != _UUID_LENGTH:
        raise Refusal(500, f"{words}: index error: UUID must be 36 characters")


def _index(query: dict[str, str]) -> int:
    text = query.get("index", "0")
    if not text.isdigit():
        raise Refusal(400, "Invalid index")
    return int(text)


def _wait(query: dict[str, str]) -> float:
    text = query.get("wait")
    if text is None:
        return 300.0
    match = _DURATION.fullmatch(text)
    if not match:
        raise Refusal(400, "Invalid wait time")
    return float(match[1]) * _UNITS[match[2]] * 1.03
