"""How an SSH host is reached, read from a target's endpoint and options; nothing here connects."""

import getpass
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fairlead.domain.durations import parse_duration
from fairlead.domain.target_kinds import ssh_host as kind


@dataclass(frozen=True, slots=True)
class Peer:
    """One machine, as its endpoint names it."""

    user: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.user}@{self.known_as}"

    @property
    def known_as(self) -> str:
        """As known_hosts names it."""
        return self.host if self.port == kind.PORT else f"[{self.host}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Options:
    """A target's own options, with what they are where nothing is said. References are never values."""

    runtime: str = kind.PROCESS
    known_hosts: str = ""
    host_keys: tuple[str, ...] = ()
    key: str = ""
    passphrase: str = ""
    certificate: str = ""
    password: str = ""
    agent: bool = False
    jump: tuple[str, ...] = ()
    sudo: bool = False
    root: str = ""
    socket: str = ""
    connect_timeout: float = kind.CONNECT_TIMEOUT
    silence_timeout: float = kind.SILENCE_TIMEOUT
    sessions: int = kind.SESSIONS
    allow: tuple[str, ...] = ()
    keep: int = 0

    @property
    def known_hosts_file(self) -> Path:
        """Where the keys of hosts are looked up when none stand in the catalogue."""
        return Path(self.known_hosts) if self.known_hosts else Path.home() / ".ssh" / "known_hosts"


def read_options(options: Mapping[str, Any]) -> Options:
    """Read what the catalogue's reader has written."""
    read: dict[str, Any] = {name: _plain(name, value) for name, value in options.items()}
    return replace(Options(), **read)


def _plain(name: str, value: Any) -> Any:
    if name in kind.DURATIONS:
        return parse_duration(value)
    return tuple(value) if isinstance(value, list) else value


def read_endpoint(endpoint: str) -> Peer:
    """Read `ssh://user@host[:port]`; without a user it is the worker's own, as with ssh."""
    parts = urlsplit(endpoint)
    return Peer(parts.username or getpass.getuser(), parts.hostname or "", parts.port or kind.PORT)
