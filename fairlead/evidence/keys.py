"""Ed25519 public keys in PEM and their ids."""

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput


def load_public_key(pem: str) -> Ed25519PublicKey:
    """Read SubjectPublicKeyInfo in PEM. Raises BadInput (key_unreadable) for anything but one Ed25519 public key."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadInput(Code.KEY_UNREADABLE, "this is no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(Code.KEY_UNREADABLE, "this public key is not an Ed25519 key")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 hex of the SubjectPublicKeyInfo DER."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def raw_bytes(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of the key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def verifies(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether the key made this signature over the data."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
