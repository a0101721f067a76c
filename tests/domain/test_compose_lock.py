"""The lock says everything: images by digest, variables resolved, secrets by reference, our labels, and nothing that was not allowed."""

from typing import Any

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.compose import reading
from fairlead.domain.compose.lock import make
from fairlead.domain.compose.stack import Part, Stack

DIGEST = "sha256:" + "a" * 64
PINNED = "postgres@sha256:" + "b" * 64
USE = {"reference": "vault://kv/shop#token", "version": "3"}
WEB: dict[str, Any] = {"build": ".", "image": "r.example/shop/web:latest"}


def stack(**changes: Any) -> Stack:
    web = {
        "env": {"GREETING": "hej", "ODD": "a$b\n\"é'"},
        "labels": {"fairlead.component": "web"},
        **changes.pop("web", {}),
    }
    part = Part("web", "web", "r.example/shop/web", DIGEST, **web)
    return Stack("shop-prod-one", (part, *changes.pop("others", ())), place={"fairlead.target": "one"}, **changes)


def lock(services: dict[str, Any], under: Stack | None = None, **document: Any) -> dict[str, Any]:
    made = make({"services": {"web": WEB, **services}, **document}, under or stack())
    assert made.flaws == ()
    return made.document


def codes(services: dict[str, Any], under: Stack | None = None, **document: Any) -> list[Code]:
    return [flaw.code for flaw in make({"services": {"web": WEB, **services}, **document}, under or stack()).flaws]


def test_a_component_runs_by_the_digest_of_the_release_whatever_the_file_says() -> None:
    web = lock({})["services"]["web"]
    assert web["image"] == f"r.example/shop/web@{DIGEST}"
    assert web["container_name"] == "shop-prod-one-web"
    assert "build" not in web


def test_another_service_of_the_same_image_is_pinned_with_it() -> None:
    assert lock({"migrate": {**WEB, "command": "migrate"}})["services"]["migrate"]["image"].endswith(DIGEST)


def test_another_service_may_stay_with_an_older_image() -> None:
    older = f"r.example/shop/web@sha256:{'c' * 64}"
    assert lock({"old": {"image": older}})["services"]["old"]["image"] == older


def test_a_pinned_image_stays_and_its_tag_goes() -> None:
    assert lock({"db": {"image": PINNED.replace("@", ":16@")}})["services"]["db"]["image"] == PINNED


@pytest.mark.parametrize("image", ["postgres:16", "postgres", "r.example/shop/other:1", None])
def test_an_image_without_a_digest_is_refused(image: str | None) -> None:
    assert codes({"db": {"image": image}}) == [Code.IMAGE_UNPINNED]


def test_the_configuration_goes_before_the_file() -> None:
    said = {**WEB, "environment": {"GREETING": "hello", "B": True, "N": 1}, "ports": ["80:80"], "command": "a b"}
    under = stack(web={"env": {"GREETING": "hej"}, "labels": {}, "ports": ("81:80",), "command": ("run", "$HOME")})
    web = lock({"web": said}, under)["services"]["web"]
    assert web["environment"] == {"GREETING": "hej", "B": "true", "N": "1"}
    assert (web["ports"], web["command"]) == (["81:80"], ["run", "$$HOME"])


def test_values_are_taken_literally() -> None:
    web = lock({"web": {**WEB, "environment": ["TOLD=${ODD}", "GREETING"]}})["services"]["web"]
    assert web["environment"]["TOLD"] == web["environment"]["ODD"] == "a$$b\n\"é'"


def test_variables_come_from_the_configuration_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_WORKER", "x")
    assert codes({"web": {**WEB, "hostname": "${OF_THE_WORKER}"}}) == [Code.VARIABLE_MISSING]
    assert codes({"web": {**WEB, "environment": ["OF_THE_WORKER"]}}) == [Code.VARIABLE_MISSING]


def test_what_components_do_not_agree_on_has_no_meaning_outside_of_them() -> None:
    api = Part("api", "api", "r.example/shop/api", DIGEST, {"GREETING": "hello", "SAME": "1"}, {})
    under = stack(others=(api,), web={"env": {"GREETING": "hej", "SAME": "1"}, "labels": {}})
    db = {"image": PINNED, "environment": {"S": "${SAME}"}}
    assert lock({"api": {}, "db": db}, under)["services"]["db"]["environment"] == {"S": "1"}
    assert codes({"api": {}, "db": {**db, "hostname": "$GREETING"}}, under) == [Code.VARIABLE_MISSING]


def test_a_secret_is_a_reference_in_the_environment() -> None:
    db = {"image": PINNED, "environment": {"PASSWORD": "${TOKEN}"}}
    made = lock({"db": db}, stack(web={"env": {}, "labels": {}, "secrets": {"TOKEN": USE}}))
    assert made["services"]["web"]["environment"] == {"TOKEN": "${FAIRLEAD_SECRET_web__TOKEN}"}
    assert made["services"]["db"]["environment"] == {"PASSWORD": "${FAIRLEAD_SECRET_web__TOKEN}"}
    assert reading.secrets(made) == {"FAIRLEAD_SECRET_web__TOKEN": USE}
    assert reading.needed(made, {"db"}) == {"FAIRLEAD_SECRET_web__TOKEN"}


def test_a_secret_that_the_file_mounts_is_in_no_environment() -> None:
    under = stack(web={"env": {}, "labels": {}, "secrets": {"TOKEN": USE}})
    made = lock({"web": {**WEB, "secrets": ["token"]}}, under, secrets={"token": {"environment": "TOKEN"}})
    assert made["secrets"] == {"token": {"environment": "FAIRLEAD_SECRET_web__TOKEN"}}
    assert "environment" not in made["services"]["web"]
    assert reading.needed(made, {"web"}) == {"FAIRLEAD_SECRET_web__TOKEN"}


def test_a_secret_stands_nowhere_else() -> None:
    under = stack(web={"env": {}, "labels": {}, "secrets": {"TOKEN": USE}})
    for said in ({"command": "run $TOKEN"}, {"labels": {"a": "$TOKEN"}}, {"healthcheck": {"test": "${TOKEN}"}}):
        assert codes({"web": {**WEB, **said}}, under) == [Code.VARIABLE_MISSING]
    assert codes({"web": {**WEB, "secrets": ["other"]}}, under) == [Code.VARIABLE_MISSING]


def test_profiles_decide_what_runs_and_what_others_may_do_without() -> None:
    services = {
        "web": {
            **WEB,
            "profiles": ["never"],
            "depends_on": {"debug": {"condition": "service_started", "required": False}},
        },
        "debug": {"image": PINNED, "profiles": ["debug"]},
    }
    assert list(lock(services)["services"]) == ["web"]
    assert "depends_on" not in lock(services)["services"]["web"]
    assert list(lock(services, stack(profiles=("debug",)))["services"]) == ["web", "debug"]


def test_what_others_wait_for_to_end_is_a_one_shot() -> None:
    waits = {"migrate": {"condition": "service_completed_successfully"}}
    made = lock({"web": {**WEB, "depends_on": waits}, "migrate": {"image": PINNED}})
    assert {s.name: s.one_shot for s in reading.services(made)} == {"web": False, "migrate": True}


def test_the_catalogues_order_is_kept_where_the_file_has_none() -> None:
    api = Part("api", "api", "r.example/shop/api", DIGEST, {}, {})
    under = stack(others=(api,), web={"env": {}, "labels": {}, "depends_on": ("api",)})
    assert lock({"api": {}}, under)["services"]["web"]["depends_on"] == {"api": {"condition": "service_started"}}
    checked = lock({"api": {"healthcheck": {"test": "true"}}}, under)
    assert checked["services"]["web"]["depends_on"] == {"api": {"condition": "service_healthy"}}


def test_what_is_the_teams_own_is_kept() -> None:
    made = lock({"web": {**WEB, "x-team": "$own"}}, **{"x-pager": {"who": "sre"}, "volumes": {"data": None}})
    assert (made["x-pager"], made["services"]["web"]["x-team"]) == ({"who": "sre"}, "$$own")
    assert made["volumes"]["data"]["labels"] == {"fairlead.target": "one", "fairlead.kind": "data"}


def test_support_is_told_apart_by_what_it_is() -> None:
    one, same, other = (
        next(s.config for s in reading.services(lock({"db": {"image": PINNED, "command": c}}, under)) if s.name == "db")
        for c, under in (("a", None), ("a", stack(labels={"fairlead.fence": "2.1"})), ("b", None))
    )
    assert one == same != other


@pytest.mark.parametrize(
    ("services", "document", "code"),
    [
        ({"web": {**WEB, "privileged": True}}, {}, Code.COMPOSE_REFUSED),
        ({"web": {**WEB, "privileged": "${YES:-true}"}}, {}, Code.COMPOSE_REFUSED),
        ({"web": {**WEB, "volumes": ["${YES:-/etc}:/etc"]}}, {}, Code.COMPOSE_REFUSED),
        ({"web": {**WEB, "labels": {"fairlead.fence": "9.9"}}}, {}, Code.COMPOSE_REFUSED),
        ({"web": {**WEB, "labels": ["com.docker.compose.service=x"]}}, {}, Code.COMPOSE_REFUSED),
        ({"web": {**WEB, "env_file": "/etc/shadow"}}, {}, Code.COMPOSE_REFUSED),
        ({}, {"include": ["https://example.org/x.yml"]}, Code.COMPOSE_REFUSED),
    ],
)
def test_what_is_unsafe_is_refused(services: dict[str, Any], document: dict[str, Any], code: Code) -> None:
    assert codes(services, **document) == [code]


def test_a_target_may_allow_what_is_unsafe() -> None:
    assert lock({"web": {**WEB, "privileged": True}}, stack(allow=("privileged",)))["services"]["web"]["privileged"]


def test_a_component_needs_its_own_service() -> None:
    assert [f.code for f in make({"services": {}}, stack()).flaws] == [Code.UNKNOWN_NAME]
    twice = Part("api", "web", "r.example/shop/api", DIGEST, {}, {})
    assert codes({}, stack(others=(twice,))) == [Code.COMPOSE_REFUSED]
    elsewhere = Part("db", "web2", "r.example/shop/api", DIGEST, {}, {})
    assert codes({"web2": {}, "db": {"image": PINNED}}, stack(others=(elsewhere,))) == [Code.COMPOSE_REFUSED]


@pytest.mark.parametrize("document", [None, [], {"services": 3}, {"services": {"web": 3}}, {"services": {"web": None}}])
def test_what_is_no_compose_file_is_no_traceback(document: Any) -> None:
    make(document, stack())
