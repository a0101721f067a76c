"""DSSE v1 envelopes: one Ed25519 signature, canonical base64.

Our own, and compared with securesystemslib's in the tests: importing that one loads the clients of every key service that is installed,
which a verifier must do without, and its reader also takes URL-safe base64.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.limits import MAX_BUNDLE_BYTES, decode_base64, encode_base64, read_canonical
from fairlead.evidence.statement import STATEMENT_PAYLOAD_TYPE, Statement
from fairlead.ports import Signer

_ENVELOPE_FIELDS = {"payload", "payloadType", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "sig"}


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """The parts of an envelope, decoded; proves nothing by itself."""

    payload_type: str
    payload: bytes
    keyid: str
    signature: bytes

    @property
    def digest(self) -> Digest:
        """SHA-256 of the payload bytes: the statement's, or the vote's, digest."""
        return digest_bytes(self.payload)

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return pre_authentication_encoding(self.payload_type, self.payload)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE's PAE: type and body with their lengths."""
    return b"DSSEv1 %s %s" % (_with_length(payload_type.encode()), _with_length(payload))


def seal(signer: Signer, statement: Statement) -> dict[str, Any]:
    """The statement's envelope, as JSON. Raises BadInput for what no verifier would read back (a number beyond 2**53)."""
    payload = statement.payload()
    read_canonical(payload, max_bytes=MAX_BUNDLE_BYTES)
    return sign(signer, STATEMENT_PAYLOAD_TYPE, payload)


def sign(signer: Signer, payload_type: str, payload: bytes) -> dict[str, Any]:
    """Any payload's envelope, as JSON."""
    signature = signer.sign(pre_authentication_encoding(payload_type, payload))
    return {
        "payload": encode_base64(payload),
        "payloadType": payload_type,
        "signatures": [{"keyid": signer.keyid, "sig": encode_base64(signature)}],
    }


def read_envelope(envelope: Any) -> OpenedEnvelope:
    """Decode an envelope without trusting it. Raises BadInput (document_malformed) for anything but our one shape."""
    fields = _object(envelope, _ENVELOPE_FIELDS, "an envelope")
    signatures = fields["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise BadInput(Code.DOCUMENT_MALFORMED, "an envelope has exactly one signature")
    signature = _object(signatures[0], _SIGNATURE_FIELDS, "a signature")
    return OpenedEnvelope(
        payload_type=_text(fields["payloadType"]),
        payload=decode_base64(fields["payload"]),
        keyid=_text(signature["keyid"]),
        signature=decode_base64(signature["sig"]),
    )


def _with_length(part: bytes) -> bytes:
    return b"%d %s" % (len(part), part)


def _object(value: Any, fields: set[str], what: str) -> Mapping[str, Any]:
    # nothing beside these fields: what is not signed has no place in sealed evidence
    if not isinstance(value, Mapping) or set(value) != fields:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{what} is an object with {', '.join(sorted(fields))}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput(Code.DOCUMENT_MALFORMED, "keyid and payloadType must be strings")
    return value
