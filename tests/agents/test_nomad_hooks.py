"""Hooks on Nomad: what job one is, that it is registered once whatever gets lost, and that nothing of it stays."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from agents.nomad_job import document, hook_job, marks, reading, template
from agents.nomad_job.hooking import SURE
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from tests.agents.test_nomad_parts import spec
from tests.doubles.nomad_double import NomadDouble
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.nomad import NomadDoubleHarness
from tests.targets.bench import Bench, nobeat, with_secrets
from tests.targets.harness import Tally
from tests.targets.hooking import hooked, with_run

DIGEST = "sha256:" + "b" * 64
HOOK = {"name": "tell", "command": ["tell", "--all"]}
OWN = {**HOOK, "image": f"r.example/tools@{DIGEST}"}


@pytest.fixture
def bench(nomad_double_harness: NomadDoubleHarness) -> Iterator[Bench]:
    bench = Bench(nomad_double_harness)
    yield bench
    nomad_double_harness.double.cut.clear()
    nomad_double_harness.double.lost.clear()
    bench.close()


@pytest.fixture
def either(either_nomad: Any) -> Iterator[Bench]:
    bench = Bench(either_nomad)
    yield bench
    bench.close()


@pytest.fixture
def double(nomad_double_harness: NomadDoubleHarness) -> NomadDouble:
    return nomad_double_harness.double


def job_of(hook: dict[str, Any], around: dict[str, Any] | None = None) -> dict[str, Any]:
    """The job of a hook of a component that has a secret."""
    one = with_secrets(
        with_run(spec().components[0], hooks={"pre": [hook]}), TOKEN=SecretUse(reference="vault://k#v", version="1")
    )
    asked = spec().model_copy(update={"components": (one,)})
    found = template.filled(around, asked, Claim(3, 1)) if around else document.render(asked, Claim(3, 1))
    [(component, said)] = hook_job.all_of(asked)
    return hook_job.render(found, asked, component, said, Claim(3, 1))


# what job it is


@pytest.mark.parametrize(
    ("hook", "image"), [(HOOK, "r.example/web@sha256:" + "a" * 64), (OWN, f"r.example/tools@{DIGEST}")]
)
def test_it_is_a_batch_job_of_the_components_task_that_nomad_never_runs_again(hook: dict[str, Any], image: str) -> None:
    job = job_of(hook)
    [group], id = job["TaskGroups"], job["ID"]
    [task] = group["Tasks"]
    assert (job["Type"], job["Name"]) == ("batch", "shop-prod-p-1-hook-3.web.pre.tell")
    assert task["Config"] == {"image": image, "command": "tell", "args": ["--all"]}
    assert (group["Networks"], group.get("Services"), group.get("Update")) == (None, None, None)
    assert (group["RestartPolicy"]["Attempts"], group["ReschedulePolicy"]["Attempts"]) == (0, 0)
    assert not group["ReschedulePolicy"]["Unlimited"]
    assert group["PreventRescheduleOnLost"]
    assert [f'nomadVar "nomad/jobs/{id}"' in one["EmbeddedTmpl"] for one in task["Templates"]] == [True]
    assert marks.components_in(job) == {}


def test_of_a_job_from_a_file_it_is_the_task_with_what_its_author_gave_it() -> None:
    mine = {"DestPath": "local/own", "EmbeddedTmpl": "x"}
    service = {"Services": [{"Name": "s"}], "Leader": True, "Config": {"ports": ["p"], "mount": []}}
    web = {"Name": "web", "Driver": "docker", "User": "7", "Templates": [mine], **service}
    beside = {"Name": "beside", "Driver": "docker", "Config": {}}
    group = {
        "Name": "g",
        "Networks": [{"Mode": "bridge", "ReservedPorts": [{"Label": "p", "Value": 80}]}],
        "Tasks": [beside, web],
        "Volumes": {"v": {}},
    }
    job = job_of(HOOK, {"NodePool": "gpu", "Periodic": {}, "TaskGroups": [{"Name": "other", "Tasks": []}, group]})
    [found] = job["TaskGroups"]
    [task] = found["Tasks"]
    assert (job["NodePool"], found["Volumes"], found["Networks"]) == ("gpu", {"v": {}}, [{"Mode": "bridge"}])
    assert (task["User"], task["Templates"][0], len(task["Templates"])) == ("7", mine, 2)
    assert not {"Services", "Leader"} & task.keys()
    assert task["Config"].keys() == {"mount", "image", "command", "args"}
    assert "Periodic" not in job


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([("Terminated", 0)], 0), ([("Terminated", 3), ("Not Restarting", 0)], 3), ([], None),
        ([("Killing", 0), ("Terminated", 0), ("Killed", 0)], None), ([("Driver Failure", 0)], None),
    ],
)  # fmt: skip
def test_only_of_what_ended_by_itself_there_is_an_exit_code(events: list[tuple[str, int]], code: int | None) -> None:
    states = {"t": {"Events": [{"Type": kind, "ExitCode": exit} for kind, exit in events]}}
    said = dict.fromkeys(("ID", "Name", "JobVersion", "TaskGroup", "DesiredStatus", "ClientStatus"), "")
    [place] = reading.places([{**said, "CreateIndex": 1, "CreateTime": 0, "TaskStates": states}])
    assert place.exit_code == code


# once


@pytest.mark.parametrize("fate", ["cut", "lost"])
def test_a_registration_without_an_answer_begins_it_once(bench: Bench, double: NomadDouble, fate: str) -> None:
    getattr(double, fate).append("POST /v1/jobs")
    asked = hooked(bench, "1.0.0", pre="true")
    if fate == "lost":
        with pytest.raises(Unavailable):
            bench.apply(asked, 1)
    bench.apply(asked, 1, attempt=2)
    [id] = bench.harness.hooks(bench.address)
    assert (double.cluster.started[id], len(double.cluster.versions["default", id])) == (1, 1)


def test_one_whose_job_was_purged_is_not_begun_again(either: Bench) -> None:
    asked = hooked(either, "1.0.0", pre="true")
    either.die(asked, 1, at="after_hook_start")
    [id] = either.harness.hooks(either.address)
    either.harness.call("DELETE", f"job/{id}?purge=true")
    with pytest.raises(Refused) as refusal:
        either.apply(asked, 1, attempt=2)
    assert refusal.value.code == Code.HOOK_FAILED
    assert either.harness.hooks(either.address) == []


def test_what_has_ended_well_needs_no_job_that_nomad_still_has(either: Bench) -> None:
    asked = hooked(either, "1.0.0", pre="true")
    either.apply(asked, 1)
    [id] = either.harness.hooks(either.address)
    either.harness.call("DELETE", f"job/{id}?purge=true")
    either.apply(asked, 1, attempt=2)
    assert either.harness.hooks(either.address) == []


def test_how_it_ended_is_told(either: Bench) -> None:
    with pytest.raises(Refused, match="ended with exit code 3") as refusal:
        either.apply(hooked(either, "1.0.0", pre="exit 3"), 1)
    assert refusal.value.code == Code.HOOK_FAILED


@pytest.mark.parametrize(("ago", "begun"), [(10, True), (SURE + 10, False)])
def test_what_was_to_be_registered_long_ago_may_have_come_and_gone(either: Bench, ago: int, begun: bool) -> None:
    asked = hooked(either, "1.0.0", pre="true")
    either.die(asked, 1, at="after_claim")
    where = f"var/{marks.variable(either.address)}"
    items = either.harness.call("GET", where)["Items"]
    states = f'{{"hooks":{{"web.pre.hook":"{int(time.time()) - ago}"}},"number":1}}'
    either.harness.call("PUT", where, {"Items": {**items, "hooks": states}})
    if begun:
        either.apply(asked, 1, attempt=2)
    else:
        with pytest.raises(Refused, match="job is gone"):
            either.apply(asked, 1, attempt=2)
    assert len(either.harness.hooks(either.address)) == begun


def test_what_cannot_be_placed_fails_before_the_change(
    bench: Bench, double: NomadDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(double.cluster, "memory", 10)
    asked: TargetSpec = hooked(bench, "1.0.0", pre="true").model_copy(update={"healthy_deadline": 0.5})
    with pytest.raises(Refused, match="memory") as refusal:
        bench.harness.executor().apply(asked, Claim(1, 1), nobeat)
    assert refusal.value.code == Code.HOOK_FAILED
    assert bench.see() == {}


def test_the_next_deployment_ends_what_still_runs_and_its_worker_stops(either: Bench) -> None:
    newer, done = hooked(either, "2.0.0", pre="true"), list[int]()

    def overtake() -> None:
        if either.harness.hooks(either.address) and not done:
            done.append(1)
            either.harness.executor().apply(newer, Claim(2, 1), nobeat)

    with pytest.raises(FenceLost):
        either.apply(hooked(either, "1.0.0", pre="/bin/busybox sleep 600"), 1, beat=overtake)
    assert ["-hook-2-" in id for id in either.harness.hooks(either.address)] == [True]
    assert either.runs(newer)


# nothing stays


def test_no_secret_of_a_hook_stays_and_the_next_deployment_and_retiring_forget_its_job(either: Bench) -> None:
    safe = MemorySecrets()
    asked = hooked(either, "1.0.0", safe, pre='test "$TOKEN"', post='test "$TOKEN"')
    paths = set[str]()
    for number in (1, 2):
        either.apply(asked, number, secrets=safe)
        ids = either.harness.hooks(either.address)
        assert [f"-hook-{number}-" in id for id in ids] == [True, True]
        paths |= {f"nomad/jobs/{id}" for id in ids}
    assert not paths & either.harness.variables()
    either.harness.executor(None, safe).retire(asked, Claim(3, 1), nobeat)
    assert either.harness.hooks(either.address) == []
    assert "hooks" not in either.harness.call("GET", f"var/{marks.variable(either.address)}")["Items"]


def test_what_is_handed_over_has_no_hooks_that_have_ended(either: Bench) -> None:
    safe = MemorySecrets()
    asked = hooked(either, "1.0.0", safe, pre="true", post="true")
    either.apply(asked, 1, secrets=safe)
    assert len(either.harness.hooks(either.address)) == 2
    either.harness.executor(None, safe).hand_over(asked, Claim(2, 1), nobeat)
    assert either.harness.hooks(either.address) == []
    assert either.tally() == Tally(1, 1)
