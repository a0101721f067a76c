"""DSSE v1 envelopes around statements: one Ed25519 signature, canonical base64, canonical payload."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.contracts.canonical import Digest
from fairlead.evidence.statements import Statement
from fairlead.ports import Signer


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """The parts of an envelope, decoded; proves nothing by itself."""

    payload_type: str
    payload: bytes
    keyid: str
    signature: bytes


def seal(signer: Signer, statement: Statement) -> dict[str, Any]:
    """The statement's envelope, as JSON."""
    raise NotImplementedError


def statement_digest(envelope: Mapping[str, Any]) -> Digest:
    """SHA-256 of the payload bytes. Raises BadInput (document_malformed)."""
    raise NotImplementedError


def open_envelope(envelope: Any, keys: Mapping[str, str]) -> OpenedEnvelope:
    """Decode an envelope and check its signature. `keys`: keyid to public key in PEM. Raises BadInput (document_malformed, bad_signature)."""
    raise NotImplementedError
