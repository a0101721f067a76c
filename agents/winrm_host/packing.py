"""From an unpacked image to one file that Windows can unpack: the same bytes from the same tree, and no name that means something else there."""

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.ports import Beat

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_PIECE: Final = 1024 * 1024
_MAX_PATH: Final = 160
"""Windows programs take paths of 259 characters, and ours begin with the root, `releases` and a digest."""
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f<>:\"\\|?*]")


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed tree: its size and SHA-256."""

    size: int
    sha256: str


def flaw_of(path: str) -> str | None:
    """What is wrong with a path (`a/b`) for Windows; None where nothing is."""
    if len(path) > _MAX_PATH:
        return f"is longer than {_MAX_PATH} characters"
    for name in path.split("/"):
        if _FORBIDDEN.search(name):
            return "holds a character that no name may hold there"
        if name.endswith((".", " ")):
            return "ends with a dot or a blank, which is dropped there"
        if _DEVICE.fullmatch(name):
            return "names a device there"
    return None


def pack(tree: Path, to: BinaryIO, beat: Beat) -> Packed:
    """Write a tree as a zip file. Raises Refused (layer_unsafe)."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in _entries(tree):
            beat()
            entry = zipfile.ZipInfo(name + "/" * path.is_dir(), _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as packed:
                if path.is_file():
                    _copy(path, packed, beat)
    return _measured(to)


def _entries(tree: Path) -> Iterator[tuple[str, Path]]:
    seen: dict[str, str] = {}
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = Path(folder) / name
            inside = path.relative_to(tree).as_posix()
            flaw = "is a link" if path.is_symlink() else flaw_of(inside)
            if (other := seen.setdefault(inside.casefold(), inside)) != inside:
                flaw = f"differs from {other!r:.100} by upper and lower case only"
            if flaw:
                raise Refused(Code.LAYER_UNSAFE, f"{inside!r:.200} cannot be on a Windows host: it {flaw}")
            yield inside, path


def _copy(path: Path, to: IO[bytes], beat: Beat) -> None:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            beat()
            to.write(piece)


def _measured(file: BinaryIO) -> Packed:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return Packed(file.tell(), digest.hexdigest())
