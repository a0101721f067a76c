"""Unpacked images of a host, by digest. A tree lies under `releases/` only when all of what was asked for together has been verified."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from agents.process_host.processes import identify, me
from agents.process_host.records import write_json
from fairlead.adapters.platforms import host_platform
from fairlead.adapters.unpack import Unpacker

if TYPE_CHECKING:
    from fairlead.ports import Beat


@dataclass(frozen=True, slots=True)
class Tree:
    """One unpacked image. `command`: the image's own, where the catalogue names none."""

    path: Path
    command: tuple[str, ...]


class Trees:
    """The trees of one host."""

    def __init__(self, host: Path) -> None:
        self._releases, self._notes, self._incoming = host / "releases", host / "images", host / "incoming"

    def has(self, digest: str) -> bool:
        """Whether an image is there, whole and verified."""
        return (self._releases / _hex(digest)).is_dir()

    def tree(self, digest: str) -> Tree:
        """An image that is there."""
        note = json.loads((self._notes / f"{_hex(digest)}.json").read_text())
        return Tree(self._releases / _hex(digest), tuple(note["command"]))

    @contextmanager
    def staging(self, beat: Beat) -> Iterator[Staging]:
        """A folder of our own to unpack in; it goes afterwards."""
        for folder in (self._releases, self._notes, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        self._sweep()
        with tempfile.TemporaryDirectory(dir=self._incoming, prefix=f"{me()}.") as stage:
            yield Staging(Path(stage), self._publish, beat)

    def _publish(self, digest: str, staged: Path, command: Sequence[str]) -> None:
        note = {"command": list(command), "platform": host_platform()}
        write_json(self._notes / f"{_hex(digest)}.json", note, 0o644)
        staged.chmod(0o755)
        with suppress(FileExistsError):  # somebody else was faster, with the same bytes
            _rename(staged, self._releases / _hex(digest))

    def _sweep(self) -> None:
        """Remove what pulls left behind that were killed."""
        for left in self._incoming.iterdir():
            pid, _, started = left.name.partition(".")[0].partition("@")
            owner = identify(int(pid)) if pid.isdigit() else None
            if owner is None or str(owner.started) != started:
                shutil.rmtree(left, ignore_errors=True)


@dataclass(slots=True)
class Staging:
    """place.Stage in a folder of this machine."""

    folder: Path
    put: Callable[[str, Path, Sequence[str]], None]
    beat: Beat
    unpackers: dict[str, Unpacker] = field(default_factory=dict)

    def layer(self, digest: str, media_type: str, fill: Callable[[BinaryIO], None]) -> None:
        """Unpack the next layer of an image."""
        with tempfile.TemporaryFile(dir=self.folder) as file:
            fill(cast(BinaryIO, file))
            self._unpacker(digest).apply(media_type, cast(BinaryIO, file))

    def publish(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Put every image in its place."""
        for digest, command in commands.items():
            self.put(digest, self._unpacker(digest).root, command)

    def _unpacker(self, digest: str) -> Unpacker:
        if digest not in self.unpackers:
            root = self.folder / _hex(digest)
            root.mkdir()
            self.unpackers[digest] = Unpacker(root, self.beat)
        return self.unpackers[digest]


def _rename(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError:
        if target.is_dir():
            raise FileExistsError(target) from None
        raise


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
