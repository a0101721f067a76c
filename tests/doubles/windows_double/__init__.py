"""A real PowerShell that is told it is on Windows: its engine and .NET are real, what only Windows has is stood in for (types.cs, functions.ps1).

Nothing here knows of WMI, services or access control lists more than our scripts ask of them: the double shows that the scripts do what
they say, and not that Windows does.
"""

import json
import os
import signal
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pypsrp.serializer import Serializer

_HERE = Path(__file__).parent
_TASKKILL = """#!/bin/sh
end() {
  for child in $(cat /proc/$1/task/*/children 2>/dev/null); do end "$child"; done
  kill -9 "$1" 2>/dev/null
}
echo "$@" >> "$0.told"
case "$*" in */T*) end "$2" ;; *) kill -9 "$2" ;; esac
"""
_SC = '#!/bin/sh\necho "$@" >> "$0.told"\n'


@dataclass(frozen=True, slots=True)
class Said:
    """All that came of one script: what it wrote, of which types, and its errors."""

    output: list[str]
    kinds: list[str]
    errors: list[str]


class WindowsDouble:
    """One PowerShell, which remembers between scripts what a runspace on a host would."""

    def __init__(self, program: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fl-pwsh-")
        self.folder = Path(self._folder.name)
        self._tools()
        inside = {"WINDOWS_DOUBLE": str(self.folder), "SystemRoot": str(self.folder), "PROCESSOR_ARCHITECTURE": "AMD64"}
        words = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            program,
            "-NoProfile",
            "-NonInteractive",
            "-File",
            _HERE / "serve.ps1",
            "-Program",
            program,
        ]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **inside}, start_new_session=True
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self._folder.cleanup()

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> Said:
        """A script with its parameters, as they come out of the library's own messages."""
        asked = json.dumps({"text": turned(text), "given": _message(values or {})})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(asked + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "PowerShell has ended"
        return Said(**json.loads(line))

    def told(self, tool: str) -> list[str]:
        """What a program of Windows was called with."""
        file = self.folder / "System32" / f"{tool}.exe.told"
        return file.read_text().splitlines() if file.exists() else []

    def _tools(self) -> None:
        (self.folder / "System32").mkdir()
        for name, text in (("taskkill", _TASKKILL), ("sc", _SC)):
            tool = self.folder / "System32" / f"{name}.exe"
            tool.write_text(text)
            tool.chmod(0o755)


def turned(text: str) -> str:
    """.NET parts paths as its machine does. In our scripts a backslash stands in paths only."""
    return text.replace("\\", "/")


def _message(values: Mapping[str, Any]) -> str:
    """A dictionary as the library would send it."""
    whole = ET.Element("Objs", {"Version": "1.1.0.1", "xmlns": "http://schemas.microsoft.com/powershell/2004/04"})
    sent = Serializer().serialize(dict(values))
    assert sent is not None
    whole.append(sent)
    return ET.tostring(whole, encoding="unicode")
