"""The double's one node: what happens to an allocation that was placed there, tick by tick."""

import re
import socket
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

from tests.doubles.nomad_double import canonical
from tests.doubles.nomad_double.cluster import Alloc, Cluster, stamp
from tests.doubles.nomad_double.played import Task

Json = dict[str, Any]
BATCH = 1.25
"""Seconds for which the deployment watcher collects what happens."""


class Node:
    """Works on a cluster, under its lock."""

    def __init__(self, cluster: Cluster) -> None:
        self.c = cluster

    def live(self, alloc: Alloc) -> None:
        """What happens on the node to one allocation."""
        if alloc.desired == "stop":
            self._kill(alloc)
        elif alloc.client == "pending" and not alloc.tasks:
            if alloc.previous is None or alloc.previous.over:
                self._begin(alloc)
        else:
            for task in alloc.spec["Tasks"]:
                self._run(alloc, task)
            self._check(alloc)
            self._judge(alloc)

    def _begin(self, alloc: Alloc) -> None:
        for task in alloc.spec["Tasks"]:
            name = task["Name"]
            play = self.c.player(task["Config"], self.environment(alloc, task))
            labels = task["Config"].get("ports") or []
            ports = tuple(p["Value"] for p in _ports(alloc.ports) if p["Label"] in labels)
            alloc.tasks[name] = Task(play, ports)
            alloc.states[name] = {
                "Events": [], "Failed": False, "FinishedAt": None, "LastRestart": None, "Paused": "", "Restarts": 0, "StartedAt": None,
                "State": "pending",
            }  # fmt: skip
            self._event(alloc, name, "Received", "Task received by client")
            self._event(alloc, name, "Task Setup", "Building Task Directory", Message="Building Task Directory")
            self.c.created[alloc.job["ID"]] += not play.missing
            self._start(alloc, task)
        self._sum_up(alloc)

    def environment(self, alloc: Alloc, task: Json) -> dict[str, str]:
        """What a task is given: its own, and what templates read from variables; of those only the form that our executor writes."""
        env = dict(task["Env"] or {})
        for template in task["Templates"] or []:
            place = re.search(r'nomadVar "([^"]+)"', template["EmbeddedTmpl"])
            variable = self.c.variables[alloc.job["Namespace"], place[1] if place else ""]
            for name, key in re.findall(r"(\w+)=\{\{ \.(\w+) \| toJSON \}\}", template["EmbeddedTmpl"]):
                env[name] = variable["Items"][key]
        return env

    def _cannot_pull(self, alloc: Alloc, name: str, image: str) -> None:
        self._event(
            alloc, name, "Driver", "Downloading image", DriverMessage="Downloading image", Details={"image": image}
        )
        unknown = f"manifest for {image} not found: manifest unknown: manifest unknown"
        words = f"Failed to pull `{image}`: Error response from daemon: {unknown}"
        self._event(alloc, name, "Driver Failure", words, DriverError=words, Details={"driver_error": words})
        self._fell(alloc, name)

    def _start(self, alloc: Alloc, task: Json) -> None:
        name = task["Name"]
        state = alloc.states[name]
        if alloc.tasks[name].play.missing:
            self._cannot_pull(alloc, name, task["Config"]["image"])
            return
        self.c.started[alloc.job["ID"]] += 1
        try:
            alloc.tasks[name].start()
        except OSError as error:
            words = f"Failed to start container: driver failed programming external connectivity: {error}"
            self._event(alloc, name, "Driver Failure", words, DriverError=words)
            self._fell(alloc, name)
            return
        state |= {"State": "running", "StartedAt": stamp(time.time_ns())}
        self._event(alloc, name, "Started", "Task started by client")

    def _run(self, alloc: Alloc, task: Json) -> None:
        name = task["Name"]
        state = alloc.states[name]
        if state["State"] == "pending" and time.monotonic() >= alloc.again_at.get(name, 0):
            self._start(alloc, task)
            self._sum_up(alloc)
        elif state["State"] == "running":
            code = alloc.tasks[name].live()
            if code == 0 and alloc.job["Type"] == "batch":
                self._event(alloc, name, "Terminated", "Exit Code: 0", ExitCode=0)
                state |= {"State": "dead", "FinishedAt": stamp(time.time_ns())}
                self._sum_up(alloc)
            elif code is not None:
                exited = f'Exit Code: {code}, Exit Message: "Docker container exited with non-zero exit code: {code}"'
                self._event(alloc, name, "Terminated", exited, ExitCode=code)
                self._fell(alloc, name)
                self._sum_up(alloc)

    def _fell(self, alloc: Alloc, name: str) -> None:
        """Restart it, or give it up."""
        state, policy = alloc.states[name], alloc.spec["RestartPolicy"]
        state["FinishedAt"] = stamp(time.time_ns())
        if state["Restarts"] < policy["Attempts"]:
            delay = policy["Delay"] / canonical.SECOND
            alloc.again_at[name] = time.monotonic() + delay / self.c.delays
            state |= {"State": "pending", "Restarts": state["Restarts"] + 1, "LastRestart": stamp(time.time_ns())}
            self._event(alloc, name, "Restarting", f"Task restarting in {delay * 1.1:g}s")
            return
        interval = canonical._go(policy["Interval"])
        used = f'Exceeded allowed attempts {policy["Attempts"]} in interval {interval} and mode is "fail"'
        words = used if policy["Attempts"] else "Policy allows no restarts"
        self._event(alloc, name, "Not Restarting", words, RestartReason=words, FailsTask=True)
        state |= {"State": "dead", "Failed": True}

    def _sum_up(self, alloc: Alloc) -> None:
        states = [state["State"] for state in alloc.states.values()]
        failed = any(state["Failed"] for state in alloc.states.values())
        whole = "running" if all(s == "running" for s in states) else "pending"
        alloc.client = "failed" if failed else "complete" if all(s == "dead" for s in states) else whole
        job = self.c.current((alloc.job["Namespace"], alloc.job["ID"]))
        if job and job["Type"] == "batch" and alloc.over:
            job["Status"] = "dead"
        alloc.modified = self.c.touch("allocs")
        if failed:
            for task in alloc.tasks.values():
                task.stop()
            self._verdict(alloc, False, "Unhealthy because of failed task")
            policy = alloc.spec["ReschedulePolicy"]
            if policy["Unlimited"] or policy["Attempts"]:
                alloc.replace_at = time.monotonic() + policy["Delay"] / canonical.SECOND / self.c.delays

    def _kill(self, alloc: Alloc) -> None:
        for name, task in alloc.tasks.items():
            task.stop()
            if alloc.states[name]["State"] == "running":
                self._event(alloc, name, "Killing", "Sent interrupt. Waiting 1s before force killing")
                self._event(alloc, name, "Killed", "Task successfully killed")
            alloc.states[name] |= {"State": "dead", "FinishedAt": stamp(time.time_ns())}
        alloc.client = "complete"
        alloc.modified = self.c.touch("allocs")

    def _check(self, alloc: Alloc) -> None:
        """Ask every check, as often as the quickest is to be asked."""
        now = time.monotonic()
        found = [(s, c) for s in _services(alloc.spec) for c in s["Checks"] or []]
        every = min((c["Interval"] / canonical.SECOND for _, c in found), default=1.0) / self.c.delays
        if now - alloc.checked < every or alloc.client != "running":
            return
        alloc.checked = now
        for service, check in found:
            port = next(
                (p["Value"] for p in _ports(alloc.ports) if p["Label"] == (check["PortLabel"] or service["PortLabel"])),
                0,
            )
            status, code, words = ask(port, check)
            id = uuid.uuid5(uuid.NAMESPACE_OID, f"{alloc.id}{check['Name']}").hex * 2
            alloc.checks[id] = {
                "Check": check["Name"], "Group": alloc.name, "ID": id, "Mode": "healthiness", "Output": words, "Service": service["Name"],
                "Status": status, "Timestamp": int(time.time()), **({"StatusCode": code} if code else {}),
                **({"Task": service["TaskName"]} if service["TaskName"] else {}),
            }  # fmt: skip

    def _judge(self, alloc: Alloc) -> None:
        """Healthy for long enough, or out of time."""
        if not alloc.deployment or alloc.judged:
            return
        update, now = alloc.spec["Update"], time.monotonic()
        checks = [check["Status"] for check in alloc.checks.values()]
        expected = (
            sum(len(s["Checks"] or []) for s in _services(alloc.spec)) if update["HealthCheck"] == "checks" else 0
        )
        well = alloc.client == "running" and (not expected or (len(checks) == expected and set(checks) == {"success"}))
        alloc.well_since = (alloc.well_since or now) if well else None
        least = update["MinHealthyTime"] / canonical.SECOND
        deadline = update["HealthyDeadline"] / canonical.SECOND / self.c.deadlines
        if alloc.well_since and now - alloc.well_since >= least / self.c.delays:
            self._verdict(alloc, True, "")
        elif now - alloc.born > deadline:
            seconds = update["HealthyDeadline"] / canonical.SECOND
            late = f"by healthy_deadline of {seconds:g}s"
            never = alloc.client != "running"
            words = (
                f"Task not running {late}" if never else f"Task not running for min_healthy_time of {least:g}s {late}"
            )
            self._verdict(alloc, False, words)

    def _verdict(self, alloc: Alloc, healthy: bool, words: str) -> None:
        """Given once; not revised."""
        if alloc.judged or not alloc.deployment:
            return
        alloc.judged = True
        now = self.c.touch("allocs", "deployment")
        alloc.status = {
            "Canary": alloc.canary and bool((alloc.status or {}).get("Canary", True)), "Healthy": healthy, "ModifyIndex": now,
            "Timestamp": stamp(time.time_ns()),
        }  # fmt: skip
        alloc.modified = now
        for name in alloc.states if words else ():
            self._event(alloc, name, "Alloc Unhealthy", words, Message=words)
        deployment = self.c.deployments.get(alloc.deployment)
        if deployment and deployment["Status"] in {"running", "paused"}:
            state = deployment["TaskGroups"][alloc.group]
            state["HealthyAllocs" if healthy else "UnhealthyAllocs"] += 1
            if healthy:
                self.c.set_deadline(deployment, alloc.group)
            deployment |= {"ModifyIndex": now, "ModifyTime": time.time_ns()}
            self.c.next_eval.setdefault(deployment["ID"], time.monotonic() + BATCH / self.c.delays)

    def _event(self, alloc: Alloc, task: str, kind: str, words: str, **more: Any) -> None:
        texts = (
            "DownloadError DriverError DriverMessage FailedSibling GenericSource KillError KillReason Message RestartReason SetupError TaskSignal "
            "TaskSignalReason ValidationError VaultError"
        )
        numbers = {"DiskLimit": 0, "ExitCode": 0, "KillTimeout": 0, "Signal": 0, "StartDelay": 0}
        said = {**dict.fromkeys(texts.split(), ""), **numbers, "FailsTask": False, "DisplayMessage": words}
        alloc.states[task]["Events"].append({"Details": {}, **said, "Time": time.time_ns(), "Type": kind, **more})


def ask(port: int, check: Json) -> tuple[str, int, str]:
    """(status, code, words) of one check, as Nomad's own service discovery tells them."""
    url = f"http://127.0.0.1:{port}{check['Path']}"
    try:
        with urllib.request.urlopen(url, timeout=check["Timeout"] / canonical.SECOND) as answer:
            return "success", answer.status, "nomad: http ok"
    except urllib.error.HTTPError as error:
        return "failure", error.code, error.read().decode(errors="replace")[:1000]
    except OSError as error:
        return "failure", 0, f'nomad: Get "{url}": {getattr(error, "reason", error)}'


def given(group: Json) -> Json:
    """The ports of an allocation: reserved ones as asked, others picked."""
    given: Json = {"DynamicPorts": [], "ReservedPorts": [], "IP": "127.0.0.1"}
    for network in group.get("Networks") or []:
        given["ReservedPorts"] += [dict(port) for port in network.get("ReservedPorts") or []]
        for port in network.get("DynamicPorts") or []:
            with socket.create_server(("127.0.0.1", 0)) as free:
                given["DynamicPorts"].append({**port, "Value": free.getsockname()[1]})
    return given


def _ports(given: Json) -> list[Json]:
    return [*given["ReservedPorts"], *given["DynamicPorts"]]


def _services(group: Json) -> list[Json]:
    inside = [service for task in group["Tasks"] for service in task["Services"] or []]
    return [s for s in [*(group["Services"] or []), *inside] if s["Provider"] == "nomad"]
