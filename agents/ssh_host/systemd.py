"""Runs on the host: who keeps a target's supervisor. Where systemd runs, a unit does, so that it is there again after a restart of the
machine, and is no part of the session in which it was started; elsewhere it detaches itself.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Final

from agents.process_host.control import run_detached
from agents.process_host.folder import TargetFolder
from agents.process_host.lookup import DEFAULT_PATH

RUNNING: Final = Path("/run/systemd/system")
LINGERING: Final = Path("/var/lib/systemd/linger")
SYSTEM_UNITS: Final = Path("/etc/systemd/system")

_UNIT: Final = """\
[Unit]
Description=Fairlead supervisor of {name}
StartLimitIntervalSec=0

[Service]
ExecStart={command}
Environment=PATH={path}
Restart=on-failure
RestartSec=1
KillMode=process

[Install]
WantedBy={wanted}
"""


class Keeping:
    """How supervisors are started by this program."""

    def __init__(self, program: Path, by_systemd: bool | None = None) -> None:
        self._program = program
        self.by_systemd = is_offered() if by_systemd is None else by_systemd

    def launch(self, folder: TargetFolder) -> bool:
        """control.Launch."""
        if self.by_systemd:
            return self._enable(folder)
        return run_detached(folder, self._command("supervise", folder))

    def forget(self, folder: TargetFolder) -> None:
        """Its target has been retired."""
        unit = units() / unit_name(folder)
        if self.by_systemd and unit.exists():
            _systemctl("disable", unit.name)
            unit.unlink(missing_ok=True)
            _systemctl("daemon-reload")

    def _enable(self, folder: TargetFolder) -> bool:
        unit, text = units() / unit_name(folder), render(folder, self._command("keep", folder), os.geteuid() == 0)
        if not unit.exists() or unit.read_text() != text:
            unit.parent.mkdir(parents=True, exist_ok=True)
            unit.write_text(text)
            _systemctl("daemon-reload")
        _systemctl("enable", unit.name)
        return _systemctl("start", unit.name)

    def _command(self, order: str, folder: TargetFolder) -> list[str]:
        return [sys.executable, "-I", str(self._program), order, str(folder.path)]


def is_offered() -> bool:
    """Whether systemd runs and keeps our units: root's always, others' where their user manager stays when they log out."""
    if not RUNNING.is_dir():
        return False
    if os.geteuid() == 0:
        return True
    return bool(os.environ.get("XDG_RUNTIME_DIR")) and (LINGERING / pwd.getpwuid(os.geteuid()).pw_name).exists()


def units() -> Path:
    """Where our units lie."""
    return SYSTEM_UNITS if os.geteuid() == 0 else Path.home() / ".config" / "systemd" / "user"


def unit_name(folder: TargetFolder) -> str:
    """One unit per target; the folder's name holds nothing that systemd reads otherwise."""
    return f"fairlead-{folder.path.name}.service"


def render(folder: TargetFolder, command: list[str], as_root: bool) -> str:
    """The unit. Applications outlive a supervisor that was killed; when the unit is stopped it stops them itself."""
    return _UNIT.format(
        name=folder.path.name,
        command=" ".join(quoted(word) for word in command),
        path=DEFAULT_PATH,
        wanted="multi-user.target" if as_root else "default.target",
    )


def quoted(word: str) -> str:
    """One word of a command line of systemd, which reads `\\`, `"`, `%` and `$` itself."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def _systemctl(*words: str) -> bool:
    scope = [] if os.geteuid() == 0 else ["--user"]
    command = ["systemctl", *scope, "--no-ask-password", "--quiet", *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode == 0
