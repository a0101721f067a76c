"""What the double's server does by itself, tick by tick: evaluate, place, follow deployments."""

import time
from typing import Any

from tests.doubles.nomad_double import canonical
from tests.doubles.nomad_double.cluster import Alloc, Cluster, new_id
from tests.doubles.nomad_double.node import Node, given
from tests.doubles.nomad_double.planning import Planner, Step

Json = dict[str, Any]


class Scheduler:
    """Works on a cluster under its lock."""

    def __init__(self, cluster: Cluster) -> None:
        self.c, self.planner, self.node = cluster, Planner(cluster), Node(cluster)

    def tick(self) -> None:
        """Everything that is due."""
        with self.c.lock:
            for made in [e for e in self.c.evals.values() if e["Status"] == "pending"]:
                self.evaluate(made)
            for alloc in list(self.c.each(lambda a: not a.over)):
                self.node.live(alloc)
            for alloc in list(self.c.each(lambda a: a.replace_at is not None)):
                self.reschedule(alloc)
            for deployment in list(self.c.deployments.values()):
                self.watch(deployment)

    # evaluating

    def evaluate(self, made: Json) -> None:
        """One evaluation: cancel what is overtaken, do the next step, say what could not be placed."""
        job = self.c.current((made["Namespace"], made["JobID"]))
        if job is None:
            self._complete(made, {})
            return
        self._overtake(job)
        steps = self.planner.steps(job, job)
        deployment = self._deployment_for(job, steps)
        for name, step in steps.items():
            self._carry_out(job, name, step, deployment, made)
        failed = {name: step.failed for name, step in steps.items() if step.failed}
        self._complete(made, steps, deployment, failed)

    def _overtake(self, job: Json) -> None:
        words = "Cancelled because job is stopped" if job["Stop"] else "Cancelled due to newer version of job"
        for deployment in self.c.deployments_of((job["Namespace"], job["ID"])):
            if deployment["Status"] in {"running", "paused"} and (deployment["JobVersion"] < job["Version"]):
                self.c.end_deployment(deployment, "cancelled", words)
        for old in self.c.evals.values():
            if old["Status"] == "blocked" and (old["Namespace"], old["JobID"]) == (job["Namespace"], job["ID"]):
                old |= {
                    "Status": "canceled",
                    "ModifyIndex": self.c.touch("evals"),
                    "StatusDescription": "canceled after more recent eval was processed",
                }

    def _deployment_for(self, job: Json, steps: dict[str, Step]) -> Json | None:
        found = self.c.deployment_of(job)
        if found or job["Stop"] or job["Type"] != "service" or not any(step.changes for step in steps.values()):
            return found
        now, when = self.c.touch("deployment"), time.time_ns()
        groups = {g["Name"]: self._state(job, g, steps[g["Name"]]) for g in job["TaskGroups"]}
        canary = any(group["DesiredCanaries"] for group in groups.values())
        words = "Deployment is running but requires manual promotion" if canary else "Deployment is running"
        made = {
            "CreateIndex": now, "CreateTime": when, "EvalPriority": 50, "ID": new_id(), "IsMultiregion": False,
            "JobCreateIndex": job["CreateIndex"], "JobID": job["ID"], "JobModifyIndex": job["JobModifyIndex"],
            "JobSpecModifyIndex": job["JobModifyIndex"], "JobVersion": job["Version"], "ModifyIndex": now, "ModifyTime": when,
            "Namespace": job["Namespace"], "Status": "running", "StatusDescription": words, "TaskGroups": groups,
        }  # fmt: skip
        self.c.deployments[made["ID"]] = made
        return made

    def _state(self, job: Json, group: Json, step: Step) -> Json:
        update, canaries = group["Update"], group["Update"]["Canary"] if step.canary else 0
        return {
            "AutoPromote": update["AutoPromote"], "AutoRevert": update["AutoRevert"], "DesiredCanaries": canaries, "DesiredTotal": group["Count"],
            "HealthyAllocs": 0, "PlacedAllocs": 0, "PlacedCanaries": None, "ProgressDeadline": update["ProgressDeadline"], "Promoted": False,
            "RequireProgressBy": None, "UnhealthyAllocs": 0,
        }  # fmt: skip

    def _carry_out(self, job: Json, name: str, step: Step, deployment: Json | None, made: Json) -> None:
        for alloc in step.stop:
            self._stop(alloc, "alloc not needed due to job update")
        for alloc in step.update:
            self._update(alloc, job, name, deployment)
        if step.failed:
            return
        for alloc in step.replace:
            self._stop(alloc, "alloc is being updated due to job update")
            self._place(job, name, deployment, made, previous=alloc)
        for _ in range(step.canary):
            self._place(job, name, deployment, made, canary=True)
        for _ in range(step.place):
            self._place(job, name, deployment, made)

    def _complete(
        self, made: Json, steps: dict[str, Step], deployment: Json | None = None, failed: Json | None = None
    ) -> None:
        told = {name: step.told() for name, step in steps.items()}
        made |= {
            "PlanAnnotations": {"DesiredTGUpdates": told, "PreemptedAllocs": None}, "SnapshotIndex": made["CreateIndex"],
            "QueuedAllocations": {n: _wanted(s) if s.failed else 0 for n, s in steps.items()}, "Status": "complete",
        }  # fmt: skip
        if deployment:
            made["DeploymentID"] = deployment["ID"]
        if failed:
            made |= {"FailedTGAllocs": failed, "BlockedEval": self._blocked(made, failed)["ID"]}
        made |= {"ModifyIndex": self.c.touch("evals"), "ModifyTime": time.time_ns()}

    def _blocked(self, made: Json, failed: Json) -> Json:
        job = self.c.current((made["Namespace"], made["JobID"])) or {}
        blocked = self.c.evaluation(
            job, "queued-allocs", JobModifyIndex=job["JobModifyIndex"], ClassEligibility={"v1:1": True}, FailedTGAllocs=failed,
            PreviousEval=made["ID"], SnapshotIndex=made["CreateIndex"], StatusDescription="created to place remaining allocations",
        )  # fmt: skip
        blocked["Status"] = "blocked"
        return blocked

    # allocations

    def _place(
        self,
        job: Json,
        name: str,
        deployment: Json | None,
        made: Json,
        *,
        previous: Alloc | None = None,
        canary: bool = False,
    ) -> Alloc:
        now, group = self.c.touch("allocs"), canonical.group_of(job, name) or {}
        if previous:
            number = previous.name.rpartition("[")[2].rstrip("]")
        else:
            taken = {
                a.name
                for a in self.c.allocs_of((job["Namespace"], job["ID"]))
                if a.desired == "run" and (a.job is job or not canary)
            }
            number = str(next(n for n in range(10_000) if f"{job['ID']}.{name}[{n}]" not in taken))
        alloc = Alloc(
            id=new_id(), name=f"{job['ID']}.{name}[{number}]", group=name, eval=made["ID"], job=job,
            deployment=deployment["ID"] if deployment else "", canary=canary, ports=given(group), previous=previous, index=now,
            created=time.time_ns(), modified=now, alloc_modified=now,
        )  # fmt: skip
        if previous:
            previous.next = alloc.id
        self.c.allocs[alloc.id] = alloc
        if deployment:
            self._count(deployment, alloc)
        return alloc

    def _count(self, deployment: Json, alloc: Alloc) -> None:
        state = deployment["TaskGroups"][alloc.group]
        state["PlacedAllocs"] += 1
        if alloc.canary:
            state["PlacedCanaries"] = [*(state["PlacedCanaries"] or []), alloc.id]
            alloc.status = {"Canary": True, "Healthy": None, "ModifyIndex": 0, "Timestamp": None}
        if state["RequireProgressBy"] is None:
            self.c.set_deadline(deployment, alloc.group)

    def _update(self, alloc: Alloc, job: Json, name: str, deployment: Json | None) -> None:
        """In place: the same allocation under another version; what was found of its health counts no more."""
        alloc.job, alloc.status, alloc.judged, alloc.canary = job, None, False, False
        alloc.born, alloc.well_since = time.monotonic(), None
        alloc.deployment = deployment["ID"] if deployment else ""
        alloc.modified = alloc.alloc_modified = self.c.touch("allocs")
        if deployment:
            self._count(deployment, alloc)

    def _stop(self, alloc: Alloc, words: str) -> None:
        alloc.desired, alloc.desired_words, alloc.killed = "stop", words, time.monotonic()
        alloc.replace_at = None
        alloc.modified = alloc.alloc_modified = self.c.touch("allocs")

    def reschedule(self, alloc: Alloc) -> None:
        """Put a failed one somewhere else, while its version still is the job's."""
        job = self.c.current((alloc.job["Namespace"], alloc.job["ID"]))
        if alloc.replace_at is None or time.monotonic() < alloc.replace_at:
            return
        alloc.replace_at = None
        if job is not alloc.job or alloc.desired != "run":
            return
        deployment = self.c.deployments.get(alloc.deployment)
        alive = deployment if deployment and deployment["Status"] == "running" else None
        made = self.c.evaluation(job, "alloc-reschedule", JobModifyIndex=job["JobModifyIndex"])
        self._stop(alloc, "alloc was rescheduled because it failed")
        self._place(job, alloc.group, alive, made, previous=alloc)
        self._complete(made, {}, alive)

    # deployments

    def watch(self, deployment: Json) -> None:
        """Fail, finish or go on."""
        if deployment["Status"] != "running":
            return
        job = self.c.current((deployment["Namespace"], deployment["JobID"]))
        if job is None or job["Version"] != deployment["JobVersion"]:
            return
        if self._lost(deployment, job) or self._late(deployment):
            return
        due = self.c.next_eval.get(deployment["ID"])
        if due is not None and time.monotonic() >= due:
            del self.c.next_eval[deployment["ID"]]
            if self._done(deployment, job):
                job |= {"Stable": True, "ModifyIndex": self.c.touch("jobs")}
                self.c.end_deployment(deployment, "successful", "Deployment completed successfully")
            else:
                self.c.evaluation(job, "deployment-watcher", DeploymentID=deployment["ID"])

    def _lost(self, deployment: Json, job: Json) -> bool:
        """An unhealthy one that may not be put elsewhere is the end at once, as with no progress deadline."""
        for name, state in deployment["TaskGroups"].items():
            group = canonical.group_of(job, name) or {}
            policy = group["ReschedulePolicy"]
            final = not (policy["Unlimited"] or policy["Attempts"]) or not state["ProgressDeadline"]
            if state["UnhealthyAllocs"] and final:
                self.c.end_deployment(deployment, "failed", "Failed due to unhealthy allocations")
                self.c.evaluation(job, "deployment-watcher", DeploymentID=deployment["ID"])
                return True
        return False

    def _late(self, deployment: Json) -> bool:
        for name, state in deployment["TaskGroups"].items():
            by = self.c.require_by.get((deployment["ID"], name))
            waits = (
                state["DesiredCanaries"]
                and not state["Promoted"]
                and state["HealthyAllocs"] >= state["DesiredCanaries"]
            )
            if (
                by is not None
                and time.monotonic() > by
                and not waits
                and state["HealthyAllocs"] < state["DesiredTotal"]
            ):
                self.c.end_deployment(deployment, "failed", "Failed due to progress deadline")
                self.c.evaluation(
                    self.c.current((deployment["Namespace"], deployment["JobID"])) or {},
                    "deployment-watcher",
                    DeploymentID=deployment["ID"],
                )
                return True
        return False

    def _done(self, deployment: Json, job: Json) -> bool:
        for name, state in deployment["TaskGroups"].items():
            mine = [
                a
                for a in self.c.allocs_of((job["Namespace"], job["ID"]))
                if a.group == name and a.desired == "run" and a.job is job
            ]
            healthy = [a for a in mine if (a.status or {}).get("Healthy") is True]
            if len(healthy) < state["DesiredTotal"] or (state["DesiredCanaries"] and not state["Promoted"]):
                return False
        return True


def _wanted(step: Step) -> int:
    return step.place + step.canary + len(step.replace)
