"""`env://NAME`: variables that the server was started with, but for its own."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from fairlead.adapters.secrets.macs import Macs
from fairlead.adapters.secrets.place import absent, denied
from fairlead.domain.secret_references import SecretReference

RESERVED: Final = ("FAIRLEAD_*", "AWS_*", "VAULT_*", "BAO_*", "NOMAD_*", "CONSUL_*", "TEMPORAL_*", "PG*", "SSH_*")
"""What servers are given for themselves: a catalogue could otherwise ask for the keys to everything else."""


class EnvSecrets:
    """`allowed`: patterns of names that may be read."""

    def __init__(self, environment: Mapping[str, str], allowed: Sequence[str], macs: Macs) -> None:
        self._environment, self._allowed, self._macs = environment, tuple(allowed), macs

    def version(self, reference: SecretReference) -> str:
        """Which version there is now."""
        return self._macs.of(reference, self._value(reference))

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version."""
        return self._macs.require(reference, self._value(reference), version)

    def close(self) -> None:
        """Nothing was borrowed."""

    def _value(self, reference: SecretReference) -> str:
        name = reference.place
        if _matches(name, RESERVED):
            raise denied(reference, "this variable is the server's own")
        if not _matches(name, self._allowed):
            raise denied(reference, "this variable may not be read", hint=f"add {name} to FAIRLEAD_SECRETS_ENV")
        if name not in self._environment:
            raise absent(reference, "the server was started without it", hint="it is set where worker and API start")
        return self._environment[name]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
