"""Logins to Amazon ECR: the real client library speaks to a local imitation."""

import json
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest

from fairlead.adapters.ecr import EcrLogins
from fairlead.adapters.registry_access import Login, RegistryAccess
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from tests.fixtures.aws import LocalAws
from workers.clock import now

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
NOWHERE = EcrLogins(now, "http://localhost:1")


@pytest.mark.usefixtures("aws_credentials")
def test_a_token_lets_us_in_and_is_kept_until_it_ends(local_aws: LocalAws) -> None:
    time = now()
    logins = EcrLogins(lambda: time, local_aws.endpoint)
    first = RegistryAccess(tokens=logins).login(HOST)
    assert first is not None
    assert (first.name, bool(first.password)) == ("AWS", True)
    assert logins(HOST) is first
    time += timedelta(hours=12)
    assert logins(HOST) is not first


def test_the_configuration_file_goes_first(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": b64encode(b"a:b").decode()}}}))
    assert RegistryAccess(tmp_path / "config.json", tokens=NOWHERE).login(HOST) == Login("a", "b")


@pytest.mark.parametrize(
    "host", ["registry.example", "localhost:5000", HOST + ".evil.example", "12.dkr.ecr.eu-central-1.amazonaws.com"]
)
def test_nobody_else_is_told_who_we_are_at_amazon(host: str) -> None:
    assert NOWHERE(host) is None


@pytest.mark.usefixtures("aws_credentials")
def test_where_amazon_does_not_answer_it_is_tried_again() -> None:
    with pytest.raises(Unavailable) as error:
        NOWHERE(HOST)
    assert error.value.code == Code.REGISTRY_UNAVAILABLE


def test_without_credentials_it_is_refused_with_the_permission_that_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path),
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput) as refusal:
        NOWHERE(HOST)
    assert (refusal.value.code, "ecr:GetAuthorizationToken" in refusal.value.hint) == (Code.REGISTRY_LOGIN, True)
