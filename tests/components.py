"""Brings what the tests need from Debian's own suite, or says what will be skipped: `python -m tests.components`."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tests import borrowed, kerberos_libraries
from workers import packages

ENGINE = ("docker.io", "docker-registry", "busybox-static")
NO_NOMAD = "not here: nomad; its licence keeps it out of Debian, so put one on PATH or name it in NOMAD_BIN (till then a double stands in)"
"""An exception: no package source that the tests may use has a Nomad, so it is never a failure that there is none, not even with CI=true."""

NO_POWERSHELL = "not here: PowerShell 7; no package source that the tests may use has it, so put pwsh on PATH or name it in PWSH_BIN"
"""The other exception, of the same kind."""


def lacking(wanted: Iterable[str] = ENGINE, *, root: bool = True) -> str | None:
    """Why the tests that need these packages cannot run here, and how they could; None when they can."""
    left = packages.missing(wanted)
    if left:
        programs = ", ".join(packages.PROGRAMS[package] for package in left)
        return f"not here: {programs}; on Debian, as root: {packages.how_to_get(left)}"
    if root and os.geteuid() != 0:
        return "a private Docker engine needs root; run as root"
    return None


def kerberos() -> str | None:
    """Why no ticket can be had here."""
    return lacking(["krb5-kdc", "krb5-admin-server"], root=False) or kerberos_libraries.lacking()


def nomad() -> Path | None:
    """A real Nomad, where there is one."""
    found = os.environ.get("NOMAD_BIN") or shutil.which("nomad")
    return Path(found) if found else None


def powershell() -> Path | None:
    """A real PowerShell, where there is one."""
    found = os.environ.get("PWSH_BIN") or shutil.which("pwsh")
    return Path(found) if found else None


def must_be_complete() -> bool:
    """Whether a missing component is a failure."""
    return os.environ.get("CI") == "true"


def main() -> int:
    """Quick when all is there."""
    packages.ensure(packages.PROGRAMS, _say)
    borrowed.ensure(_say)
    kerberos_libraries.ensure(_say)
    reasons = {
        "Docker targets": lacking(),
        "the topology": lacking(["docker-compose"], root=False),
        "Compose targets": borrowed.lacking(),
        "SSH hosts": lacking(["openssh-server"], root=False),
        "units of systemd": lacking(["systemd", "libpam-systemd"]),
        "Kerberos": kerberos(),
    }
    skipped = {what: reason for what, reason in reasons.items() if reason}
    for what, reason in skipped.items():
        _say(f"tests of {what} are skipped: {reason}")
    if nomad() is None:
        _say(f"Nomad jobs are tested on a double only: {NO_NOMAD}")
    if powershell() is None:
        _say(f"the scripts of WinRM hosts are not run: {NO_POWERSHELL}")
    return 1 if skipped and must_be_complete() else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
