"""Artifacts in a folder, one file for each digest (ports.Artifacts)."""

import os
import secrets
from pathlib import Path

from fairlead.contracts.canonical import Digest, digest_bytes
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotFound, Unavailable


class FolderArtifacts:
    """`<folder>/<project>/<hex>`, written once and never changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, project: str, content: str) -> Digest:
        """Keep a file, once."""
        data = content.encode()
        digest = digest_bytes(data)
        path = self._path(project, digest)
        try:
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(path, data)
        except OSError as error:
            raise _away(error) from error
        return digest

    def get(self, project: str, digest: Digest) -> str:
        """A file as it was kept. Raises NotFound (digest_not_found), also for one that was changed since."""
        try:
            data = self._path(project, digest).read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise _away(error) from error
        return checked(digest, data)

    def _path(self, project: str, digest: Digest) -> Path:
        return self._folder / project / digest.removeprefix("sha256:")


def checked(digest: Digest, data: bytes) -> str:
    """The text of a file that is what its digest says. Raises NotFound (digest_not_found)."""
    if digest_bytes(data) != digest:
        raise NotFound(Code.DIGEST_NOT_FOUND, f"no artifact {digest} is kept, or not as it was")
    return data.decode()


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _away(error: OSError) -> Unavailable:
    return Unavailable(Code.ARTIFACTS_UNAVAILABLE, f"artifacts cannot be reached: {error.strerror}")
