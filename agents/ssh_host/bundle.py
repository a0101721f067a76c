"""Our program for other hosts: a few of our modules, packed, which need nothing there but Python's standard library.

It is named by its content, so a host keeps it from one visit to the next, and a changed one lies beside it.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

MODULES: Final = {
    "agents": ("cutting", "probe"),
    "agents.process_host": (
        "confidences", "control", "errands", "fitness", "folder", "health", "hooking", "housekeeping", "keeper", "lookup", "observation", "place",
        "ports", "processes", "records", "rollout", "site", "socket_path", "spawn", "supervisor", "trees", "way",
    ),
    "agents.ssh_host": ("entry", "session", "systemd"),
    "fairlead": (),
    "fairlead.adapters": ("metered", "platforms", "unpack"),
    "fairlead.domain": ("codes", "errors", "fence", "health"),
}  # fmt: skip
_MAIN: Final = "import sys\nfrom agents.ssh_host.entry import main\nmain(__file__, sys.argv[1:])\n"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The program and its SHA-256."""

    content: bytes
    digest: str


@cache
def bundle() -> Bundle:
    """The same bytes from the same modules, whoever packs them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for package, modules in MODULES.items():
            for module in ("__init__", *modules):
                source = files(package).joinpath(f"{module}.py").read_bytes()
                _add(archive, f"{package.replace('.', '/')}/{module}.py", source)
    return Bundle(packed.getvalue(), hashlib.sha256(packed.getvalue()).hexdigest())


@cache
def boot() -> str:
    """What a host's Python is told first."""
    return files("agents.ssh_host").joinpath("boot.py").read_text()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(entry, content)
