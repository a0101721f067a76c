"""`file:///path`: files that nobody but the server can read, reached without following any link."""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from fairlead.adapters.secrets.macs import Macs
from fairlead.adapters.secrets.place import absent, denied
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.secret_references import SecretReference

MAX_BYTES: Final = 64 * 1024


class FileSecrets:
    """`folders`: where such files may lie; `closed`: folders of the server's own in which none does, unless it is one of `folders`."""

    def __init__(self, folders: Sequence[Path], macs: Macs, closed: Sequence[Path] = ()) -> None:
        self._folders, self._closed, self._macs = tuple(folders), tuple(closed), macs

    def version(self, reference: SecretReference) -> str:
        """Which version there is now."""
        return self._macs.of(reference, self._value(reference))

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version."""
        return self._macs.require(reference, self._value(reference), version)

    def close(self) -> None:
        """Nothing was borrowed."""

    def _value(self, reference: SecretReference) -> str:
        """The content, without the line end that editors leave behind."""
        self._require_place(reference)
        fd = _open(reference)
        try:
            _require_private(reference, os.fstat(fd))
            content = os.read(fd, MAX_BYTES + 1)
        finally:
            os.close(fd)
        if len(content) > MAX_BYTES:
            raise denied(reference, f"it is larger than {MAX_BYTES} bytes")
        try:
            return content.decode().removesuffix("\n")
        except UnicodeDecodeError as error:
            raise denied(reference, "it is not UTF-8 text") from error

    def _require_place(self, reference: SecretReference) -> None:
        """The nearest folder above it that we know decides."""
        known = [(folder, True) for folder in self._folders] + [(folder, False) for folder in self._closed]
        above = [(folder, ok) for folder, ok in known if PurePosixPath(reference.place).is_relative_to(folder)]
        nearest = max(above, key=lambda found: (len(found[0].parts), found[1]), default=None)
        if nearest is None or not nearest[1]:
            where = os.pathsep.join(map(str, self._folders)) or "nowhere"
            raise denied(reference, f"secrets may lie in {where}", hint="FAIRLEAD_SECRETS_FILES names other folders")


def _open(reference: SecretReference) -> int:
    """Folder by folder, so that no link on the way leads elsewhere, whoever puts one there meanwhile."""
    *folders, name = PurePosixPath(reference.place).parts[1:]
    at = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except FileNotFoundError as error:
        raise absent(reference, "there is no such file") from error
    except PermissionError as error:
        raise denied(reference, "the server may not read it") from error
    except OSError as error:
        raise _odd(reference, error) from error
    finally:
        with suppress(OSError):
            os.close(at)


def _odd(reference: SecretReference, error: OSError) -> Exception:
    """A link or no folder where one should be is a matter of what lies there; all else may pass."""
    if isinstance(error, NotADirectoryError) or error.errno == errno.ELOOP:
        return denied(
            reference, "it lies behind a symbolic link, or behind what is no folder", hint="name the real path"
        )
    return Unavailable(Code.SECRETS_UNAVAILABLE, f"{reference}: {error.strerror}")


def _require_private(reference: SecretReference, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise denied(reference, "it is no plain file")
    if found.st_mode & 0o077:
        raise denied(reference, "others may read it", hint=f"chmod 600 {reference.place}")
    if found.st_uid not in {0, os.geteuid()}:
        raise denied(reference, "it belongs to somebody else")
