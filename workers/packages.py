"""Installs Debian packages that a component comes from: as root, of the machine's own suite, and only after saying so."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "docker.io": "dockerd",
        "docker-registry": "docker-registry",
        "busybox-static": "busybox",
        "docker-compose": "docker-compose",
        "openssh-server": "sshd",
        "systemd": "systemctl",
        "libpam-systemd": "pam_systemd.so",
        "krb5-kdc": "krb5kdc",
        "krb5-admin-server": "kadmin.local",
        "libkrb5-dev": "krb5-config",
    }
)
"""The program, or module of PAM, that each package is wanted for. One that is there already, wherever it comes from, will do."""

PATH = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
"""With the folders of the administrator, where engines are."""

_POLICY = Path("/usr/sbin/policy-rc.d")


def program(name: str) -> Path | None:
    """Where a program is, the folders of the administrator included. A busybox counts only when it is static."""
    if name.endswith(".so"):
        return next(Path("/lib").glob(f"*/security/{name}"), None)
    found = shutil.which(name, path=PATH)
    if found is None or (name == "busybox" and not _is_static(Path(found))):
        return None
    return Path(found)


def missing(packages: Iterable[str]) -> list[str]:
    """Those whose program is not there."""
    return [package for package in packages if program(PROGRAMS[package]) is None]


def can_install() -> bool:
    """Whether this is a Debian on which we are root."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def how_to_get(packages: Iterable[str]) -> str:
    """What a person types to get them."""
    return "apt-get install --no-install-recommends " + " ".join(packages)


def ensure(packages: Iterable[str], say: Callable[[str], None]) -> list[str]:
    """Install what is missing where that is possible; answer what is missing afterwards."""
    wanted = missing(packages)
    if wanted and can_install():
        say(f"installing from this machine's own Debian suite: {' '.join(wanted)}")
        with _services_stay_down():
            if not _install(wanted):
                _apt("update")
                _install(wanted)
    return missing(wanted)


def _install(packages: list[str]) -> bool:
    return _apt("install", "--yes", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", "--quiet", "--option", "DPkg::Lock::Timeout=120", *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0


@contextlib.contextmanager
def _services_stay_down() -> Iterator[None]:
    """We start private engines and registries: keep the packages from starting one on the machine's own ports."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _is_static(path: Path) -> bool:
    with path.open("rb") as file:
        return b"/ld-" not in file.read(4096)
