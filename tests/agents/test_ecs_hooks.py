"""Hooks on ECS, without AWS: what is asked for, what is begun once, and what of it can be told when ECS has forgotten it."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from agents.ecs_service import hook_task, hooking, marks, reading
from agents.ecs_service.checking import validate
from agents.ecs_service.ground import Ground
from agents.ecs_service.hook_task import Mark
from agents.ecs_service.hooking import REMEMBERED, Hooks
from agents.secrets import Safe
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost
from fairlead.domain.target_kinds.hooks import PRE
from fairlead.ports import Beat, NoFailPoints, NoSecrets
from tests.agents.test_ecs_ground import Told
from tests.agents.test_ecs_parts import DIGEST, ENVOY, PLACE, SUBNETS, component, spec
from tests.targets.bench import nobeat
from tests.targets.hooking import with_run

FIRST, SECOND = (
    {"name": "first", "command": ["a"], "timeout": "1s"},
    {"name": "second", "command": ["b"], "image": f"r.example/b@{DIGEST}"},
)

EC2, FARGATE = {"launchType": "EC2"}, {"launchType": "FARGATE", "networkConfiguration": SUBNETS}
SPOT = {"capacityProviderStrategy": [{"capacityProvider": "spot"}]}


def hooked(**options: Any) -> TargetSpec:
    return spec(with_run(component(run={"container": {"user": "7"}}, options=options), hooks={"pre": [FIRST, SECOND]}))


class Tasks(Told):
    """With tasks that end at once; none is listed before it is asked for by name, for ECS is only eventually sure of them."""

    def __init__(self, *, placed: bool = True) -> None:
        super().__init__()
        self.begun: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []
        self.placed, self.exit = placed, 0
        self.said_before: list[str] = []
        self.more: dict[str, Any] = {}

    def run_task(self, clientToken: str, **said: Any) -> dict[str, Any]:
        if not self.placed:
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}
        self.said_before += [text.rpartition(" ")[0] for text in marked(self).values()]
        task = self.begun.setdefault(clientToken, {**self.ended(f"arn:x/{len(self.begun)}"), **said})
        return {"tasks": [task], "failures": []}

    def ended(self, arn: str) -> dict[str, Any]:
        container = {"name": "web", "exitCode": self.exit}
        return {
            "taskArn": arn,
            "lastStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "containers": [container],
            **self.more,
        }

    def list_tasks(self, desiredStatus: str, **said: Any) -> dict[str, Any]:
        return {"taskArns": [t["taskArn"] for t in self.begun.values() if t.get("desiredStatus") == desiredStatus]}

    def describe_tasks(self, tasks: list[str], **said: Any) -> dict[str, Any]:
        return {"tasks": [task for task in self.begun.values() if task["taskArn"] in tasks]}

    def stop_task(self, task: str, **said: Any) -> dict[str, Any]:
        self.stopped.append(task)
        [found] = self.describe_tasks([task])["tasks"]
        found["lastStatus"] = "STOPPED"
        return {}


def hooks(told: Told, claim: str = "2.1", beat: Beat = nobeat, healthy_deadline: float = 0.0) -> Hooks:
    cluster, asked = told.cluster(), hooked().model_copy(update={"healthy_deadline": healthy_deadline})
    safe = Safe(NoSecrets(), asked)
    return Hooks(cluster, Ground(cluster, asked), asked, Claim.parse(claim), beat, NoFailPoints(), safe)


def marked(told: Told) -> Mapping[str, str]:
    return {key: text for key, text in told.tags.items() if key.startswith(marks.HOOKS)}


# what is asked for


def test_a_hook_is_the_components_container_alone_without_what_only_a_service_needs() -> None:
    asked = hooked(definition={"containerDefinitions": [ENVOY], "cpu": "256"}, service={"launchType": "FARGATE"})
    for (own, hook), image in zip(hook_task.all_of(asked), ("r.example/web", "r.example/b"), strict=True):
        said = hook_task.definition(asked, own, hook, Claim(1, 1), PLACE, {})
        validate("RegisterTaskDefinition", said)
        [container] = said["containerDefinitions"]
        assert (container["image"], container["command"]) == (f"{image}@{DIGEST}", list(hook.command))
        assert (said["family"], said["cpu"], container["user"]) == ("shop-prod-p-1_hooks", "256", "7")
        assert not {"portMappings", "healthCheck", "dependsOn"} & container.keys()
        assert container["dockerLabels"][marks.HOOK] == hook.id


@pytest.mark.parametrize(
    ("given", "there", "asked"),
    [
        (FARGATE, EC2, FARGATE),
        ({}, FARGATE, FARGATE),
        (SPOT, EC2, SPOT),
    ],
)
def test_it_runs_where_the_service_runs(given: dict[str, Any], there: dict[str, Any], asked: dict[str, Any]) -> None:
    target = hooked(service=given)
    _, hook = hook_task.all_of(target)[0]
    said = hook_task.order(target, hook, Claim(1, 1), there, "f:1")
    validate("RunTask", said)
    assert {key: said[key] for key in asked} == asked
    assert not {"capacityProviderStrategy", "launchType"} & (said.keys() - asked.keys())
    assert said == hook_task.order(target, hook, Claim(1, 2), there, "f:1"), "every attempt asks for the same"
    assert said["startedBy"] != hook_task.order(target, hook, Claim(2, 1), there, "f:1")["startedBy"]


# once


def test_each_is_marked_before_it_is_begun() -> None:
    told = Tasks()
    hooks(told).run(PRE)
    assert told.said_before == ["0 shop-prod-p-1_hooks:1", "1 shop-prod-p-1_hooks:2"]


def test_what_was_marked_and_never_answered_is_asked_for_again_with_the_same_token() -> None:
    told = Tasks()
    told.tags[f"{marks.HOOKS}2.1"] = str(Mark(0, "f:7", int(time.time())))
    hooks(told, "2.2").run(PRE)
    first, second = told.begun.values()
    assert (first["taskDefinition"], second["taskDefinition"]) == ("f:7", "shop-prod-p-1_hooks:1")
    assert marked(told) == {f"{marks.HOOKS}2.2": "1"}


def test_what_was_begun_long_ago_and_is_not_known_any_more_is_not_begun_again() -> None:
    told = Tasks()
    told.tags[f"{marks.HOOKS}2.1"] = str(Mark(0, "f:7", int(time.time()) - REMEMBERED - 1))
    with pytest.raises(Refused) as refusal:
        hooks(told, "2.2").run(PRE)
    assert refusal.value.code == Code.HOOK_FAILED
    assert not told.begun


def test_what_has_ended_well_needs_no_task_that_ecs_still_knows() -> None:
    told = Tasks()
    told.tags |= {f"{marks.HOOKS}2.1": str(Mark(0)), f"{marks.HOOKS}2.3": "1"}
    hooks(told, "2.4").run(PRE)
    assert not told.begun


@pytest.mark.parametrize(
    ("placed", "exit", "words"), [(False, 0, "RESOURCE:MEMORY"), (True, 3, "exit code 3"), (True, None, "its end")]
)
def test_what_is_not_placed_or_does_not_end_well_fails(placed: bool, exit: int | None, words: str) -> None:
    told = Tasks(placed=placed)
    told.exit = exit  # type: ignore[assignment]
    with pytest.raises(Refused, match=words) as refusal:
        hooks(told).run(PRE)
    assert (refusal.value.code, refusal.value.fields["hook"]) == (Code.HOOK_FAILED, "first")
    assert len(told.begun) == placed


@pytest.mark.parametrize(("since", "words"), [("2026-01-01", "within 1 s"), (None, "did not start: no room")])
def test_what_does_not_end_or_start_in_time_is_stopped(since: str | None, words: str) -> None:
    told = Tasks()
    told.more = {"lastStatus": "RUNNING", "startedAt": since, "stoppedReason": "no room"}
    with pytest.raises(Refused, match=words):
        hooks(told).run(PRE)
    assert told.stopped == ["arn:x/0"]


def test_whoever_is_overtaken_leaves_a_hook_to_the_higher_claim() -> None:
    told = Tasks()
    told.more = {"lastStatus": "RUNNING", "startedAt": "2026-01-01"}
    with pytest.raises(FenceLost):
        hooks(told, beat=lambda: told.tags.update({"fairlead.claim.9.1": "d"})).run(PRE)
    assert (len(told.begun), told.stopped) == (1, [])


def test_what_ecs_never_knows_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Tasks()
    told.more = {"lastStatus": "PENDING", "taskArn": "arn:x/elsewhere"}
    monkeypatch.setattr(hooking, "_UNSURE", 0)
    monkeypatch.setattr(told, "describe_tasks", lambda **said: {"tasks": []})
    with pytest.raises(Refused, match="does not know its task"):
        hooks(told, healthy_deadline=60.0).run(PRE)


def test_what_somebody_stopped_by_hand_has_not_ended_well() -> None:
    told = Tasks()
    told.begun[hooks(told)._token(hook_task.all_of(hooked())[0][1])] = {
        **told.ended("arn:x/0"),
        "stopCode": "UserInitiated",
    }
    with pytest.raises(Refused):
        hooks(told).run(PRE)


def test_the_next_deployment_ends_what_an_earlier_one_left_but_not_its_own() -> None:
    told = Tasks()
    mine = hooks(told, "3.1")
    running = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "containers": []}
    for name, token in (("old", "fairlead-x"), ("own", mine._token(hook_task.all_of(hooked())[0][1]))):
        told.begun[name] = {"taskArn": f"arn:x/{name}", "startedBy": token, **running}
    told.tags |= {f"{marks.HOOKS}2.1": "0", f"{marks.HOOKS}3.1": "0"}
    mine.quiet(told.describe_services()["services"][0])
    assert told.stopped == ["arn:x/old"]
    assert marked(told) == {f"{marks.HOOKS}3.1": "0"}
    assert not reading.task(told.begun["own"]).over
