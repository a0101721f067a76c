"""Unpacks image layers into a folder that nobody else writes to. What could reach out of the folder, or fill the disk, is refused.

An entry is only ever written below real directories, and a link only climbs (`..`) before it descends: so, by induction, no chain of links
leaves the folder. That holds without tarfile's own filter, which old patch releases lack; where there is one it is asked first.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn, cast

from fairlead.adapters.metered import Metered
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

if TYPE_CHECKING:  # it also runs on hosts that have nothing but Python
    from fairlead.ports import Beat

MAX_NAME: Final = 1024
MAX_DEPTH: Final = 64
WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"
RESERVED: Final = ".wh..wh."

_UNREADABLE: Final = (ValueError, OverflowError, IndexError)
"""What tarfile itself stumbles over in headers that lie."""
_Filter = Callable[[tarfile.TarInfo, str], tarfile.TarInfo]
_FLOOR = cast("_Filter | None", getattr(tarfile, "data_filter", None))
_FilterError = cast(type[Exception], getattr(tarfile, "FilterError", tarfile.TarError))


@dataclass(slots=True)
class Limits:
    """What all layers of one image may come to. `left_*` go down while unpacking."""

    left_entries: int = 100_000
    left_bytes: int = 4 * 1024**3

    def require_fits(self, packed: Iterable[int]) -> None:
        """Raise Refused (layer_too_large) where the layers are larger, packed, than they may be unpacked: before any of them is fetched."""
        if sum(packed) > self.left_bytes:
            raise Refused(Code.LAYER_TOO_LARGE, "the layers say that they hold more bytes than may be unpacked")

    def take(self, size: int) -> None:
        """Account for one entry. Raises Refused (layer_too_large)."""
        self.left_entries -= 1
        self.left_bytes -= size
        if size < 0 or self.left_entries < 0 or self.left_bytes < 0:
            raise Refused(Code.LAYER_TOO_LARGE, "the layers hold more entries or bytes than may be unpacked")


@dataclass(slots=True)
class Unpacker:
    """Applies layers, in order, to `root`: an empty folder at first."""

    root: Path
    beat: Beat
    limits: Limits = field(default_factory=Limits)

    def apply(self, media_type: str, layer: BinaryIO) -> None:
        """Apply one layer. Raises Refused (layer_unsafe, layer_too_large, manifest_invalid)."""
        # A whiteout hides what lower layers brought, wherever in the archive it stands: so all of them come first.
        limit = self.limits.left_bytes
        for act in (self._hide, self._extract):
            layer.seek(0)
            with _archive(media_type, layer, limit) as archive:
                for member in archive:
                    self.beat()
                    act(archive, member)

    def _hide(self, _: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self.limits.take(member.size if member.isreg() else 0)
        path = self._path(member.name)
        if path.name == OPAQUE:
            for child in sorted(self._inside(path).parent.glob("*")):
                _remove(child)
        elif path.name.startswith(WHITEOUT) and not path.name.startswith(RESERVED):
            hidden = path.name.removeprefix(WHITEOUT)
            if hidden in {"", ".", ".."}:
                raise _unsafe(member.name, "hides nothing that can be")
            _remove(self._inside(path).with_name(hidden))

    def _extract(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self._path(member.name)
        if path.name.startswith(WHITEOUT):
            return
        self._ask_tarfile(member)
        place = self._inside(path, make=True)
        if member.isdir():
            self._folder(place)
        elif member.isreg():
            self._file(archive, member, place)
        elif member.issym():
            self._symlink(member, path, place)
        elif member.islnk():
            self._hardlink(member, place)
        else:
            raise _unsafe(member.name, "is neither file, folder nor link")

    def _folder(self, place: Path) -> None:
        if place == self.root:
            return
        if place.is_symlink() or not place.is_dir():
            _remove(place)
            place.mkdir()
        place.chmod(0o755)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
        content = archive.extractfile(member)
        if content is None:
            raise _unsafe(member.name, "has no content")
        self._clear(place, member)
        with content, open(place, "xb") as file:
            while piece := content.read(64 * 1024):
                self.beat()
                file.write(piece)
        # Readable by whichever user runs it; never setuid, never writable by others.
        place.chmod(0o755 if member.mode & 0o111 else 0o644)

    def _symlink(self, member: tarfile.TarInfo, path: PurePosixPath, place: Path) -> None:
        target = PurePosixPath(member.linkname)
        climb = next((i for i, part in enumerate(target.parts) if part != ".."), len(target.parts))
        if not _sane(member.linkname) or target.is_absolute() or ".." in target.parts[climb:]:
            raise _unsafe(member.name, f"links to {member.linkname[:MAX_NAME]!r}")
        if climb > len(path.parts) - 1:
            raise _unsafe(member.name, f"links out of the tree, to {member.linkname!r}")
        self._clear(place, member)
        place.symlink_to(target)

    def _hardlink(self, member: tarfile.TarInfo, place: Path) -> None:
        target = self._inside(self._path(member.linkname))
        # A second name for a symlink elsewhere in the tree would mean another place.
        if target.is_symlink() or not target.is_file():
            raise _unsafe(member.name, f"links to {member.linkname!r}, which is no file of the tree")
        if target != place:
            self._clear(place, member)
            os.link(target, place, follow_symlinks=False)

    def _clear(self, place: Path, member: tarfile.TarInfo) -> None:
        if place == self.root:
            raise _unsafe(member.name, "would replace the tree itself")
        _remove(place)

    def _ask_tarfile(self, member: tarfile.TarInfo) -> None:
        if _FLOOR is None:
            return
        try:
            _FLOOR(member, str(self.root))
        except _FilterError as error:
            raise _unsafe(member.name, "is refused by tarfile's data filter") from error

    def _path(self, name: str) -> PurePosixPath:
        path = PurePosixPath(name)
        if not _sane(name) or path.is_absolute() or ".." in path.parts or len(path.parts) > MAX_DEPTH:
            raise _unsafe(name, "does not lie inside the tree")
        return path

    def _inside(self, path: PurePosixPath, *, make: bool = False) -> Path:
        """Where a path of the archive is on disk; all folders above it are real ones."""
        folder = self.root
        for part in path.parts[:-1]:
            folder /= part
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                raise _unsafe(str(path), "lies below something that is no folder")
            if make and not folder.exists():
                folder.mkdir(0o755)
        return self.root / path


class _Solid(tarfile.TarInfo):
    """A member without holes. tarfile takes maps of holes into memory whole, however long they say they are, and no image needs them."""

    def _refuse_holes(self, *_: object) -> NoReturn:
        raise _unsafe(self.name, "is a file with holes")

    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_holes


@contextmanager
def _archive(media_type: str, layer: BinaryIO, limit: int) -> Iterator[tarfile.TarFile]:
    try:
        with _plain(media_type, layer) as plain:
            metered = cast(BinaryIO, Metered(plain, limit))
            with tarfile.open(fileobj=metered, mode="r:", tarinfo=_Solid) as archive:
                yield archive
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, RecursionError, *_UNREADABLE) as error:
        raise _invalid("a layer is not a readable archive") from error


@contextmanager
def _plain(media_type: str, layer: BinaryIO) -> Iterator[BinaryIO]:
    kind = media_type.split(";")[0]
    if kind.endswith((".tar", "/x-tar", "/tar")):
        yield layer
    elif kind.endswith(("+gzip", ".tar.gzip", ".tar.gz", "/gzip")):
        with gzip.GzipFile(fileobj=layer, mode="rb") as plain:
            yield cast(BinaryIO, plain)
    else:
        raise _invalid(f"layers of type {media_type} are not supported; tar and tar+gzip are")


def _remove(place: Path) -> None:
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.is_dir():
        shutil.rmtree(place)


def _sane(name: str) -> bool:
    parts = os.fsencode(name).split(b"/")
    return 0 < len(name) <= MAX_NAME and "\0" not in name and max(map(len, parts)) <= 255


def _invalid(detail: str) -> Refused:
    return Refused(Code.MANIFEST_INVALID, detail)


def _unsafe(name: str, why: str) -> Refused:
    return Refused(Code.LAYER_UNSAFE, f"entry {name[:MAX_NAME]!r} {why}")
