"""An Ed25519 signing key in a file that only its owner may read."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.keys import key_id


class FileSigner:
    """Implements ports.Signer."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        public = key.public_key()
        self._keyid = key_id(public)
        self._public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Read a PKCS8 key. Raises BadInput (key_unreadable): not there, not such a key, or open to others than its owner."""
        try:
            if path.stat().st_mode & 0o077:
                raise BadInput(Code.KEY_UNREADABLE, f"{path} may be read by others", hint=f"chmod 600 {path}")
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadInput(Code.KEY_UNREADABLE, f"no readable private key in {path}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput(Code.KEY_UNREADABLE, f"the private key in {path} is not an Ed25519 key")
        return cls(key)

    @classmethod
    def load_or_create(cls, path: Path) -> "FileSigner":
        """The key in the file, made first if there is none; of several processes that try at once one wins."""
        if not path.exists():
            _create(path)
        return cls.load(path)

    @property
    def keyid(self) -> str:
        return self._keyid

    @property
    def public_pem(self) -> str:
        return self._public_pem

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # link, not rename: it fails where another process was first, and that key stays
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
