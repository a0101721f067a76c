"""What the double's scheduler would do for a job, group by group: for a plan and for an evaluation alike. Changes nothing."""

from dataclasses import dataclass, field
from typing import Any

from tests.doubles.nomad_double import canonical
from tests.doubles.nomad_double.cluster import Alloc, Cluster

Json = dict[str, Any]


@dataclass
class Step:
    """What one evaluation does in one group."""

    place: int = 0
    canary: int = 0
    replace: list[Alloc] = field(default_factory=list)
    update: list[Alloc] = field(default_factory=list)
    stop: list[Alloc] = field(default_factory=list)
    ignore: list[Alloc] = field(default_factory=list)
    old_left: int = 0
    failed: Json | None = None

    def told(self) -> Json:
        """As a plan tells it."""
        counts = dict.fromkeys(
            ("Disconnect", "Migrate", "Preemptions", "Reconnect", "RescheduleLater", "RescheduleNow"), 0
        )
        return {
            **counts, "Canary": self.canary, "DestructiveUpdate": len(self.replace), "Ignore": len(self.ignore) + self.old_left,
            "InPlaceUpdate": len(self.update), "Place": self.place, "Stop": len(self.stop),
        }  # fmt: skip

    @property
    def changes(self) -> bool:
        """Whether there is anything to do, now or in a later step."""
        return bool(self.place or self.canary or self.replace or self.update or self.old_left)


class Planner:
    """Looks at a cluster, under its lock."""

    def __init__(self, cluster: Cluster) -> None:
        self.c = cluster

    def steps(self, job: Json, current: Json | None) -> dict[str, Step]:
        """What there is to do for a job, group by group. `current`: the version as it stands, for a plan of one that is not registered."""
        key = (job["Namespace"], job["ID"])
        here = [a for a in self.c.allocs_of(key) if a.desired == "run"]  # a failed one too: it keeps its place
        deployment = self.c.deployment_of(job) if job is current else None
        names = dict.fromkeys([*(g["Name"] for g in job["TaskGroups"]), *(a.group for a in here)])
        freed: list[Alloc] = []
        return {name: self._step(job, name, [a for a in here if a.group == name], deployment, freed) for name in names}

    def _step(self, job: Json, name: str, here: list[Alloc], deployment: Json | None, freed: list[Alloc]) -> Step:
        group, step = canonical.group_of(job, name), Step()
        if job["Stop"] or group is None:
            step.stop = here
            return step
        # Canaries that nobody promoted go with their deployment.
        over = deployment is not None and deployment["Status"] in {"failed", "cancelled"}
        step.stop = [a for a in here if a.canary and (a.job is not job or over)]
        here = [a for a in here if a not in step.stop]
        fresh = [a for a in here if a.job is job or (not canonical.destructive(a.job, job, name) and not a.canary)]
        canaries = [a for a in here if a.job is job and a.canary]
        old = [a for a in here if a not in fresh and a not in canaries]
        step.update = [a for a in fresh if a.job is not job]
        step.ignore = [a for a in [*fresh, *canaries] if a.job is job]
        state = (deployment or {}).get("TaskGroups", {}).get(name)
        held = deployment is not None and deployment["Status"] in {"failed", "paused", "cancelled"}
        awaits = bool(group["Update"]["Canary"] and old and not (state or {}).get("Promoted"))
        if held:
            step.old_left = len(old)
            return step
        if awaits:
            step.canary = max(0, group["Update"]["Canary"] - len([a for a in here if a.job is job]))
            step.old_left = len(old)
        else:
            self._roll(step, group, [*fresh, *(c for c in canaries if c not in fresh)], old, deployment)
        self._find_room(step, job, group, here, freed)
        return step

    def _roll(self, step: Step, group: Json, fresh: list[Alloc], old: list[Alloc], deployment: Json | None) -> None:
        """Replace old ones, as many at once as may be out of health."""
        total = [*fresh, *old]
        surplus = len(total) - group["Count"]
        if surplus > 0:
            step.stop += sorted(old or fresh, key=lambda a: a.name, reverse=True)[:surplus]
            old = [a for a in old if a not in step.stop]
        step.place = max(0, group["Count"] - len(total))
        unsure = [a for a in fresh if (a.status or {}).get("Healthy") is not True and a not in step.update]
        allowed = max(0, group["Update"]["MaxParallel"] - (len(unsure) if deployment else 0))
        step.replace = old[:allowed]
        step.old_left = len(old) - len(step.replace)

    def _find_room(self, step: Step, job: Json, group: Json, here: list[Alloc], freed: list[Alloc]) -> None:
        wanted = step.place + step.canary + len(step.replace)
        if not wanted:
            return
        freed += [*step.replace, *step.stop]
        failed = self._no_room(job, group, freed, wanted)
        if failed:
            step.failed = {**failed, "CoalescedFailures": wanted - 1}

    def _no_room(self, job: Json, group: Json, freed: list[Alloc], wanted: int) -> Json | None:
        """Why the node will not do; None when it does."""
        rules = [*(job.get("Constraints") or []), *(group["Constraints"] or [])]
        rules += [rule for task in group["Tasks"] for rule in task["Constraints"] or []]
        filtered = {
            f"{r['LTarget']} {r['Operand'] or '='} {r['RTarget']}": 1
            for r in rules
            if not canonical.fits(r, self.c.attributes)
        }
        drivers = {task["Driver"] for task in group["Tasks"]} - {"docker", "raw_exec"}
        if drivers:
            filtered["missing drivers"] = 1
        there = "dc1" in job["Datacenters"] or "*" in job["Datacenters"]
        exhausted = {} if filtered or not there else self._exhausted(group, freed, wanted)
        if there and not filtered and not exhausted:
            return None
        return {
            "AllocationTime": 10000, "ClassExhausted": None, "ClassFiltered": None, "CoalescedFailures": 0, "ConstraintFiltered": filtered or None,
            "DimensionExhausted": exhausted or None, "NodePool": "default", "NodesAvailable": {"dc1": 1} if there else {},
            "NodesEvaluated": int(there), "NodesExhausted": int(bool(exhausted)), "NodesFiltered": int(bool(filtered)), "NodesInPool": 1,
            "QuotaExhausted": None, "ResourcesExhausted": _wanting(group, wanted) if "memory" in exhausted else None, "ScoreMetaData": None,
            "Scores": None,
        }  # fmt: skip

    def _exhausted(self, group: Json, freed: list[Alloc], wanted: int) -> dict[str, int]:
        others = [a for a in self.c.allocs.values() if not a.over and a.desired == "run" and a not in freed]
        used = sum(_memory(a.spec) for a in others)
        if used + wanted * _memory(group) > self.c.memory:
            return {"memory": 1}
        taken = {port["Value"] for a in others for port in a.ports.get("ReservedPorts") or []}
        for port in [p for network in group["Networks"] or [] for p in network.get("ReservedPorts") or []]:
            if port["Value"] in taken or wanted > 1:
                # The words are Nomad's own (scheduler and its network index), read in its source and not seen on the wire.
                return {f"network: reserved port collision {port['Label']}={port['Value']}": 1}
        return {}


def _memory(group: Json) -> int:
    return sum(task["Resources"]["MemoryMB"] for task in group["Tasks"])


def _wanting(group: Json, wanted: int) -> Json:
    return {
        task["Name"]: {**dict.fromkeys(("CPU", "Cores", "DiskMB", "IOPS", "MemoryMaxMB", "SecretsMB"), 0), "Devices": None, "NUMA": None,
                       "Networks": None, "MemoryMB": task["Resources"]["MemoryMB"] * wanted}
        for task in group["Tasks"]
    }  # fmt: skip
