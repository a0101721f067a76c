"""Docker Compose 2 for the tests, borrowed from a newer Debian where the machine has none.

Nothing is installed and nothing of the machine's apt is touched: apt works on lists and a cache in a folder of ours, the package is fetched
from the machine's own mirror, its signatures are checked, and it is unpacked beside them. A package of another suite never comes unasked:
only with CI=true or APT=1.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from agents.compose_host import plugin

FOLDER = Path(__file__).parent.parent / "build/borrowed"
SUITE = "trixie"
_PACKAGE = "docker-compose"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PROGRAM = FOLDER / "unpacked/usr/libexec/docker/cli-plugins" / plugin.PLUGIN


def compose() -> Path | None:
    """The plugin, the machine's own before the borrowed one."""
    return plugin.find() or (_PROGRAM if os.access(_PROGRAM, os.X_OK) else None)


def lacking() -> str | None:
    """Why tests that need it cannot run here, and how they could."""
    if compose():
        return None
    return f"not here: Docker Compose 2; on Debian: APT=1 python -m tests.components, which borrows it from {SUITE}"


def ensure(say: Callable[[str], None]) -> None:
    """Borrow it where it is missing and that is allowed and possible."""
    allowed = os.environ.get("CI") == "true" or os.environ.get("APT") == "1"
    unpack = shutil.which("dpkg-deb")
    if compose() or not allowed or not shutil.which("apt-get") or not unpack or not _KEYS.exists():
        return
    say(f"borrowing Docker Compose 2 from Debian {SUITE}, into a folder of our own")
    for folder in ("lists/partial", "cache/archives/partial", "sources", "unpacked"):
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
    (FOLDER / "sources/newer.sources").write_text(_source())
    if _apt("update") and _apt("download", _PACKAGE):
        [*_, package] = sorted(FOLDER.glob(f"{_PACKAGE}_*.deb"))
        subprocess.run([unpack, "--extract", package, FOLDER / "unpacked"], check=True)


def _source() -> str:
    """The same mirror as that of the machine's own suite."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Identifier: Packages", "Label: Debian"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    uri = next(iter(said), "")
    return f"Types: deb\nURIs: {uri}\nSuites: {SUITE}\nComponents: main\nSigned-By: {_KEYS}\n"


def _apt(*arguments: str) -> bool:
    places = {
        "Dir::Etc::SourceList": os.devnull,
        "Dir::Etc::SourceParts": FOLDER / "sources",
        "Dir::State::Lists": FOLDER / "lists",
        "Dir::Cache": FOLDER / "cache",
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
    }
    options = [f"--option={name}={value}" for name, value in places.items() if value]
    command = ["apt-get", "--quiet", "--quiet", *options, *arguments]
    return subprocess.run(command, cwd=FOLDER, stdout=subprocess.DEVNULL, check=False).returncode == 0
