"""The double of Nomad answers as Nomad did: recorded exchanges are put to it again, and its answers compared.

Compared are status, texts, the fields of every object, and the facts in them (states, counts, verdicts, reasons). Ids and indexes are the double's
own; times are shorter, so a read is repeated until it shows what was recorded, or what comes after.
"""

import copy
import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doubles.nomad_double import NomadDouble, Play, Right
from tests.doubles.nomad_double.played import by_environment

FOLDER = Path(__file__).parent / "nomad_recordings"
FIRST, MISSING, BROKEN = "996032b93839", "000000000001", "0c74e678c8e8"
LONG_ENOUGH = 120.0
"""Nobody calls these, so the double does not have them."""
NOT_HERE = re.compile(
    r"/namespaces?(/|$)|namespace=%2A|/v1/evaluations$|-lock$|/node/|acl/|fs/ls|fs/cat|/gc|/summary|/stable|/evaluate$|/stop$|client/metadata|service/|/services|lock-|"
    r"filter=|allocation-health|stale=maybe|no-such-endpoint"
)
BEFORE = {
    "03b": 1, "03c": 1, "04a": 1, "05a": 1, "05d": 1, "06a": 1, "06b": 1, "06e": 1, "07-": 1, "07b": 1, "09b": 0, "09d": 1, "10a": 1, "10b": 1,
    "12a": 1, "13-": 1, "05c": 1,
}  # fmt: skip
"""How many good versions had been registered before the first exchange of a recording."""
FACTS = {
    "Status", "StatusDescription", "TriggeredBy", "DesiredStatus", "DesiredDescription", "ClientStatus", "ClientDescription", "DesiredTotal",
    "DesiredCanaries", "HealthyAllocs", "UnhealthyAllocs", "PlacedAllocs", "Promoted", "JobVersion", "Version", "Stable", "Stop", "Healthy", "Canary",
    "DesiredTGUpdates", "DimensionExhausted", "ConstraintFiltered", "CoalescedFailures", "QueuedAllocations", "Warnings", "Error", "Items", "Path",
    "Description", "Failed", "Restarts", "NodesAvailable", "Count",
}  # fmt: skip
OPTIONAL = frozenset(
    {
        "BlockedEval",
        "FailedTGAllocs",
        "Lock",
        "StatusCode",
        "Task",
        "PreviousAllocation",
        "NextAllocation",
        "DesiredDescription",
        "ClientDescription",
        "TaskStates",
        "DeploymentStatus",
        "Updates",
        "DeploymentID",
        "JobModifyIndex",
        "NetworkStatus",
        "QueuedAllocations",
        "PlanAnnotations",
        "SnapshotIndex",
        "PreviousEval",
        "NodeID",
        "NodeModifyIndex",
        "StatusDescription",
        "...",  # more, which was cut when it was recorded
    }
)
"""Fields that are there or not by the moment at which somebody looks."""
OPAQUE = {
    "Meta", "Details", "Items", "Config", "Env", "DesiredTGUpdates", "Metrics", "AllocatedResources", "Resources", "SharedResources", "TaskResources",
    "NetworkStatus", "DimensionExhausted", "ConstraintFiltered", "ResourcesExhausted", "ClassEligibility", "NodesAvailable", "QueuedAllocations",
    "Job",
    "Diff", "CreatedEvals", "Networks", "ScoreMetaData", "Services", "Objects", "Fields", "checks", "Constraints", "PlacedCanaries",
}  # fmt: skip
OVER = {"successful", "failed", "cancelled", "complete", "canceled", "blocked"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Json = dict[str, Any]


def play(config: Mapping[str, Any], env: Mapping[str, str]) -> Play:
    """What the recorded images did."""
    image, words = str(config.get("image", "")), " ".join(config.get("args") or [])
    if config.get("command") == "/bin/busybox":  # which this machine has too
        args = [word.replace("sleep 3", "sleep 0.3") for word in config["args"]]
        return by_environment({**config, "args": args}, env)
    if "exit 3" in words:
        return Play(dies=3, after=0.1, complains="boom")
    says, complains = "shop/web v1 listening on 8080", "shop/web v1 stderr line"
    return Play(
        missing=image.endswith(MISSING), status=404 if image.endswith(BROKEN) else 200, says=says, complains=complains
    )


class Again:
    """One recording, put to a double. `ids`, `indexes`: what was recorded to what stands for it here."""

    def __init__(self, double: NomadDouble, name: str) -> None:
        self.double, self.name = double, name
        self.exchanges: list[Json] = json.loads((FOLDER / f"{name}.json").read_text())
        self.ids: dict[str, str] = {}
        self.indexes: dict[int, int] = {}
        self.token = ""

    def set_up(self) -> None:
        """What had been there before."""
        registered = [
            e["said"]["Job"] for e in self.exchanges if e["call"] == "POST /v1/jobs" and "Job" in (e.get("said") or {})
        ]
        ids = re.findall(
            r"shop-web-[0-9a-z]+",
            json.dumps([e["call"] for e in self.exchanges]) + json.dumps(self.exchanges[0]["answer"]),
        )
        for number in range(BEFORE.get(self.name[:3], 0)):
            job = good(registered[0] if registered else None, registered[0]["ID"] if registered else ids[0])
            job["Meta"] = {**(job["Meta"] or {}), "fairlead.number": str(number)} if number else job["Meta"]
            self.send("POST", "/v1/jobs", {"Job": job})
            wait_until(lambda id=job["ID"]: self.newest(id)["Status"] == "successful")

    def newest(self, id: str) -> Json:
        return self.send("GET", f"/v1/job/{id}/deployment", None).json() or {"Status": ""}

    def send(self, method: str, path: str, said: Any) -> httpx.Response:
        headers = {"X-Nomad-Token": self.token} if self.token else {}
        return httpx.request(
            method, self.double.address + path, json=said, headers=headers, trust_env=False, timeout=30
        )

    def run(self) -> Iterator[str]:
        """Everything in which the double differs."""
        last = {path_of(e["call"]): e["seq"] for e in self.exchanges}
        for exchange in self.exchanges:
            if not NOT_HERE.search(exchange["call"]):
                wrong = self.compared(exchange, is_last=last[path_of(exchange["call"])] == exchange["seq"])
                yield from (f"{exchange['seq']} {exchange['call'][:90]}: {one}" for one in wrong)

    def compared(self, exchange: Json, *, is_last: bool) -> list[str]:
        method, _, path = exchange["call"].partition(" ")
        self.token = exchange.get("token", "")
        until = time.monotonic() + LONG_ENOUGH
        while True:
            answer = self.send(method, self.here(path), self.mapped(exchange.get("said")))
            wrong = self.judged(exchange, answer, is_last=is_last)
            if not wrong or method != "GET" or time.monotonic() > until:
                self.learn(exchange, answer)
                return wrong
            self.learn(exchange, answer)
            time.sleep(0.03)

    def here(self, path: str) -> str:
        """The address with our ids, and without waiting: that is tested by itself."""
        path = _UUID.sub(lambda found: self.ids.get(found[0], found[0]), path)
        path = re.sub(r"cas=([0-9]+)", lambda found: f"cas={self.indexes.get(int(found[1]), int(found[1]))}", path)
        return (
            re.sub(r"[?&](index|wait)=[0-9]+[a-z]*\b", "", path).replace("/deployment&", "/deployment?")
            if "abc" not in path
            else path
        )

    def mapped(self, said: Any) -> Any:
        if isinstance(said, dict) and "JobModifyIndex" in said:
            return {**said, "JobModifyIndex": self.indexes.get(said["JobModifyIndex"], said["JobModifyIndex"])}
        if isinstance(said, dict) and "DeploymentID" in said:
            return {**said, "DeploymentID": self.ids.get(said["DeploymentID"], said["DeploymentID"])}
        return said

    def judged(self, exchange: Json, answer: httpx.Response, *, is_last: bool) -> list[str]:
        wrong = (
            []
            if answer.status_code == exchange["status"]
            else [f"status {answer.status_code}, not {exchange['status']}"]
        )
        headers = answer.headers
        wrong += [] if ("x-nomad-knownleader" in headers) == bool(exchange.get("read")) else ["Knownleader"]
        expected = exchange["answer"]
        if isinstance(expected, str):
            found = answer.text if answer.status_code != 200 or "/fs/" in exchange["call"] else answer.json()
            return [
                *wrong,
                *([] if plain(found) == plain(expected) else [f"{str(found)[:200]!r}, not {expected[:200]!r}"]),
            ]
        if wrong or exchange["status"] in {204, 409} or expected is None:
            return wrong
        body = answer.json()
        if passed(expected, body):
            return [*fields(expected, body, "")]
        return [*fields(expected, body, ""), *(facts(expected, body) if tells(exchange, expected, is_last) else [])]

    def learn(self, exchange: Json, answer: httpx.Response) -> None:
        """Which ids and indexes stand for the recorded ones."""
        if answer.headers.get("content-type") != "application/json" or not answer.content:
            return
        body, expected = answer.json(), exchange["answer"]
        pairs = (
            zip(in_order(expected), in_order(body), strict=False) if isinstance(expected, list) else [(expected, body)]
        )
        for theirs, ours in pairs:
            if isinstance(theirs, dict) and isinstance(ours, dict):
                for key in ("ID", "EvalID", "DeploymentID", "BlockedEval"):
                    if theirs.get(key) and ours.get(key):
                        self.ids.setdefault(theirs[key], ours[key])
                for key in ("JobModifyIndex", "ModifyIndex"):
                    if theirs.get(key) and ours.get(key):
                        self.indexes[theirs[key]] = ours[key]


def good(job: Json | None, id: str) -> Json:
    """A version that is fine, as it stood before what was recorded."""
    model = json.loads((FOLDER / "01-register-and-succeed.json").read_text())[2]["said"]["Job"]
    base: Json = copy.deepcopy(model)
    base["ID"] = base["Name"] = id
    if job is None:
        base["TaskGroups"][0]["Count"] = 1
    return base


def path_of(call: str) -> str:
    return call.partition("?")[0]


def plain(text: str) -> str:
    """Without ids and indexes, which are anybody's."""
    text = _UUID.sub("<id>", text if isinstance(text, str) else json.dumps(text, sort_keys=True))
    return (
        re.sub(r"index:? [0-9]+", "index N", text)
        if "Enforcing" in text
        else text.rstrip("\n")
        if "stderr line" not in text
        else text[:24]
    )


def in_order(found: Any) -> list[Json]:
    """Allocations, deployments and evaluations by what they are, for their ids mean nothing."""
    if not isinstance(found, list):
        return []
    return sorted(found, key=lambda one: (one.get("CreateIndex", 0), str(one.get("Name"))))


def fields(expected: Any, found: Any, at: str) -> Iterator[str]:
    """Fields that one has and the other has not, wherever both have something."""
    if isinstance(expected, dict) and isinstance(found, dict) and at.rpartition("/")[2] not in OPAQUE:
        for key in (expected.keys() ^ found.keys()) - OPTIONAL - named(at, expected, found):
            yield f"{at}/{key} is {'not there' if key in expected else 'too much'}"
        for key in expected.keys() & found.keys():
            yield from fields(expected[key], found[key], f"{at}/{key}")
    elif (
        isinstance(expected, list)
        and isinstance(found, list)
        and expected
        and found
        and at.rpartition("/")[2] not in OPAQUE
    ):
        yield from fields(
            in_order(expected)[0] if isinstance(expected[0], dict) else None,
            in_order(found)[0] if isinstance(found[0], dict) else None,
            at,
        )


def named(at: str, expected: Json, found: Json) -> set[str]:
    """Keys that are names: of checks, whose ids are hashes."""
    return (
        {*expected, *found}
        if at == "" and all(isinstance(v, dict) and "Check" in v for v in [*expected.values(), *found.values()])
        else set()
    )


def tells(exchange: Json, expected: Any, is_last: bool) -> bool:
    """Whether a state was recorded that does not pass: of what goes on only the last look at it counts."""
    if "GET" not in exchange["call"] or isinstance(expected, list):
        return "/v1/job/" in exchange["call"] and is_last
    return is_last or expected.get("Status") in OVER or "HealthyAllocs" in json.dumps(expected)


def passed(expected: Any, found: Any) -> bool:
    """Whether a deployment is beyond what was recorded: states may be skipped."""
    if not (
        isinstance(expected, dict)
        and isinstance(found, dict)
        and "JobSpecModifyIndex" in expected
        and "TaskGroups" in found
    ):
        return (
            isinstance(expected, dict)
            and expected.get("Status") == "pending"
            and isinstance(found, dict)
            and found.get("Status") in {*OVER, "running"}
        )
    done = [
        sum(g["HealthyAllocs"] + g["UnhealthyAllocs"] + g["PlacedAllocs"] for g in d["TaskGroups"].values())
        for d in (expected, found)
    ]
    return expected["Status"] == "running" and (done[1] > done[0] or found["Status"] in OVER)


def facts(expected: Any, found: Any) -> Iterator[str]:
    theirs, ours = sorted(told(expected, "")), sorted(told(found, ""))
    for fact in theirs:
        if fact not in ours:
            yield f"{fact} was recorded"


def told(value: Any, at: str) -> Iterator[str]:
    """Every fact, with its place; lists are in no order."""
    key = at.rpartition("/")[2]
    if key in FACTS and not (isinstance(value, dict) and key in {"Status", "Failed"}):
        yield f"{at}={plain(json.dumps(value, sort_keys=True))}"
    elif isinstance(value, dict) and key not in {"Job", "Diff", "CreatedEvals", "Metrics"}:
        for name, inner in value.items():
            yield from told(inner, f"{at}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from told(inner, at)


def wait_until(holds: Any) -> None:
    until = time.monotonic() + LONG_ENOUGH
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.03)


RIGHTS = {
    "<secret-1>": Right(),
    "<secret-2>": Right(paths=("fairlead/",), knows=False),
    "<secret-3>": Right(writes=False, knows=False),
}
"""Of the management token, of the tool's and of the reader's, as their policies were; the fourth had expired."""
MODEL = "01-register-and-succeed"
"""Only its request is used, for what was there before: its answers show states that pass too quickly to be met again."""


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != MODEL))
def test_the_double_answers_as_nomad_did(name: str) -> None:
    double = NomadDouble(play, delays=10.0, deadlines=10.0)
    double.leaderless = name.startswith("11d")
    double.rights = RIGHTS if name.startswith("17") else None
    double.cluster.namespaces.add("shop")
    again = Again(double, name)
    try:
        again.set_up()
        assert list(again.run()) == []
    finally:
        double.close()
