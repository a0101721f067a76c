"""The PowerShell that runs on hosts: a few scripts, each a contract of its own by the name in its first line.

Values come in as parameters, never in the text; a script writes one JSON string, and each may be run twice.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from fairlead.contracts.target import SentFile

NAMES: Final = ("look", "claim", "write", "unpack", "order", "watch", "tail", "sticker", "fit", "hook")
RUNNER: Final = "runner"
"""What the script `hook` leaves on the host, to go on there by itself."""
_COMMON: Final = "# common\n"


@dataclass(frozen=True, slots=True)
class Script:
    """One script, as it is sent."""

    name: str
    text: str


@cache
def script(name: str) -> Script:
    """A script with what is common to all in its place."""
    folder = files("agents.winrm_host").joinpath("scripts")
    own, common = (folder.joinpath(f"{part}.ps1").read_text() for part in (name, "common"))
    return Script(name, own.replace(_COMMON, common, 1))


def sent() -> tuple[SentFile, ...]:
    """All of them, to be sealed with what else was sent to a target."""
    return tuple(SentFile(name=f"scripts/{name}.ps1", content=script(name).text) for name in (*NAMES, RUNNER))
