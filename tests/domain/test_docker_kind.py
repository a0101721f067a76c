"""What the catalogue may say of Docker hosts: how an engine is reached, and what goes with what."""

from typing import Any

import pytest

from fairlead.domain.catalogue_rules import read
from fairlead.domain.codes import Code
from fairlead.domain.target_kinds.docker_host import KIND
from tests.domain.documents import good_with

TLS = {"tls": {"ca": "/c/ca.pem", "certificate": "/c/cert.pem", "key": "/c/key.pem"}}
SSH = {"ssh": {"key": "file:///k"}}
FAR, NEAR = "tcp://build.example:2376", "tcp://127.0.0.1:2375"


def flaws(endpoint: str, options: dict[str, Any] | None) -> list[Code]:
    said = {"type": "docker_host", "endpoint": endpoint, **({} if options is None else {"docker": options})}
    reading = read(good_with("targets/prod-1", said))
    if not reading.flaws:
        assert reading.catalogue.targets["prod-1"].options == (options or {})
    return [flaw.code for flaw in reading.flaws]


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        ("unix:///run/docker.sock", None), ("unix:///run/docker.sock", {}), (NEAR, None), (NEAR, TLS), ("tcp://[::1]:2375", None),
        ("tcp://localhost:2375", None), (FAR, TLS), ("ssh://deploy@h:2222", SSH),
    ],
)  # fmt: skip
def test_an_engine_is_reached_by_socket_tls_or_ssh(endpoint: str, options: dict[str, Any] | None):
    assert flaws(endpoint, options) == []


@pytest.mark.parametrize(
    ("endpoint", "options", "code"),
    [
        (FAR, None, Code.PLAINTEXT_REFUSED), ("tcp://10.0.0.1:2375", None, Code.PLAINTEXT_REFUSED),
        ("tcp://localhost.example:2375", None, Code.PLAINTEXT_REFUSED), ("tcp://[zz]:1", None, Code.BAD_VALUE),
        ("tcp://h", TLS, Code.BAD_VALUE), ("http://h:2375", None, Code.BAD_VALUE), ("tcp://u@h:1", TLS, Code.BAD_VALUE),
        ("unix:///s", TLS, Code.BAD_VALUE), (FAR, TLS | SSH, Code.BAD_VALUE), ("ssh://h", None, Code.MISSING_FIELD),
        (FAR, {"tls": {**TLS["tls"], "ca": "relative"}}, Code.BAD_VALUE), (FAR, {"tls": {**TLS["tls"], "verify": False}}, Code.UNKNOWN_FIELD),
        ("ssh://h", {"ssh": {"key": "a key itself"}}, Code.BAD_VALUE), ("ssh://h", {"ssh": {**SSH["ssh"], "runtime": "docker"}}, Code.UNKNOWN_FIELD),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_a_flaw(endpoint: str, options: dict[str, Any] | None, code: Code):
    assert flaws(endpoint, options) == [code]


def test_a_half_of_what_tls_needs_is_not_enough():
    assert flaws(FAR, {"tls": {"ca": "/c/ca.pem"}}) == [Code.MISSING_FIELD, Code.MISSING_FIELD]


def test_the_example_is_made_of_endpoints():
    assert all(KIND.endpoint.fullmatch(one) for one in KIND.example.replace(" or ", ", ").split(", "))
