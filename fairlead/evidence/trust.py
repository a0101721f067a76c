"""The trust file: the keys that a verifier was handed, what each may sign, and when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AwareDatetime, ValidationError, field_validator, model_validator

from fairlead.contracts.base import Frozen
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.envelope import OpenedEnvelope
from fairlead.evidence.keys import key_id, load_public_key, verifies
from fairlead.evidence.limits import MAX_TRUST_BYTES, read_json, to_canonical

DECISION: Final = "decision"
LEDGER: Final = "ledger"
FRONT_END: Final = "front_end"
AGENT_PREFIX: Final = "agent:"
VOTER_PREFIX: Final = "voter:"
_ROLE = re.compile(r"decision|ledger|front_end|(agent|voter):\S+")


class TrustedKey(Frozen):
    """One key. `not_before` and `not_after` bound the times of what it may have signed, both included."""

    keyid: str
    public_key: str
    roles: tuple[str, ...]
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None

    @field_validator("roles")
    @classmethod
    def _know_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if not roles or not all(_ROLE.fullmatch(role) for role in roles):
            raise ValueError("roles are decision, ledger, front_end, agent:<name>, voter:<subject>")
        return roles

    @model_validator(mode="after")
    def _fit_keyid(self) -> Self:
        if key_id(load_public_key(self.public_key)) != self.keyid:
            raise ValueError("keyid is not the SHA-256 of the public key")
        return self

    def valid_at(self, time: datetime) -> bool:
        """Whether the key was good for signing then."""
        after_start = self.not_before is None or self.not_before <= time
        return after_start and (self.not_after is None or time <= self.not_after)


class TrustFile(Frozen):
    """The file as it is handed over. A key stands in it once, with all its roles."""

    project: str
    keys: tuple[TrustedKey, ...]

    @field_validator("keys")
    @classmethod
    def _once_each(cls, keys: tuple[TrustedKey, ...]) -> tuple[TrustedKey, ...]:
        if len({key.keyid for key in keys}) != len(keys):
            raise ValueError("a key stands twice")
        return keys


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file, ready for use."""

    project: str
    keys: Mapping[str, TrustedKey]
    publics: Mapping[str, Ed25519PublicKey]

    @classmethod
    def of(cls, file: TrustFile) -> "Trust":
        """Index the keys by id."""
        publics = {key.keyid: load_public_key(key.public_key) for key in file.keys}
        return cls(project=file.project, keys={key.keyid: key for key in file.keys}, publics=publics)

    def verifies(self, envelope: OpenedEnvelope) -> bool:
        """Whether the key that the envelope names is known and made its signature."""
        public = self.publics.get(envelope.keyid)
        return public is not None and verifies(public, envelope.signature, envelope.signed_bytes)

    def with_role(self, role: str) -> list[TrustedKey]:
        """The keys that have a role."""
        return [key for key in self.keys.values() if role in key.roles]


def read_trust(source: bytes | Mapping[str, Any]) -> Trust:
    """Read a trust file, or its parsed JSON. Raises BadInput (document_malformed and its kin, key_unreadable)."""
    data = source if isinstance(source, bytes) else to_canonical(dict(source))
    read_json(data, max_bytes=MAX_TRUST_BYTES)
    try:
        return Trust.of(TrustFile.model_validate_json(data, strict=True))
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(step) for step in first["loc"])
        raise BadInput(Code.DOCUMENT_MALFORMED, f"no trust file: {where}: {first['msg']}") from error
