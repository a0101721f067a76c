"""`aws-ssm:///path`: the Parameter Store of AWS Systems Manager."""

from typing import Any

from fairlead.adapters.secrets.aws import AwsAccess, mapped
from fairlead.domain.secret_references import SecretReference


class ParameterStore:
    """The version is the service's own number. Secure strings are decrypted."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access

    def version(self, reference: SecretReference) -> str:
        """Which version there is now."""
        return str(self._get(reference, reference.place)["Version"])

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version; nearly always it is the present one, which not every imitation of AWS lets be asked for by number."""
        found = self._get(reference, reference.place)
        if str(found["Version"]) != version:
            found = self._get(reference, f"{reference.place}:{version}")
        return str(found["Value"])

    def close(self) -> None:
        """Nothing was borrowed."""

    def _get(self, reference: SecretReference, name: str) -> Any:
        with mapped(reference):
            return self._access.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
