"""The Kerberos libraries for the tests, compiled from locked sources into a folder of ours, where the machine has none.

PyPI has them for Linux as sources only, which is why they are no dependency but an extra (`fairlead[kerberos]`). Nothing is installed: the folder
is joined to `sys.path` by tests/conftest.py, before anything imports them. What they are compiled with is locked as well.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tests.borrowed import FOLDER

_ROOT = Path(__file__).parent.parent
_TOOLS = FOLDER / "compiling"
_PLACE = FOLDER / f"kerberos-{sys.implementation.cache_tag}"
_NEEDED = ("krb5-config", "gcc")


def paths() -> list[str]:
    """What is to be joined to `sys.path`."""
    return [str(_PLACE)] if (_PLACE / "krb5").exists() and not _installed() else []


def lacking() -> str | None:
    """Why tests that need them cannot run here, and how they could."""
    if _installed() or paths():
        return None
    needed = [name for name in _NEEDED if not shutil.which(name)]
    if needed:
        return f"not here: {', '.join(needed)}; on Debian, as root: apt-get install libkrb5-dev gcc libc6-dev"
    return "not here: gssapi and krb5 of PyPI; python -m tests.components compiles them"


def ensure(say: Callable[[str], None]) -> None:
    """Compile them where they are missing and that is possible. What speed the compiler could give them is not worth its time."""
    if lacking() is None or not all(shutil.which(name) for name in _NEEDED):
        return
    say("compiling the Kerberos libraries of PyPI, into a folder of our own")
    quick = {"CFLAGS": "-O0 -g0", "PYTHONPATH": str(_TOOLS)}
    half = _PLACE.with_suffix(".half")
    if _install("compiling", _TOOLS) and _install("kerberos", half, "--no-build-isolation", **quick):
        half.rename(_PLACE)


def _install(lock: str, place: Path, *options: str, **environment: str) -> bool:
    command = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", sys.executable]
    locked = ["--no-deps", "--require-hashes", "--requirements", _ROOT / f"requirements.{lock}.lock"]
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run(
        [*command, "--target", place, *locked, *options], env={**os.environ, **environment}, check=False
    )
    return done.returncode == 0


def _installed() -> bool:
    return bool(find_spec("gssapi") and find_spec("krb5"))
