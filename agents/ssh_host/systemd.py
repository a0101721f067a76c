"""Runs on the host: who keeps a target's supervisor. Where systemd runs, a unit does, so that it is there again after a restart of the
machine, and is no part of the session in which it was started; elsewhere it detaches itself.
"""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from agents.process_host.control import run_detached
from agents.process_host.folder import TargetFolder
from agents.process_host.lookup import DEFAULT_PATH
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

RUNNING: Final = Path("/run/systemd/system")
LINGERING: Final = Path("/var/lib/systemd/linger")
SYSTEM_UNITS: Final = Path("/etc/systemd/system")
UNIT: Final = "unit"
NOT_LINGERING: Final = "not_lingering"
NO_MANAGER: Final = "no_manager"

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

_LOGOUT: Final = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")


class Keeping:
    """How supervisors are started by this program."""

    def __init__(self, program: Path, restart: str | None = None) -> None:
        self._program = program
        self.restart = restart or restarting()
        self.by_systemd = self.restart == UNIT

    def launch(self, folder: TargetFolder) -> bool:
        """control.Launch."""
        if self.by_systemd:
            return self._enable(folder)
        return run_detached(folder, self._command("supervise", folder))

    def forget(self, folder: TargetFolder) -> None:
        """Its target has been retired. The unit may be of a time when there was a manager to ask."""
        unit = units() / unit_name(folder)
        if self.restart and unit.exists():
            _systemctl("disable", unit.name)
            unit.unlink(missing_ok=True)
            (unit.parent / f"{wanted_by()}.wants" / unit.name).unlink(missing_ok=True)
            _systemctl("daemon-reload")

    def _enable(self, folder: TargetFolder) -> bool:
        unit, text = units() / unit_name(folder), render(folder, self._command("keep", folder), wanted_by())
        if not unit.exists() or unit.read_text() != text:
            unit.parent.mkdir(parents=True, exist_ok=True)
            unit.write_text(text)
            _systemctl("daemon-reload")
        _systemctl("enable", unit.name)
        return _systemctl("start", unit.name)

    def _command(self, order: str, folder: TargetFolder) -> list[str]:
        return [sys.executable, "-I", str(self._program), order, str(folder.path)]


def restarting() -> str | None:
    """Who brings a supervisor back after a restart of the machine: a unit, or why there is none; None where there is no systemd.

    Root has units always; others where their user manager runs, and stays when they log out.
    """
    if not RUNNING.is_dir():
        return None
    if os.geteuid() == 0:
        return UNIT
    if not (LINGERING / _me()).exists():
        return NOT_LINGERING
    return UNIT if (Path(_runtime()) / "systemd" / "private").exists() else NO_MANAGER


def require_lasting() -> None:
    """Raise Refused (logout_kills) where nothing that is started now outlives the session that it is started in."""
    if restarting() != NOT_LINGERING or not os.environ.get("XDG_SESSION_ID"):
        return
    kills, only, never = _told_by_logind(*_LOGOUT)
    if kills == ["true"] and (not only[1:] or _me() in only) and _me() not in never:
        raise Refused(Code.LOGOUT_KILLS, f"what {_me()} leaves running is killed when he logs out")


def units() -> Path:
    """Where our units lie."""
    return SYSTEM_UNITS if os.geteuid() == 0 else Path.home() / ".config" / "systemd" / "user"


def wanted_by() -> str:
    """What starts them."""
    return "multi-user.target" if os.geteuid() == 0 else "default.target"


def unit_name(folder: TargetFolder) -> str:
    """One unit per target; the folder's name holds nothing that systemd reads otherwise."""
    return f"fairlead-{folder.path.name}.service"


def render(folder: TargetFolder, command: list[str], wanted: str) -> str:
    """The unit. Applications outlive a supervisor that was killed; when the unit is stopped it stops them itself."""
    return _UNIT.format(
        name=folder.path.name,
        command=" ".join(quoted(word) for word in command),
        path=DEFAULT_PATH,
        wanted=wanted,
    )


def quoted(word: str) -> str:
    """One word of a command line of systemd, which reads `\\`, `"`, `%` and `$` itself."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def _systemctl(*words: str) -> bool:
    scope = [] if os.geteuid() == 0 else ["--user"]
    command = ["systemctl", *scope, "--no-ask-password", "--quiet", *words]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, env=_environment())
    return ran.returncode == 0


def _told_by_logind(*properties: str) -> list[list[str]]:
    """Their words, after the type (`b true`, `as 2 "one" "two"`); none of a logind that does not answer."""
    place = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    command = ["busctl", "get-property", *place, *properties]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    lines = [shlex.split(line)[1:] for line in told.stdout.splitlines()]
    return lines if len(lines) == len(properties) else [[] for _ in properties]


def _environment() -> dict[str, str]:
    """Where the user manager is found, also by a login that is not told (no PAM)."""
    return {**os.environ, "XDG_RUNTIME_DIR": _runtime()}


def _runtime() -> str:
    return os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
