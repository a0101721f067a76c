"""What the place of one scheme does, and the refusals that all of them share."""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, NotFound
from fairlead.domain.secret_references import SecretReference


class Place(Protocol):
    """As ports.Secrets, for references of one scheme."""

    def version(self, reference: SecretReference) -> str:
        """Which version there is now."""

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version."""

    def close(self) -> None:
        """Give back what was borrowed for reading."""


def absent(reference: SecretReference, detail: str, hint: str | None = None) -> NotFound:
    """A refusal: it is not there."""
    return NotFound(Code.SECRET_NOT_FOUND, f"{reference}: {detail}", hint=hint)


def denied(reference: SecretReference, detail: str, hint: str | None = None) -> NotAllowed:
    """A refusal: we may not read it."""
    return NotAllowed(Code.SECRET_DENIED, f"{reference}: {detail}", hint=hint)


def pick(reference: SecretReference, values: Mapping[str, Any]) -> str:
    """The value under the reference's key; what is no text comes as JSON."""
    if reference.key not in values:
        raise absent(reference, f"there is no {reference.key!r} in it")
    value = values[reference.key]
    return value if isinstance(value, str) else json.dumps(value)
