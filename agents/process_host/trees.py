"""Unpacked images of a host, by digest. A tree lies under `releases/` only when all of what was asked for together has been verified."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agents.process_host.processes import identify, me
from agents.process_host.records import write_json
from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import host_platform, invalid
from fairlead.adapters.unpack import Unpacker
from fairlead.contracts.canonical import Digest
from fairlead.contracts.target import ComponentSpec
from fairlead.domain.blocks import is_text
from fairlead.ports import Beat


@dataclass(frozen=True, slots=True)
class Tree:
    """One unpacked image. `command`: the image's own, where the catalogue names none."""

    path: Path
    command: tuple[str, ...]


class Trees:
    """The trees of one host."""

    def __init__(self, host: Path, images: ImageStore) -> None:
        self._releases, self._notes, self._incoming = host / "releases", host / "images", host / "incoming"
        self._images = images

    def ensure(self, components: Iterable[ComponentSpec], beat: Beat) -> dict[Digest, Tree]:
        """Have all these trees; what is missing is pulled and verified first, then put in its place."""
        wanted = {c.digest: c.config.repository for c in components}
        missing = {digest: repository for digest, repository in wanted.items() if not self._has(digest)}
        if missing:
            for folder in (self._releases, self._notes, self._incoming):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o755)
            self._sweep()
            with tempfile.TemporaryDirectory(dir=self._incoming, prefix=f"{me()}.") as stage:
                staged = {d: self._pull(d, r, Path(stage), beat) for d, r in missing.items()}
                for digest, command in staged.items():
                    self._publish(digest, Path(stage) / _hex(digest), command)
        return {digest: self._tree(digest) for digest in wanted}

    def _has(self, digest: Digest) -> bool:
        return (self._releases / _hex(digest)).is_dir()

    def _tree(self, digest: Digest) -> Tree:
        note = json.loads((self._notes / f"{_hex(digest)}.json").read_text())
        return Tree(self._releases / _hex(digest), tuple(note["command"]))

    def _pull(self, digest: Digest, repository: str, stage: Path, beat: Beat) -> list[str]:
        """Unpack one image into the stage; returns its command."""
        manifest = self._images.select(repository, digest, host_platform())
        config = self._images.config(repository, manifest, beat)
        root = stage / _hex(digest)
        root.mkdir()
        unpacker = Unpacker(root, beat)
        unpacker.limits.require_fits(layer.size for layer in manifest.layers)
        for layer in manifest.layers:
            with tempfile.TemporaryFile(dir=stage) as file:
                self._images.download(repository, layer.digest, layer.size, file, beat)
                unpacker.apply(layer.media_type, file)
        return _command(digest, config.get("config"))

    def _publish(self, digest: Digest, staged: Path, command: list[str]) -> None:
        write_json(self._notes / f"{_hex(digest)}.json", {"command": command, "platform": host_platform()}, 0o644)
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


def _rename(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError:
        if target.is_dir():
            raise FileExistsError(target) from None
        raise


def _command(digest: Digest, settings: object) -> list[str]:
    """Entrypoint and Cmd, each a list of words or not there."""
    parts = [settings.get(name) for name in ("Entrypoint", "Cmd")] if isinstance(settings, dict) else []
    return [word for part in parts if part is not None for word in _words(digest, part)]


def _words(digest: Digest, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) and is_text(word) for word in value):
        raise invalid(f"the command of {digest} is not a list of words")
    return value


def _hex(digest: Digest) -> str:
    return digest.removeprefix("sha256:")
