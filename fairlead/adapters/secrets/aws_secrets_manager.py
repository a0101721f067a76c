"""`aws-sm://NAME[#KEY]`: AWS Secrets Manager; with a key, one field of a secret that is a JSON object."""

import json
from typing import Any

from fairlead.adapters.secrets.aws import AwsAccess, mapped
from fairlead.adapters.secrets.place import absent, pick
from fairlead.domain.secret_references import SecretReference


class SecretsManager:
    """The version is the service's version id."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access

    def version(self, reference: SecretReference) -> str:
        """Which version there is now; also looks whether it has the key."""
        found = self._get(reference)
        _value(reference, found)
        return str(found["VersionId"])

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version."""
        return _value(reference, self._get(reference, VersionId=version))

    def close(self) -> None:
        """Nothing was borrowed."""

    def _get(self, reference: SecretReference, **more: str) -> Any:
        with mapped(reference):
            return self._access.client("secretsmanager").get_secret_value(SecretId=reference.place, **more)


def _value(reference: SecretReference, found: Any) -> str:
    text = found.get("SecretString")
    if text is None:
        raise absent(reference, "it is binary, not text")
    if not reference.key:
        return str(text)
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise absent(reference, "it is no JSON object, so it has no keys")
    return pick(reference, fields)
