"""Targets out of what clusters run: ECS services on ministack, Nomad jobs on the double."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.stub import Stubber

from fairlead.adapters.clusters import NomadAccess, ecs_services, nomad_jobs
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, NotFound, Unavailable
from tests.doubles.nomad_double.server import NomadDouble, Right
from tests.fixtures.aws import REGION, LocalAws
from tests.targets.harness import free_port

SIGNED: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def refusal(found: Any, *arguments: Any) -> tuple[type[FairleadError], Code]:
    with pytest.raises(FairleadError) as raised:
        found(*arguments)
    return type(raised.value), raised.value.code


@pytest.fixture
def cluster(local_aws: LocalAws, aws_credentials: None) -> str:
    """Thirteen services: more than one answer describes."""
    ecs = local_aws.client("ecs")
    ecs.create_cluster(clusterName="found")
    made = ecs.register_task_definition(family="found", containerDefinitions=[{"name": "web", "image": "web"}])
    task = made["taskDefinition"]["taskDefinitionArn"]
    known = {service.rpartition("/")[2] for service in ecs.list_services(cluster="found")["serviceArns"]}
    for number in range(11):
        if f"Web_{number}" not in known:
            ecs.create_service(
                cluster="found",
                serviceName=f"Web_{number}",
                taskDefinition=task,
                desiredCount=0,
                launchType="EC2",
                healthCheckGracePeriodSeconds=30,
            )
    if "ours" not in known:
        tags = [{"key": "fairlead.target", "value": "prod-1"}]
        ecs.create_service(cluster="found", serviceName="ours", taskDefinition=task, desiredCount=0, tags=tags)
        other = {"type": "CODE_DEPLOY"}
        ecs.create_service(
            cluster="found", serviceName="blue", taskDefinition=task, desiredCount=0, deploymentController=other
        )
    return "found"


def test_the_services_of_a_cluster_become_targets(local_aws: LocalAws, cluster: str) -> None:
    found = ecs_services(local_aws.endpoint, REGION, cluster)
    assert sorted(target.name for target in found.targets) == sorted(f"web-{number}" for number in range(11))
    [first] = [target for target in found.targets if target.name == "web-0"]
    assert (first.block["type"], first.block["endpoint"]) == ("ecs_service", local_aws.endpoint)
    assert {key: first.block["ecs"][key] for key in ("cluster", "name", "region")} == {
        "cluster": "found",
        "name": "Web_0",
        "region": REGION,
    }
    assert first.block["ecs"]["service"]["launchType"] == "EC2"
    assert first.unfit == ()


def test_services_that_can_be_no_targets_are_told(local_aws: LocalAws, cluster: str) -> None:
    assert ecs_services(local_aws.endpoint, REGION, cluster).passed_over == {
        "ours": "it is the target prod-1 already",
        "blue": "CODE_DEPLOY deploys it",
    }


def test_an_ecs_that_is_not_there_is_unreachable(aws_credentials: None) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert refusal(ecs_services, nowhere, REGION, "found") == (Unavailable, Code.TARGET_UNREACHABLE)


@pytest.mark.parametrize(
    ("said", "status", "error", "code"),
    [
        ("ClusterNotFoundException", 400, NotFound, Code.NOT_FOUND),
        ("AccessDeniedException", 400, NotAllowed, Code.TARGET_DENIED),
        ("ThrottlingException", 400, Unavailable, Code.TARGET_UNREACHABLE),
        ("ServerException", 500, Unavailable, Code.TARGET_UNREACHABLE),
    ],
)
def test_what_ecs_refuses_is_told_by_its_code(
    monkeypatch: pytest.MonkeyPatch, said: str, status: int, error: type[FairleadError], code: Code
) -> None:
    ecs = boto3.client("ecs", region_name=REGION, **SIGNED)
    monkeypatch.setattr(boto3.session.Session, "client", lambda *_, **__: ecs)
    with Stubber(ecs) as answers:  # ministack answers none of these
        answers.add_client_error("list_services", said, http_status_code=status)
        assert refusal(ecs_services, "https://ecs.eu-west-1.amazonaws.com", REGION, "found") == (error, code)


@pytest.fixture
def nomad() -> Iterator[NomadDouble]:
    double = NomadDouble()
    yield double
    double.close()


def register(double: NomadDouble, id: str, **more: Any) -> None:
    group = {"Name": "main", "Tasks": [{"Name": "web", "Driver": "docker", "Config": {"image": "web"}}]}
    job = {"ID": id, "Name": id, "Type": "service", "TaskGroups": [group], "Datacenters": ["*"], **more}
    requests.post(f"{double.address}/v1/jobs", json={"Job": job}, timeout=10).raise_for_status()


def test_the_jobs_of_a_namespace_become_targets_and_others_are_told(nomad: NomadDouble) -> None:
    register(nomad, "Web_EU")
    register(nomad, "nightly", Type="batch")
    register(nomad, "shop-prod-1", Meta={"fairlead.target": "prod-1"})
    found = nomad_jobs(NomadAccess(nomad.address))
    assert [(target.name, target.block["nomad"]) for target in found.targets] == [("web-eu", {"job": "Web_EU"})]
    assert found.passed_over == {
        "nightly": "it is no service, so nothing tells when it is healthy",
        "shop-prod-1": "it is the target prod-1 already",
    }


def test_the_token_is_asked_with_and_shown_by_its_variable_only(nomad: NomadDouble) -> None:
    register(nomad, "web")
    nomad.rights = {"s3cret": Right()}
    found = nomad_jobs(NomadAccess(nomad.address, token="s3cret"))
    assert [target.block["nomad"] for target in found.targets] == [{"token": "env://NOMAD_TOKEN", "job": "web"}]
    assert "s3cret" not in repr(found)
    assert refusal(nomad_jobs, NomadAccess(nomad.address, token="other")) == (NotAllowed, Code.TARGET_DENIED)


def test_a_nomad_that_is_not_there_is_unreachable() -> None:
    assert refusal(nomad_jobs, NomadAccess(f"http://127.0.0.1:{free_port()}")) == (Unavailable, Code.TARGET_UNREACHABLE)
