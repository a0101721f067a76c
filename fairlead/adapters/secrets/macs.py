"""Versions of values that have none of their own: a MAC under a key of this installation, which tells nobody what it is of."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from fairlead.adapters.secrets.place import absent
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.secret_references import SecretReference

KEY_BYTES = 32


class Macs:
    """Two equal values under different references have different versions, so that nobody learns that they are equal."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def load_or_create(cls, path: Path) -> "Macs":
        """With the key in the file, made first if there is none; of several processes that try at once one wins.

        Raises BadInput (key_unreadable).
        """
        if not path.exists():
            _create(path)
        try:
            if path.stat().st_mode & 0o077:
                raise BadInput(Code.KEY_UNREADABLE, f"{path} may be read by others", hint=f"chmod 600 {path}")
            key = bytes.fromhex(path.read_text().strip())
        except (OSError, ValueError) as error:
            raise BadInput(Code.KEY_UNREADABLE, f"no readable key in {path}") from error
        if len(key) != KEY_BYTES:
            raise BadInput(Code.KEY_UNREADABLE, f"the key in {path} has not {KEY_BYTES} bytes")
        return cls(key)

    def of(self, reference: SecretReference, value: str) -> str:
        """The version of a value."""
        told = f"{reference}\0{value}".encode(errors="surrogateescape")
        return "hmac-sha256:" + hmac.new(self._key, told, hashlib.sha256).hexdigest()

    def require(self, reference: SecretReference, value: str, version: str) -> str:
        """The value, if it is still the one of that version. Raises NotFound (secret_not_found)."""
        if not hmac.compare_digest(self.of(reference, value), version):
            raise absent(reference, "it has changed since; only its present version can be read")
        return value


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # not a rename: it fails where another process was first, and that key stays
    except FileExistsError:
        return
    finally:
        draft.unlink()
