"""ECS services, without AWS: what is asked for, what counts as the same, what errors mean, where a task can be asked."""

import copy

import pytest
from botocore import exceptions

from agents.ecs_service import addresses, document, marks, reading, refusals
from agents.ecs_service.access import Place
from agents.ecs_service.checking import validate
from agents.ecs_service.judging import CRASH_LIMIT, Scene
from agents.ecs_service.sameness import same
from fairlead.contracts.release import RenderedConfig, RenderedHealth, SecretUse
from fairlead.contracts.target import ComponentSpec, Sticker, TargetAddress, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotAllowed, NotFound, Refused, Unavailable
from fairlead.domain.fence import Claim

DIGEST, PLACE = "sha256:" + "a" * 64, Place("https://ecs.eu-west-1.amazonaws.com", "eu-west-1")
SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
ENVOY = {"name": "envoy", "image": "envoy@sha256:" + "b" * 64}


def component(name="web", run=None, options=None, **more) -> ComponentSpec:
    config = RenderedConfig(
        component=name, repository="r.example/web", target_type="ecs_service", endpoint=PLACE.endpoint, ports=("80:8080",),
        health=RenderedHealth(http="/healthz", port=8080, interval=1.0, timeout=0.5, retries=3), stop_grace=2.5,
        run={"ecs": run} if run else None, options=options, **more,
    )  # fmt: skip
    return ComponentSpec(name=name, digest=DIGEST, config_digest=DIGEST, config=config)


def spec(*components: ComponentSpec) -> TargetSpec:
    return TargetSpec(
        project="shop", environment="prod", target="p-1", type="ecs_service", endpoint=PLACE.endpoint, release="1.0.0",
        deployment="d1", decision=DIGEST, components=components or (component(),),
    )  # fmt: skip


def rendered(what: TargetSpec, number: int = 1):
    return document.definition(what, Claim(number, 2), PLACE, {})


# what is asked for


@pytest.mark.parametrize(
    ("service", "mode", "mapping"),
    [
        ({}, "", {"hostPort": 80}),
        ({"launchType": "FARGATE"}, "awsvpc", {}),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, "awsvpc", {}),
        ({"networkConfiguration": SUBNETS}, "awsvpc", {}),
        ({"capacityProviderStrategy": [{"capacityProvider": "my-asg"}]}, "", {"hostPort": 80}),
    ],
)
def test_the_network_follows_from_where_tasks_run(service, mode, mapping):
    asked = spec(component(options={"service": service}))
    said = rendered(asked)
    assert said.get("networkMode", "") == mode
    port = {"containerPort": 8080, "protocol": "tcp", "name": "web-8080"}
    assert said["containerDefinitions"][0]["portMappings"] == [{**port, **mapping}]
    assert ("FARGATE" in said.get("requiresCompatibilities", [])) == ("FARGATE" in str(service))
    assert document.host_ports(asked) == (set() if mode else {80})


def test_what_is_passed_through_arrives_and_the_breaker_is_on():
    passed = {
        "loadBalancers": [{"targetGroupArn": "arn:x", "containerName": "web", "containerPort": 8080}],
        "serviceConnectConfiguration": {"enabled": True},
        "launchType": "FARGATE",
        "deploymentConfiguration": {"minimumHealthyPercent": 50},
    }
    definition = {"cpu": 256, "containerDefinitions": [ENVOY]}
    asked = spec(component(options={"service": passed, "definition": definition}, run={"container": {"user": "1000"}}))
    service, said = document.service(asked), rendered(asked)
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}, "minimumHealthyPercent": 50}
    assert {**passed, "deploymentConfiguration": breaker}.items() <= service.items()
    assert "launchType" not in document.change(asked)
    assert [one["name"] for one in said["containerDefinitions"]] == ["web", "envoy"]
    assert (said["cpu"], said["containerDefinitions"][0]["user"]) == ("256", "1000")
    validate("RegisterTaskDefinition", said)
    validate("CreateService", {"serviceName": "x", **service})


def test_a_field_that_aws_does_not_have_is_told_before_anything_is_asked():
    with pytest.raises(Refused) as refusal:
        validate("CreateService", {"serviceName": "x", "networkConfiguration": {"subnets": ["subnet-1"]}})
    assert refusal.value.code == Code.DEFINITION_INVALID
    assert "subnets" in refusal.value.detail


def test_a_check_inside_of_the_container_is_an_argument_vector_within_the_bounds_of_aws():
    said = rendered(spec(component(run={"health": "container"})))["containerDefinitions"][0]
    assert said["healthCheck"]["command"][:2] == ["CMD", "wget"]
    assert (said["healthCheck"]["interval"], said["healthCheck"]["timeout"], said["stopTimeout"]) == (5, 2, 3)
    assert marks.health_in(said) is None
    assert marks.health_in(rendered(spec())["containerDefinitions"][0]) == component().config.health


def test_whoever_is_depended_on_has_started_or_is_healthy_where_ecs_asks_it():
    parts = component("db"), component("api", run={"health": "container"}), component(depends_on=("db", "api"))
    order = rendered(spec(*parts))["containerDefinitions"][2]["dependsOn"]
    assert order == [
        {"containerName": "db", "condition": "START"},
        {"containerName": "api", "condition": "HEALTHY"},
    ]


@pytest.mark.parametrize(
    ("endpoint", "options", "region", "logs"),
    [
        ("https://ecs.eu-west-1.amazonaws.com", {}, "eu-west-1", None),
        ("https://vpce-0a.ecs.us-east-2.vpce.amazonaws.com", {}, "us-east-2", None),
        ("https://ecs.cn-north-1.amazonaws.com.cn", {}, "cn-north-1", None),
        ("http://127.0.0.1:4566", {"region": "eu-west-1"}, "eu-west-1", "http://127.0.0.1:4566"),
    ],
)
def test_the_region_is_in_the_endpoint_or_said(endpoint, options, region, logs):
    address = TargetAddress(
        project="p", environment="e", target="t", type="ecs_service", endpoint=endpoint, options=options
    )
    assert (Place.of(address).region, Place.of(address).url("logs")) == (region, logs)


def test_without_a_region_nothing_is_asked():
    with pytest.raises(BadInput) as refusal:
        Place.of(spec().model_copy(update={"endpoint": "http://127.0.0.1:4566"}))
    assert refusal.value.code == Code.MISSING_FIELD


# what counts as the same


def as_held(said):
    """As AWS answers it: with what it fills in, and in its own order."""
    held = copy.deepcopy(said) | {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/shop:1", "revision": 1, "status": "ACTIVE", "volumes": [],
        "requiresAttributes": [{"name": "x"}], "placementConstraints": [], "compatibilities": ["EC2"], "registeredBy": "me",
        "enableFaultInjection": False, "networkMode": "bridge", "cpu": "256",
    }  # fmt: skip
    for one in held["containerDefinitions"]:
        one |= {"cpu": 0, "mountPoints": [], "volumesFrom": [], "systemControls": []}
        one["environment"] = list(reversed(one.get("environment", [])))
    return held


def with_everything():
    uses = {"TOKEN": SecretUse(reference="vault://kv/x#y", version="1")}
    return spec(component(env={"A": "1", "B": "2"}, secrets=uses, options={"definition": {"volumes": [{"name": "v"}]}}))


def test_what_aws_fills_in_makes_no_difference():
    asked = with_everything()
    held = as_held(document.definition(asked, Claim(1, 1), PLACE, {"web": "arn:aws:secretsmanager:x"}))
    held["volumes"] = [{"name": "v", "host": {}}]
    assert same(rendered(asked, 7), held)


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held["containerDefinitions"][0].update(image="r.example/web@sha256:" + "c" * 64),
        lambda held: held["containerDefinitions"][0]["environment"].append({"name": "C", "value": "3"}),
        lambda held: held["containerDefinitions"][0].update(privileged=True),
        lambda held: held["containerDefinitions"][0]["dockerLabels"].update({marks.CONFIG: "sha256:" + "c" * 64}),
        lambda held: held["containerDefinitions"][0].update(secrets=[]),
        lambda held: held["containerDefinitions"].append({"name": "x", "image": "y"}),
        lambda held: held.update(taskRoleArn="arn:aws:iam::1:role/admin"),
        lambda held: held.update(networkMode="host"),
    ],
    ids=["image", "environment", "privileged", "configuration", "secrets", "container", "role", "network"],
)
def test_what_a_hand_has_changed_does(change):
    held = as_held(rendered(with_everything()))
    change(held)
    assert not same(rendered(with_everything()), held)


# what lies on the target


def test_a_sticker_of_ten_components_fits_into_tags():
    many = {f"component-{place}": DIGEST for place in range(10)}
    sticker = Sticker(
        project="p", environment="e", target="t", release="1", deployment="d", decision=DIGEST, fence="1.1",
        components=many, configs=many,
    )  # fmt: skip
    tags = marks.as_tags(marks.sticker_tags(sticker))
    assert len(tags) < 30
    assert marks.sticker_in(marks.tags_of({"tags": tags})) == sticker
    assert marks.sticker_in(marks.tags_of({"tags": tags[:-1]})) is None


def test_a_tag_holds_only_what_aws_allows():
    assert marks.as_tags({"k": "1.0+é; [x]" + "y" * 300})[0]["value"].startswith("1.0+é_ _x_y")
    assert len(marks.as_tags({"k": "y" * 300})[0]["value"]) == 256


# what errors mean


@pytest.mark.parametrize(
    ("code", "operation", "status", "kind", "meant"),
    [
        ("ThrottlingException", "UpdateService", 400, Unavailable, Code.TARGET_THROTTLED),
        ("ServerException", "UpdateService", 500, Unavailable, Code.TARGET_UNREACHABLE),
        ("AccessDeniedException", "UpdateService", 400, NotAllowed, Code.TARGET_DENIED),
        ("ExpiredTokenException", "ListTasks", 400, Unavailable, Code.TARGET_DENIED),
        ("ExpiredToken", "AssumeRole", 403, Unavailable, Code.TARGET_DENIED),
        ("UnrecognizedClientException", "ListTasks", 400, NotAllowed, Code.TARGET_DENIED),
        ("InvalidSignatureException", "ListTasks", 400, NotAllowed, Code.TARGET_DENIED),
        ("SomethingNew", "ListTasks", 403, NotAllowed, Code.TARGET_DENIED),
        ("AccessDenied", "AssumeRole", 403, NotAllowed, Code.ROLE_REFUSED),
        ("ClusterNotFoundException", "DescribeServices", 400, NotFound, Code.CLUSTER_NOT_FOUND),
        ("ServiceNotActiveException", "UpdateService", 400, Unavailable, Code.SERVICE_NOT_ACTIVE),
        ("ServiceNotFoundException", "UpdateService", 400, Unavailable, Code.SERVICE_NOT_ACTIVE),
        ("InvalidParameterException", "CreateService", 400, Refused, Code.DEFINITION_INVALID),
        ("ClientException", "RegisterTaskDefinition", 400, Refused, Code.DEFINITION_INVALID),
        ("ConflictException", "RunTask", 400, Refused, Code.DEFINITION_INVALID),
        ("PlatformUnknownException", "CreateService", 400, Refused, Code.DEFINITION_INVALID),
        ("UpdateInProgressException", "UpdateService", 400, Unavailable, Code.TARGET_UNREACHABLE),
    ],
)
def test_each_answer_of_aws_has_its_own_meaning(code, operation, status, kind, meant):
    answer = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(kind) as error, refusals.mapped():
        raise exceptions.ClientError(answer, operation)
    assert error.value.code == meant
    assert f"AWS says {code} to {operation}: m" in error.value.detail


@pytest.mark.parametrize(
    ("raised", "kind", "meant"),
    [
        (exceptions.NoCredentialsError(), NotAllowed, Code.TARGET_DENIED),
        (exceptions.CredentialRetrievalError(provider="x", error_msg="away"), Unavailable, Code.TARGET_DENIED),
        (exceptions.SSLError(endpoint_url="https://x", error="expired"), Refused, Code.CERTIFICATE_REFUSED),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), refusals.Silent, Code.TARGET_UNREACHABLE),
    ],
)
def test_what_the_library_says_by_itself_has_too(raised, kind, meant):
    with pytest.raises(kind) as error, refusals.mapped():
        raise raised
    assert error.value.code == meant


# how far it is


def task(number, stop_code="", status="RUNNING", **more):
    said = {"taskArn": f"arn/{number}", "startedBy": "ecs-svc/1", "lastStatus": status, "stopCode": stop_code, **more}
    return reading.task(said)


ROLLOUT = reading.Rollout("ecs-svc/1", "arn", "IN_PROGRESS", "", 1, 0, 0, None)


@pytest.mark.parametrize(
    ("stop_code", "hopeless"),
    [
        ("EssentialContainerExited", True),
        ("TaskFailedToStart", True),
        ("SpotInterruption", False),
        ("ServiceSchedulerInitiated", False),
        ("UserInitiated", False),
    ],
)
def test_only_what_ended_by_itself_speaks_against_a_release(stop_code, hopeless):
    stopped = [task(number, stop_code, "STOPPED") for number in range(CRASH_LIMIT)]
    assert Scene(ROLLOUT, [], 1, [], stopped).hopeless is hopeless
    assert not Scene(ROLLOUT, [], 1, [], stopped[1:]).hopeless


def test_why_a_task_ended_is_told_in_the_words_of_ecs():
    containers = [{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"}, {"name": "log", "exitCode": 0}]
    said = task(1, stoppedReason="Essential container in task exited", containers=containers)
    assert said.why == "Essential container in task exited; web: exit code 137, OutOfMemoryError"


# where


def test_a_port_is_taken_when_no_instance_has_it_free():
    def instance(*ports):
        return {"remainingResources": [{"name": "PORTS", "stringSetValue": [str(port) for port in ports]}]}

    assert addresses.taken({80, 81}, [instance(22, 80), instance(80, 81)]) == {80}
    assert addresses.taken({80}, [instance(80), instance(22)]) == addresses.taken({80}, []) == set()
    assert addresses.host_ports(rendered(spec())) == {80}
