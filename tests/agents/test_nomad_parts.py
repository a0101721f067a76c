"""Nomad jobs, without a Nomad: what a lower claim may not touch, what a hand has spoilt, files that hold no job, ends of logs."""

from typing import Any

import pytest

from agents.nomad_job import delivery, host, marks, reading, template
from agents.nomad_job.ground import Ground
from agents.nomad_job.server import Server
from agents.nomad_job.versions import altered
from agents.nomad_job.work import Work
from agents.secrets import Safe
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import Sticker, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotAllowed, Refused
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import NoFailPoints, NoSecrets
from tests.agents.test_ecs_parts import component
from tests.targets.bench import nobeat, with_config

ANYTHING: Any = None


class Told(Server):
    """What Nomad keeps of a job, as far as these tests ask it."""

    def __init__(self, fence: str = "2.1", sticker: str = "") -> None:
        self.fence = {"fence": fence, **({"sticker": sticker} if sticker else {})}
        self.items: dict[str, str] = {}
        self.history: list[dict[str, Any]] = []
        self.untagged: list[str] = []

    def variable(self, path: str) -> dict[str, Any] | None:
        return {"Items": self.fence if path.startswith("fairlead/") else self.items, "ModifyIndex": 7}

    def put_variable(self, path: str, items: Any, index: int) -> bool:
        self.items = dict(items)
        return True

    def versions(self, id: str) -> list[dict[str, Any]]:
        return self.history

    def job(self, id: str) -> None:
        return None

    def drop_variable(self, path: str) -> None:
        raise NotAllowed(Code.TARGET_DENIED, "no")

    def tag(self, id: str, name: str, version: int, words: str) -> None:
        raise AssertionError

    def untag(self, id: str, name: str) -> None:
        self.untagged.append(name)

    def log(self, allocation: str, task: str, stream: str, most: int) -> str:
        raise NotAllowed(Code.TARGET_DENIED, "no")


def spec(**config: Any) -> TargetSpec:
    one = with_config(component(), target_type="nomad_job", **config)
    return TargetSpec(
        project="shop", environment="prod", target="p-1", type="nomad_job", endpoint="http://x", release="1.0.0",
        deployment="d1", decision="sha256:" + "d" * 64, components=(one,),
    )  # fmt: skip


def work(told: Told, number: int) -> Work:
    return Work(told, spec(), Claim(number, 1), nobeat, NoFailPoints(), Safe(NoSecrets(), spec()))


def marked(version: int, claim: str) -> dict[str, Any]:
    return {"Version": version, "VersionTag": {"Name": f"{marks.VERIFIED}{claim}"}}


def test_secrets_stay_as_they_are_where_a_higher_claim_has_come_before_they_were_read() -> None:
    told = Told(fence="3.1")
    told.items = {"theirs": "x"}
    with pytest.raises(FenceLost):
        delivery.deliver(
            told, spec(), Given(NoSecrets(), spec()), [], lambda: Ground(told, spec()).require(Claim(2, 1))
        )
    assert told.items == {"theirs": "x"}


class Given(Safe):
    """What components are given."""

    def of(self, component: Any) -> dict[str, str]:
        return {"TOKEN": "mine"}


def test_the_mark_of_a_higher_claim_stays() -> None:
    told = Told(fence="2.1")
    told.history = [marked(4, "3.1"), marked(3, "2.1"), marked(2, "1.1")]
    work(told, 2)._mark(3)
    assert told.untagged == [f"{marks.VERIFIED}1.1"]
    told.fence["fence"] = "3.1"
    with pytest.raises(FenceLost):
        work(told, 2)._mark(3)


def test_a_token_that_may_not_touch_secrets_can_retire_what_has_none() -> None:
    work(Told(), 2).take_down()
    asked = spec(secrets={"TOKEN": SecretUse(reference="vault://kv/x#y", version="1")})
    with pytest.raises(NotAllowed):
        Work(Told(), asked, Claim(2, 1), nobeat, NoFailPoints(), Safe(NoSecrets(), asked)).take_down()


def test_a_log_that_may_not_be_read_does_not_hide_why_it_failed() -> None:
    assert work(Told(), 2)._last_words("a", "web") == ""


def test_a_fence_that_a_hand_has_spoilt_lets_nobody_in() -> None:
    ground = Ground(Told(fence="soon", sticker="{"), spec())
    for act in (lambda: ground.require(Claim(9, 1)), lambda: ground.stake(Claim(9, 1), "d")):
        with pytest.raises(Conflict) as refusal:
            act()
        assert refusal.value.code == Code.TARGET_CHANGED
    assert ground.sticker() is None


@pytest.mark.parametrize(
    "job",
    ['{"TaskGroups": ["g"]}', '{"TaskGroups": [{"Tasks": [{"Config": {}}]}]}', '{"TaskGroups": [], "Meta": 1}', '{"Type": {}, "TaskGroups": []}'],
)  # fmt: skip
def test_a_file_that_holds_something_else_is_refused(job: str) -> None:
    one = with_config(component(), run={"nomad": {"file": "web.json"}}).model_copy(update={"files": {"web.json": job}})
    asked = spec().model_copy(update={"components": (one,)})
    with pytest.raises(Refused) as refusal:
        template.job_of(ANYTHING, asked, Claim(1, 1))
    assert refusal.value.code == Code.JOB_INVALID


@pytest.mark.parametrize(
    ("errors", "printed", "lines", "kept"),
    [(5, 5, 1, 1), (5, 5, 4, 4), (5, 1, 4, 4), (0, 5, 2, 2), (5, 0, 2, 2), (5, 5, 0, 0), (1, 1, 9, 2)],
)
def test_of_a_log_no_more_lines_are_shown_than_were_asked_for(errors: int, printed: int, lines: int, kept: int) -> None:
    said = host._tail(["e"] * errors, ["p"] * printed, lines)
    assert len(said.split()) == kept


GOOD: dict[str, Any] = {
    "Meta": {marks.FENCE: "1.1"},
    "TaskGroups": [{"Name": "g", "Count": 1, "Tasks": [{"Name": "web", "Env": {"A": "1"}}]}],
}


def version(number: int, mark: str = "", meta: str = "1.1", **group: Any) -> dict[str, Any]:
    said = {**GOOD, "Meta": {marks.FENCE: meta}, "TaskGroups": [{**GOOD["TaskGroups"][0], **group}]}
    tag = {"Name": f"{marks.VERIFIED}{mark}"} if mark else None
    return {
        **said,
        "Version": number,
        "JobModifyIndex": number,
        "Stable": number == 1,
        "Stop": number == 3,
        "VersionTag": tag,
    }


@pytest.mark.parametrize(
    ("kept", "differs"),
    [
        ([], []), ([version(1)], []), ([version(1, "1.1")], []), ([version(3), version(1, "1.1")], []),
        ([version(2, Count=2), version(1, "1.1")], ["TaskGroups.g.Count"]),
        ([version(2, "1.1", Count=2), version(1, "1.1")], ["TaskGroups.g.Count"]),
        ([version(2, "1.1", Tasks=[{"Name": "web", "Env": {"A": "secret"}}]), version(1, "1.1")], ["TaskGroups.g.Tasks.web.Env.A"]),
        ([version(2, Tasks=[]), version(1, "1.1")], ["TaskGroups.g.Tasks"]),
        ([version(2, meta="2.1", Count=2), version(1, "1.1")], []),
        ([version(2, Count=2, Scaling={"Enabled": True}), version(1, "1.1", Scaling={"Enabled": True})], []),
        ([version(2, Count=2, Scaling={"Enabled": False}), version(1, "1.1", Scaling={"Enabled": False})], ["TaskGroups.g.Count"]),
    ],
)  # fmt: skip
def test_what_stands_is_compared_with_what_was_seen_healthy(kept: list[dict[str, Any]], differs: list[str]) -> None:
    assert altered(kept, None) == differs


@pytest.mark.parametrize(("fence", "differs"), [("1.1", ["the whole job"]), ("1.0", []), ("spoilt", [])])
def test_what_was_seen_healthy_and_has_no_mark_is_another(fence: str, differs: list[str]) -> None:
    said = dict.fromkeys(("project", "environment", "target", "release", "deployment"), "x")
    assert (
        altered([version(0)], Sticker(**said, decision=spec().decision, fence=fence, components={}, configs={}))
        == differs
    )


@pytest.mark.parametrize(("started", "stays", "far"), [(False, "run", 0), (True, "run", 1), (True, "stop", 0)])
def test_to_start_is_to_come_further(started: bool, stays: str, far: int) -> None:
    said = dict.fromkeys(("ID", "Name", "JobVersion", "TaskGroup", "ClientStatus"), "")
    states = {"t": {"StartedAt": "2026-01-01T00:00:00Z" if started else None}}
    found = reading.places([{**said, "DesiredStatus": stays, "CreateIndex": 1, "CreateTime": 0, "TaskStates": states}])
    assert reading.progress(None, found) == far


class Ending(Told):
    """One whose allocation has its port until it has ended, which it has when it is asked for the third time; or never."""

    def __init__(self, desired: str, ends: bool) -> None:
        super().__init__()
        self.desired, self.ends, self.asked = desired, ends, 0

    def validate(self, job: dict[str, Any]) -> str:
        return ""

    def plan(self, job: dict[str, Any]) -> dict[str, Any]:
        return {"FailedTGAllocs": {"g": {"DimensionExhausted": {"network: port": 1}}} if self.asked < 3 else None}

    def allocations(self, id: str) -> list[dict[str, Any]]:
        self.asked += self.ends
        said = dict.fromkeys(("ID", "Name", "JobVersion", "TaskGroup"), "")
        return [{**said, "CreateIndex": 1, "CreateTime": 0, "DesiredStatus": self.desired, "ClientStatus": "running"}]


@pytest.mark.parametrize(("desired", "ends"), [("stop", True), ("run", False)])
def test_a_port_that_our_own_is_about_to_leave_is_not_taken(desired: str, ends: bool) -> None:
    if ends:
        host._require_places(Ending(desired, ends), spec(), {"ID": "x"}, nobeat)
    else:
        with pytest.raises(Refused) as refusal:
            host._require_places(Ending(desired, ends), spec(), {"ID": "x"}, nobeat)
        assert refusal.value.code == Code.PORT_TAKEN
