"""Files that people name, read no further than the server would take them."""

import sys
from pathlib import Path
from typing import Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound

MIB: Final = 1024 * 1024
MAX_CATALOGUE: Final = MIB
MAX_REPORT: Final = 64 * MIB


def read_file(file: Path, limit: int) -> bytes:
    """A file's content, `-` for standard input. Raises NotFound (not_found) and BadInput (document_too_large)."""
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotFound(Code.NOT_FOUND, f"{file} cannot be read: {reason}") from error
    if len(content) > limit:
        raise BadInput(Code.DOCUMENT_TOO_LARGE, f"{file} is larger than {limit // MIB} MiB")
    return content
