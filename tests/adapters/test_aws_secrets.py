"""Secrets on AWS: the real client library speaks to a local imitation."""

import itertools

import pytest

from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.adapters.secrets.aws_parameters import ParameterStore
from fairlead.adapters.secrets.aws_secrets_manager import SecretsManager
from fairlead.adapters.secrets.places import SecretPlaces
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, NotFound, Unavailable
from tests.fixtures.aws import REGION, LocalAws

pytestmark = pytest.mark.usefixtures("aws_credentials")

_numbers = itertools.count(1)


def places(endpoint: str) -> SecretPlaces:
    access = AwsAccess(REGION, endpoint)
    return SecretPlaces({"aws-sm": SecretsManager(access), "aws-ssm": ParameterStore(access)})


def test_a_secret_is_read_by_the_version_id_that_it_had(local_aws: LocalAws) -> None:
    client, name = local_aws.client("secretsmanager"), f"shop/db-{next(_numbers)}"
    client.create_secret(Name=name, SecretString="first")
    store, reference = places(local_aws.endpoint), f"aws-sm://{name}"
    old = SecretUse(reference=reference, version=store.version(reference))
    client.put_secret_value(SecretId=name, SecretString="second")
    new = SecretUse(reference=reference, version=store.version(reference))
    assert (store.read(old), store.read(new)) == ("first", "second")


def test_one_field_of_a_secret_is_picked_by_its_key(local_aws: LocalAws) -> None:
    name = f"shop/json-{next(_numbers)}"
    local_aws.client("secretsmanager").create_secret(Name=name, SecretString='{"url": "postgres://x", "port": 5432}')
    store = places(local_aws.endpoint)
    version = store.version(f"aws-sm://{name}#url")
    uses = [SecretUse(reference=f"aws-sm://{name}#{key}", version=version) for key in ("url", "port")]
    assert [store.read(use) for use in uses] == ["postgres://x", "5432"]
    with pytest.raises(NotFound):
        store.version(f"aws-sm://{name}#none")


def test_a_parameter_is_read_by_its_number(local_aws: LocalAws) -> None:
    client, name = local_aws.client("ssm"), f"/shop/db-{next(_numbers)}"
    store, reference = places(local_aws.endpoint), f"aws-ssm://{name}"
    client.put_parameter(Name=name, Value="first", Type="SecureString")
    assert store.version(reference) == "1"
    client.put_parameter(Name=name, Value="second", Type="SecureString", Overwrite=True)
    assert store.version(reference) == "2"
    assert store.read(SecretUse(reference=reference, version="2")) == "second"


@pytest.mark.parametrize("reference", ["aws-sm://none/there", "aws-ssm:///none/there"])
def test_what_is_not_there_is_not_found(local_aws: LocalAws, reference: str) -> None:
    with pytest.raises(NotFound) as refusal:
        places(local_aws.endpoint).version(reference)
    assert refusal.value.code == Code.SECRET_NOT_FOUND


def test_where_nobody_listens_it_is_unavailable() -> None:
    with pytest.raises(Unavailable) as error:
        places("http://127.0.0.1:1").version("aws-sm://shop")
    assert error.value.code == Code.SECRETS_UNAVAILABLE


def test_without_credentials_it_is_denied(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(NotAllowed) as refusal:
        places(local_aws.endpoint).version("aws-sm://shop")
    assert refusal.value.code == Code.SECRET_DENIED
