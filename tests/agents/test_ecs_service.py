"""ECS services: each fault has its own code, why a task ended is told, and whatever AWS loses or somebody else does is seen.

ministack lets everybody in, never has enough of calls and assumes every role: what it cannot answer comes from a Stubber.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import exceptions
from botocore.stub import ANY, Stubber

from agents.ecs_service import EcsService, access, marks
from agents.ecs_service.access import Access, Place
from agents.ecs_service.judging import CRASH_LIMIT
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, NotFound, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.aws import REGION
from tests.fixtures.ecs import CLUSTER, EcsHarness, changed
from tests.targets.bench import Bench, eventually, nobeat
from tests.targets.harness import Image, Tally
from tests.targets.keeping import apply, secretive

pytestmark = pytest.mark.docker

ROLE = "arn:aws:iam::123456789012:role/fairlead"
MISSING = "sha256:" + "0" * 64
SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}


@pytest.fixture
def bench(ecs_harness: EcsHarness) -> Iterator[Bench]:
    bench = Bench(ecs_harness)
    yield bench
    bench.close()


def told(spec: TargetSpec, **options: Any) -> TargetSpec:
    """The same specification on a target that says more of itself."""
    return spec.model_copy(update={"components": tuple(changed(one, **options) for one in spec.components)})


def alone(bench: Bench) -> tuple[EcsService, Any]:
    """An executor with clients of its own, and the one of ECS, to be stubbed."""
    own = Access()
    return EcsService(bench.harness.pushed.store, access=own), own.client(
        Place(bench.harness.aws.endpoint, REGION), "ecs"
    )


def service(bench: Bench) -> dict[str, Any]:
    return bench.harness.service(bench.address)


def update(bench: Bench, **said: Any) -> dict[str, Any]:
    """By hand."""
    return bench.harness.ecs.update_service(cluster=CLUSTER, service=f"suite-test-{bench.target}", **said)["service"]


# who we are there


@pytest.mark.parametrize(
    ("said", "kind", "meant"),
    [
        ("UnrecognizedClientException", NotAllowed, Code.TARGET_DENIED),
        ("ThrottlingException", Unavailable, Code.TARGET_THROTTLED),
    ],
)
def test_what_aws_refuses_to_answer_is_told_by_code(bench: Bench, said: str, kind: type[Exception], meant: Code):
    for act in ("prepare", "apply"):
        executor, client = alone(bench)
        stub = Stubber(client)
        stub.add_client_error("describe_services", said, "no")
        more = (nobeat,) if act == "prepare" else (Claim(1, 1), nobeat)
        with stub, pytest.raises(kind) as error:
            getattr(executor, act)(bench.of("1.0.0"), *more)
        assert error.value.code == meant
    assert service(bench) == {}


def test_refused_credentials_are_read_anew(bench: Bench):
    executor, client = alone(bench)
    with Stubber(client) as stub:
        stub.add_client_error("describe_services", "ExpiredTokenException", "no")
        assert "ExpiredToken" in str(executor.observe(bench.address).detail)
    assert executor.observe(bench.address).reachable


def test_without_credentials_it_is_denied(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    for options in ({}, {"role": ROLE}):
        with pytest.raises(NotAllowed) as refusal:
            alone(bench)[0].prepare(told(bench.of("1.0.0"), **options), nobeat)
        assert refusal.value.code == Code.TARGET_DENIED


def test_a_role_is_assumed(bench: Bench):
    executor, _ = alone(bench)
    executor.apply(told(bench.of("1.0.0"), role=ROLE, external_id="x-1"), Claim(1, 1), nobeat)
    seen = executor.observe(bench.address.model_copy(update={"options": {**bench.options, "role": ROLE}}))
    assert [one.health for one in seen.components] == [Health.HEALTHY]


def test_a_role_that_may_not_be_assumed_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def refusing(session: Any, place: Place, name: str, **more: Any) -> Any:
        client = made(session, place, name, **more)
        if name == "sts":
            stub = Stubber(client)
            asked = {"RoleArn": ROLE, "RoleSessionName": "fairlead", "ExternalId": "x-1"}
            stub.add_client_error("assume_role", "AccessDenied", "no", http_status_code=403, expected_params=asked)
            stub.activate()
        return client

    made = access._made
    monkeypatch.setattr(access, "_made", refusing)
    with pytest.raises(NotAllowed) as refusal:
        alone(bench)[0].prepare(told(bench.of("1.0.0"), role=ROLE, external_id="x-1"), nobeat)
    assert refusal.value.code == Code.ROLE_REFUSED


def test_a_cluster_tells_of_itself(bench: Bench):
    facts = bench.harness.executor().check(bench.address)
    assert (facts.version, facts.capabilities[0]) == (f"ECS in {REGION}, cluster {CLUSTER}", "0 container instances")
    nowhere = bench.address.model_copy(update={"options": {**bench.address.options, "cluster": "nowhere"}})
    with pytest.raises(NotFound) as refusal:
        bench.harness.executor().check(nowhere)
    assert refusal.value.code == Code.CLUSTER_NOT_FOUND


def test_an_unknown_cluster_is_told(bench: Bench):
    with pytest.raises(NotFound) as refusal:
        bench.harness.executor().prepare(told(bench.of("1.0.0"), cluster="nowhere"), nobeat)
    assert refusal.value.code == Code.CLUSTER_NOT_FOUND


def test_a_service_of_somebody_else_is_left_alone_until_it_is_given_to_us(bench: Bench):
    ecs, name = bench.harness.ecs, f"suite-test-{bench.target}"
    container = {"name": "x", "image": "x", "memory": 16}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    made = ecs.create_service(cluster=CLUSTER, serviceName=name, taskDefinition=name, desiredCount=0)["service"]
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    assert refusal.value.code == Code.FOREIGN_WORKLOAD
    ecs.tag_resource(resourceArn=made["serviceArn"], tags=marks.as_tags(marks.of_target(bench.address)))
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))


# what cannot run


def test_secrets_need_a_role_that_may_read_them(bench: Bench):
    safe = MemorySecrets()
    spec = told(secretive(bench, safe.put("vault://kv/x#y", "v")), definition={})
    with pytest.raises(Refused) as refusal:
        bench.harness.executor(None, safe).prepare(spec, nobeat)
    assert refusal.value.code == Code.DEFINITION_INVALID


def test_an_image_for_another_machine_is_refused_before_any_change(bench: Bench):
    image = bench.harness.pushed.index("1.0.0", architecture="s390x")
    spec = told(bench.spec(bench.component(image)), definition={"runtimePlatform": {"cpuArchitecture": "ARM64"}})
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(spec, nobeat)
    assert refusal.value.code == Code.PLATFORM_MISSING


def test_an_image_that_is_gone_when_ecs_pulls_trips_the_breaker_and_puts_the_old_one_back(bench: Bench):
    old, gone = bench.of("1.0.0"), Image(bench.harness.image("1.0.0").repository, MISSING)
    bench.apply(old, 1)
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().apply(bench.spec(bench.component(gone), deadline=120.0), Claim(2, 1), nobeat)
    assert refusal.value.code == Code.START_FAILED
    assert "CannotPullContainerError" in refusal.value.detail
    assert (refusal.value.fields["rollout"], refusal.value.fields["failed_tasks"]) == ("FAILED", 3)
    assert refusal.value.fields["restored"] == ["web 1.0.0 runs again"]
    assert bench.runs(old)


def test_why_tasks_end_is_told_with_code_and_last_words_though_ecs_calls_it_completed(bench: Bench):
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("1.0.0", {"CRASH": "1"}, deadline=120.0), 1)
    said = refusal.value
    assert said.code == Code.START_FAILED
    assert set(said.fields["stopped"]) == {"Essential container in task exited; web: exit code 3"}
    assert len(said.fields["stopped"]) >= CRASH_LIMIT
    assert said.fields["log"] == "told to crash"


def test_where_nothing_can_be_placed_our_own_deadline_ends_it_with_what_ecs_says(bench: Bench):
    with bench.harness.occupy(bench.port), pytest.raises(Refused) as refusal:
        bench.harness.executor().apply(bench.of("1.0.0", deadline=1.0), Claim(1, 1), nobeat)
    assert refusal.value.code == Code.PLACEMENT_FAILED
    assert "unable to place a task" in refusal.value.detail
    assert bench.see() == {}


# what is passed through


def test_tasks_with_addresses_of_their_own_a_sidecar_and_a_check_inside(bench: Bench):
    """As on Fargate: two tasks roll without a gap, and ECS itself asks whether they are healthy."""
    image = bench.harness.image("1.0.0")
    beside = {"name": "beside", "image": f"{image.repository}@{image.digest}", "essential": False}
    rolling = {"launchType": "FARGATE", "networkConfiguration": SUBNETS}
    check = {
        "command": ["CMD", "/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/cgi-bin/healthz"]
    }
    own = {"health": "container", "container": {"healthCheck": {**check, "interval": 5, "timeout": 5, "retries": 2}}}

    def of(version: str, **run: Any) -> TargetSpec:
        spec = told(
            bench.of(version), count=2, service=rolling, definition={"cpu": "256", "containerDefinitions": [beside]}
        )
        [part] = spec.components
        config = part.config.model_copy(update={"run": {"ecs": run} if run else None})
        return spec.model_copy(update={"components": (part.model_copy(update={"config": config}),)})

    for number, spec in enumerate((of("1.0.0"), of("2.0.0", **own)), 1):
        bench.harness.executor().apply(spec, Claim(number, 1), nobeat)
        seen = bench.see()
        assert (seen["web"].health, len(str(seen["web"].instance).split(","))) == (Health.HEALTHY, 2)
        assert spec.components[0].accepts(seen["web"].digest)
    assert len(bench.harness.containers(bench.address, "beside")) == 2


# what others do, and what gets lost


def test_a_revision_made_by_hand_is_not_taken_for_ours(bench: Bench):
    """Whoever copies one in the console copies its labels too."""
    bench.apply(bench.of("1.0.0"), 1)
    ecs, held = bench.harness.ecs, service(bench)["taskDefinition"]
    said = ecs.describe_task_definition(taskDefinition=held)["taskDefinition"]
    said["containerDefinitions"][0]["environment"] = [{"name": "BY", "value": "hand"}]
    copy = ecs.register_task_definition(family=said["family"], containerDefinitions=said["containerDefinitions"])
    update(bench, taskDefinition=copy["taskDefinition"]["taskDefinitionArn"])
    assert eventually(lambda: bench.see()["web"].health == Health.HEALTHY)
    assert bench.see()["web"].config is None
    bench.apply(bench.of("1.0.0", rollback=True), 2)
    assert bench.runs(bench.of("1.0.0"))


def test_somebody_who_goes_back_by_hand_while_we_roll_out_is_not_undone(bench: Bench):
    bench.apply(bench.of("1.0.0"), 1)
    good, done = service(bench)["taskDefinition"], []

    def by_hand() -> None:
        if not done and bench.tally().started == 2:
            done.append(update(bench, taskDefinition=good))

    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0", {"SLOW": "60"}, deadline=60.0), 2, beat=by_hand)
    assert refusal.value.code == Code.TARGET_CHANGED
    assert service(bench)["taskDefinition"] == good


def test_a_change_of_a_lower_claim_that_comes_too_late_is_asked_away(bench: Bench):
    """It had read the claims just before the higher one came, and its call arrives after the higher one's."""
    bench.apply(bench.of("1.0.0"), 1)
    bench.die(bench.of("2.0.0"), 2, at="after_create")
    late, done = service(bench)["taskDefinition"], []

    def too_late() -> None:
        if not done and bench.tally().started == 3:
            done.append(update(bench, taskDefinition=late))

    newest = bench.of("3.0.0", {"SLOW": "1"})
    bench.apply(newest, 3, beat=too_late)
    assert done
    assert bench.runs(newest)


@pytest.mark.parametrize("call", ["CreateService", "UpdateService"])
def test_a_call_without_an_answer_is_read_back(bench: Bench, call: str):
    """It is not guessed what became of it."""
    executor, client = alone(bench)
    lost: list[str] = []

    def lose(**said: Any) -> None:
        if not lost:
            lost.append(call)
            raise exceptions.ReadTimeoutError(endpoint_url=bench.harness.aws.endpoint)

    client.meta.events.register(f"after-call.ecs.{call}", lose)
    executor.prepare(bench.of("1.0.0"), nobeat)
    executor.apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
    assert lost == [call]
    assert bench.runs(bench.of("1.0.0"))
    assert bench.tally() == Tally(1, 1)


def test_a_good_revision_that_somebody_deregistered_is_registered_anew_to_go_back_to(bench: Bench):
    bench.apply(bench.of("1.0.0"), 1)
    held = service(bench)["taskDefinition"]
    bench.harness.ecs.deregister_task_definition(taskDefinition=held)
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}), 2)
    assert refusal.value.code == Code.START_FAILED
    assert service(bench)["taskDefinition"] != held
    assert bench.runs(bench.of("1.0.0"))
    assert bench.see()["web"].config is not None


def test_a_service_that_is_being_deleted_is_waited_for(bench: Bench):
    executor, client = alone(bench)
    with Stubber(client) as stub:
        said = {"services": [{"serviceName": "x", "status": "DRAINING"}]}
        stub.add_response("describe_services", said, {"cluster": ANY, "services": ANY, "include": ANY})
        with pytest.raises(Unavailable) as error:
            executor.apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
    assert error.value.code == Code.SERVICE_NOT_ACTIVE


def test_a_target_that_is_retired_leaves_an_empty_service_and_no_secret(bench: Bench):
    safe = MemorySecrets()
    spec = secretive(bench, safe.put("vault://kv/x#y", "v"))
    apply(bench, spec, 1, safe)
    secrets = bench.harness.aws.client("secretsmanager")
    named = [{"Key": "name", "Values": [marks.secret_prefix(bench.address)]}]
    assert len(secrets.list_secrets(Filters=named)["SecretList"]) == 1
    bench.harness.executor(None, safe).retire(spec, Claim(2, 1), nobeat)
    assert secrets.list_secrets(Filters=named)["SecretList"] == []
    assert bench.harness.ecs.list_task_definitions(familyPrefix=marks.stem(bench.address))["taskDefinitionArns"] == []
    left = marks.tags_of(service(bench))
    assert left == {**marks.of_target(bench.address), "fairlead.claim.2.1": spec.deployment}
