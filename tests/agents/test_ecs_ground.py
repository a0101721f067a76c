"""ECS services, without AWS: which tags stay on a service, which revisions are forgotten, and which may be asked for again."""

from typing import Any

import pytest
from botocore import exceptions

from agents.ecs_service import marks, work
from agents.ecs_service.access import Place
from agents.ecs_service.choosing import Choosing
from agents.ecs_service.cluster import Cluster, Definitions
from agents.ecs_service.ground import Ground, claims_on, made_on
from agents.ecs_service.reading import Rollout
from agents.ecs_service.work import Work
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import NoFailPoints
from tests.agents.test_ecs_parts import component, spec
from tests.targets.bench import nobeat

ASKED = spec(component())
FAMILY = marks.stem(ASKED)
ANYTHING: Any = None


class Told:
    """What ECS keeps of one service and its revisions, with lists in pages of two."""

    def __init__(self) -> None:
        self.tags = dict(marks.of_target(ASKED))
        self.revisions: dict[str, dict[str, Any]] = {}
        self.dropped: list[str] = []

    def client(self, place: Place, service: str) -> "Told":
        return self

    def register_task_definition(self, **said: Any) -> dict[str, Any]:
        name = f"{said['family']}:{len(self.revisions) + 1}"
        self.revisions[name] = {**said, "taskDefinitionArn": f"arn:x/{name}", "status": "ACTIVE"}
        return {"taskDefinition": self.revisions[name]}

    def describe_task_definition(self, taskDefinition: str) -> dict[str, Any]:
        if marks.revision(taskDefinition) not in self.revisions:
            answer: Any = {"Error": {"Code": "ClientException", "Message": "Unable to describe task definition."}}
            raise exceptions.ClientError(answer, "DescribeTaskDefinition")
        return {"taskDefinition": self.revisions[marks.revision(taskDefinition)]}

    def list_task_definitions(self, familyPrefix: str, nextToken: str = "0") -> dict[str, Any]:
        names, at = [name for name in self.revisions if name.startswith(familyPrefix)], int(nextToken)
        more = {"nextToken": str(at + 2)} if names[at + 2 :] else {}
        return {"taskDefinitionArns": [f"arn:x/{name}" for name in names[at : at + 2]], **more}

    def deregister_task_definition(self, taskDefinition: str) -> dict[str, Any]:
        self.revisions[marks.revision(taskDefinition)]["status"] = "INACTIVE"
        return {}

    def describe_services(self, **said: Any) -> dict[str, Any]:
        tags = marks.as_tags(self.tags)
        running = f"arn:x/{FAMILY}:1"
        said = {"serviceArn": "arn:s", "status": "ACTIVE", "desiredCount": 1, "taskDefinition": running, "tags": tags}
        return {"services": [said]}

    def tag_resource(self, resourceArn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
        self.tags |= {tag["key"]: tag["value"] for tag in tags}
        return {}

    def untag_resource(self, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
        self.tags = {key: value for key, value in self.tags.items() if key not in tagKeys}
        return {}

    def delete_secret(self, SecretId: str, **said: Any) -> dict[str, Any]:
        self.dropped.append(SecretId)
        return {}

    # what tests ask

    def cluster(self) -> Cluster:
        access: Any = self
        return Cluster(access, ASKED, Definitions())

    def made(self, claim: str, of: TargetSpec = ASKED, family: str = FAMILY) -> str:
        """A revision that a claim registered; it reads a secret of its own."""
        labels = {**marks.of_release(of, Claim.parse(claim)), marks.COMPONENT: "web"}
        secret = f"arn:aws:secretsmanager:eu:1:secret:{marks.secret_prefix(of)}web/{claim}"
        one = {"name": "web", "dockerLabels": labels, "secrets": [{"name": "T", "valueFrom": f"{secret}:T::"}]}
        said = self.register_task_definition(family=family, containerDefinitions=[one])
        return marks.revision(said["taskDefinition"]["taskDefinitionArn"])

    def active(self) -> list[str]:
        return [name for name, said in self.revisions.items() if said["status"] == "ACTIVE"]


def choosing(told: Told, number: int) -> Choosing:
    cluster = told.cluster()
    return Choosing(cluster, Ground(cluster, ASKED), ASKED, Claim(number, 1), ANYTHING, ANYTHING)


def worker(told: Told, number: int, beat: Any = nobeat) -> Work:
    return Work(told.cluster(), ASKED, Claim(number, 1), beat, NoFailPoints(), ANYTHING, ANYTHING)


# tags


def test_attempts_leave_one_claim_and_what_is_still_needed_of_what_they_made() -> None:
    told = Told()
    ground = Ground(told.cluster(), ASKED)
    told.tags |= {"fairlead.good.1.1": f"{FAMILY}:1", "fairlead.made.1.1": f"{FAMILY}:1"}
    for attempt in range(1, 60):
        service = ground.stake(Claim(2, attempt), "d", ground.ours())
        ground.note_made(Claim(2, attempt), f"arn:x/{FAMILY}:{2 + attempt % 3}", service)
    assert claims_on(ground.ours()) == [Claim(2, 59)]
    assert made_on(ground.ours()) == {f"{FAMILY}:1", f"{FAMILY}:4"}
    assert len(told.tags) == 7


# retiring


def test_only_the_revisions_of_this_target_are_forgotten_but_all_of_them() -> None:
    told = Told()
    other = ASKED.model_copy(update={"project": "shop-prod", "environment": "p", "target": "1"})
    ours = [told.made(f"1.{attempt}") for attempt in range(1, 6)]
    ours.append(told.made("1.6", family=marks.hook_family(ASKED)))
    told.tags["fairlead.hooks.2.1"] = "0"
    kept = [told.made("1.1", other), told.made("7.1"), told.made("1.9", family=f"{FAMILY}-more")]
    worker(told, 2).clean_up()
    assert marks.stem(other) == FAMILY
    assert told.active() == kept
    assert len(told.dropped) == len(ours)
    assert told.tags == marks.of_target(ASKED)


def test_whoever_claims_it_meanwhile_keeps_revisions_and_secrets() -> None:
    told, beats = Told(), list[int]()
    made = [told.made("1.1"), told.made("1.2"), told.made("1.3")]

    def beat() -> None:
        beats.append(1)
        if len(beats) == 2:
            told.tags["fairlead.claim.3.1"] = "d"

    with pytest.raises(FenceLost):
        worker(told, 2, beat).clean_up()
    assert told.active() == made[1:]
    assert len(told.dropped) == 1


# going back


def test_what_was_deregistered_is_registered_anew_and_what_was_deleted_is_passed_over() -> None:
    told = Told()
    first, second = told.made("1.1"), told.made("2.1")
    told.tags |= {"fairlead.good.1.1": first, "fairlead.good.2.1": second, "fairlead.good.3.1": f"{FAMILY}:99"}
    chosen = choosing(told, 4)
    service = told.describe_services()["services"][0]
    assert chosen.good(service) == second
    assert marks.revision(chosen.again(second)) == second
    told.deregister_task_definition(second)
    again = marks.revision(chosen.again(second))
    assert again == f"{FAMILY}:3"
    assert told.revisions[again]["containerDefinitions"] == told.revisions[second]["containerDefinitions"]
    assert told.tags["fairlead.made.4.1"] == again
    assert not chosen.made_here(f"{FAMILY}:99")


@pytest.mark.parametrize(
    ("before", "now", "ours"),
    [(None, "a:2", True), ("a:1", "a:2", True), ("a:1", None, False), ("a:1", "a:3", False), ("a:2", "a:2", False)],
)
def test_of_a_call_without_an_answer_only_what_it_asked_for_is_taken_for_its_own(
    before: str | None, now: str | None, ours: bool
) -> None:
    def rollout(definition: str | None) -> Rollout | None:
        return Rollout(definition, f"arn/{definition}", "", "", 1, 0, 0, None) if definition else None

    assert work._begun_by("a:2", rollout(before), rollout(now)) is ours


def test_of_very_many_definitions_only_the_latest_are_kept() -> None:
    known, place = Definitions(), Place("https://x", "eu")
    for number in range(2000):
        known.keep(place, {"taskDefinitionArn": f"arn/a:{number}"})
    assert known.get(place, "a:0") is None
    assert known.get(place, "a:1999") == {"taskDefinitionArn": "arn/a:1999"}
    assert len(known._known) == 1000
