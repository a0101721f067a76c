"""A reader with a limit, so that a small archive cannot become a large one in memory or on disk."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

MAX_READ: Final = 1024 * 1024
OVERHEAD: Final = 64 * 1024 * 1024
"""Headers and padding, which do not count as content."""


class Metered:
    """The part of a binary file that tarfile uses. Raises Refused (layer_too_large)."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._limit = file, limit + OVERHEAD

    def read(self, size: int = -1) -> bytes:
        """Read; what wants everything, or much, at once (a huge extended header does) is refused."""
        if not 0 <= size <= MAX_READ:
            raise _too_large()
        self._reaches(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position: inside a compressed file that means reading all before it, so the limit comes first."""
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation("only from the start")
        self._reaches(offset)
        return self._file.seek(offset)

    def tell(self) -> int:
        """The position."""
        return self._file.tell()

    def _reaches(self, position: int) -> None:
        if position > self._limit:
            raise _too_large()


def _too_large() -> Refused:
    return Refused(Code.LAYER_TOO_LARGE, "a layer unpacks to more than may be unpacked")
