"""What the catalogue may say of ECS services."""

import pytest

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.target_kinds import ecs_service

ROLE = "arn:aws:iam::123456789012:role/fairlead"
PINNED = "public.ecr.aws/x/envoy@sha256:" + "a" * 64
OPTIONS = {
    "region": "eu-west-1",
    "cluster": "shop",
    "name": "web_1",
    "role": ROLE,
    "external_id": "x-1",
    "log_group": "/shop/prod",
    "count": 2,
    "service": {
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "deploymentConfiguration": {"minimumHealthyPercent": 0},
        "serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "web-8080"}]},
        "loadBalancers": [{"targetGroupArn": "arn:x", "containerName": "web", "containerPort": 8080}],
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    },
    "definition": {"cpu": "256", "containerDefinitions": [{"name": "envoy", "image": PINNED}]},
}
SECTION = {"health": "container", "ports": "dynamic", "container": {"cpu": 128, "ulimits": [{"name": "nofile"}]}}


def read(reader, said):
    flaws: list[Flaw] = []
    return reader(Block(said, "", flaws)), flaws


@pytest.mark.parametrize(("reader", "said"), [(ecs_service.options, OPTIONS), (ecs_service.section, SECTION)])
def test_the_normal_form_reads_back_as_itself(reader, said):
    normal, flaws = read(reader, said)
    assert (normal, flaws) == (said, [])
    assert read(reader, normal) == (normal, [])


@pytest.mark.parametrize("reader", [ecs_service.options, ecs_service.section])
def test_nothing_said_is_nothing_kept(reader):
    assert read(reader, {}) == ({}, [])


def rolling(**said):
    return {"service": {"deploymentConfiguration": said}}


@pytest.mark.parametrize(
    ("said", "at", "code"),
    [
        ({"region": "Ireland"}, "/region", Code.BAD_VALUE),
        ({"name": "a/b"}, "/name", Code.BAD_VALUE),
        ({"role": "fairlead"}, "/role", Code.BAD_VALUE),
        ({"external_id": "x-1"}, "/external_id", Code.MISSING_FIELD),
        ({"count": 0}, "/count", Code.BAD_VALUE),
        ({"service": ["FARGATE"]}, "/service", Code.BAD_VALUE),
        ({"service": {"desiredCount": 2}}, "/service/desiredCount", Code.UNKNOWN_FIELD),
        ({"service": {"launchTyp": "EC2"}}, "/service/launchTyp", Code.UNKNOWN_FIELD),
        (rolling(strategy="BLUE_GREEN"), "/service/deploymentConfiguration/strategy", Code.NOT_SUPPORTED_YET),
        (
            rolling(deploymentCircuitBreaker={"enable": False}),
            "/service/deploymentConfiguration/deploymentCircuitBreaker",
            Code.BAD_VALUE,
        ),
        ({"service": {"role": 1.5}}, "/service", Code.BAD_VALUE),
        ({"definition": {"family": "x"}}, "/definition/family", Code.UNKNOWN_FIELD),
        (
            {"definition": {"containerDefinitions": [{"name": "envoy", "image": "envoy:1"}]}},
            "/definition/containerDefinitions/0/image",
            Code.IMAGE_UNPINNED,
        ),
        (
            {"definition": {"containerDefinitions": ["envoy"]}},
            "/definition/containerDefinitions/0",
            Code.BAD_VALUE,
        ),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(said, at, code):
    _, flaws = read(ecs_service.options, said)
    assert [(flaw.pointer, flaw.code) for flaw in flaws] == [(at, code)]


@pytest.mark.parametrize("field", ["image", "environment", "secrets", "portMappings"])
def test_what_is_said_for_every_type_is_not_said_again_for_one(field):
    _, flaws = read(ecs_service.section, {"container": {field: "x"}})
    assert [(flaw.pointer, flaw.code) for flaw in flaws] == [(f"/container/{field}", Code.UNKNOWN_FIELD)]


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("https://ecs.eu-west-1.amazonaws.com", True),
        ("https://vpce-1.ecs.eu-west-1.vpce.amazonaws.com", True),
        ("http://127.0.0.1:4566", True),
        ("ecs.eu-west-1.amazonaws.com", False),
        ("https://key:secret@ecs.eu-west-1.amazonaws.com", False),
        ("https://ecs.eu-west-1.amazonaws.com/x", False),
    ],
)
def test_an_endpoint_is_an_address_and_holds_no_secret(endpoint, good):
    assert bool(ecs_service.KIND.endpoint.fullmatch(endpoint)) is good


@pytest.mark.parametrize(
    ("endpoint", "said", "flaws"),
    [
        ("https://ecs.eu-west-1.amazonaws.com", {}, []),
        ("http://127.0.0.1:4566", {"region": "eu-west-1"}, []),
        ("http://127.0.0.1:4566", {}, ["/ecs/region"]),
        ("https://records.example.com", {}, ["/ecs/region"]),
        ("http://ecs.eu-west-1.amazonaws.com", {}, ["/endpoint"]),
        ("http://ecs.eu-west-1.api.aws:80", {}, ["/endpoint"]),
    ],
)
def test_an_endpoint_names_its_region_or_it_is_said_and_aws_is_asked_over_https(endpoint, said, flaws):
    found: list[Flaw] = []
    ecs_service.check(Block({}, "", found), endpoint, said)
    assert [flaw.pointer for flaw in found] == flaws
