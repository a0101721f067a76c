"""A hook of a stack is a service of its own: with all that its component's has, and nothing by which it could be taken for that one."""

from typing import Any

import pytest

from fairlead.domain.compose.hook import document
from fairlead.domain.compose.reading import needed, services

TOOLS = "r.example/shop/tools@sha256:" + "b" * 64
WEB: dict[str, Any] = {
    "image": "r.example/shop/web@sha256:" + "a" * 64,
    "labels": {"fairlead.component": "web", "traefik.enable": "true"},
    "container_name": "shop-prod-one-web",
    "entrypoint": ["/start"],
}
SECRETS = {"x-fairlead": {"secrets": {"OF_WEB": {"reference": "r", "version": "1"}, "OF_DB": {}}}}


def hook(web: dict[str, Any], command: tuple[str, ...] = ("x",), image: str = "") -> dict[str, Any]:
    lock = {"name": "shop", "services": {"web": {**WEB, **web}, "db": {}}, **SECRETS}
    made = document(lock, "web", "shop-hook", command, {"fairlead.once": "web.pre.$x"}, image)
    assert list(made["services"]) == ["shop-hook"]
    assert {key: made[key] for key in lock if key != "services"} == {"name": "shop", **SECRETS}
    return dict(made["services"]["shop-hook"])


@pytest.mark.parametrize(
    "said",
    [
        {"environment": {"A": "b$$c"}}, {"volumes": ["data:/data"]}, {"user": "7"}, {"secrets": ["token"]}, {"mem_limit": "64m"},
        {"network_mode": "bridge"}, {"deploy": {"resources": {"limits": {"cpus": "1"}}}},
    ],
)  # fmt: skip
def test_it_has_what_the_service_has(said: dict[str, Any]) -> None:
    assert said.items() <= hook(said).items()


@pytest.mark.parametrize(
    "said",
    [
        {"ports": ["80:80"]}, {"depends_on": {"db": {}}}, {"healthcheck": {"test": "x"}}, {"hostname": "web"}, {"links": ["db"]},
        {"expose": ["80"]}, {"mac_address": "02:00:00:00:00:01"}, {"network_mode": "service:db"}, {"pid": "service:db"},
    ],
)  # fmt: skip
def test_it_has_nothing_of_what_is_the_services_alone(said: dict[str, Any]) -> None:
    assert not said.keys() & hook(said).keys()


def test_it_is_in_the_services_networks_and_has_neither_its_names_nor_its_address_there() -> None:
    named = {"back": {"aliases": ["web"], "ipv4_address": "10.0.0.7"}, "front": None}
    assert hook({"networks": named})["networks"] == ["back", "front"]
    assert hook({"networks": ["back"]})["networks"] == ["back"]


def test_it_is_told_from_components_and_is_never_started_again() -> None:
    said = hook({"restart": "always"})
    assert (said["labels"], said["restart"]) == ({"fairlead.once": "web.pre.$$x"}, "no")
    assert said["container_name"] == "shop-hook"


def test_a_command_is_taken_literally() -> None:
    assert hook({}, ("echo", "$HOME"))["command"] == ["echo", "$$HOME"]


def test_an_image_of_its_own_is_entered_as_it_says_itself() -> None:
    assert hook({})["entrypoint"] == ["/start"]
    own = hook({}, image=TOOLS)
    assert own["image"] == TOOLS
    assert "entrypoint" not in own


def test_only_the_secrets_of_its_service_are_needed() -> None:
    web = {**WEB, "environment": {"TOKEN": "${OF_WEB}"}}
    made = document({"services": {"web": web}, **SECRETS}, "web", "h", ("x",), {})
    assert [service.name for service in services(made)] == ["h"]
    assert needed(made, {"h"}) == {"OF_WEB"}
