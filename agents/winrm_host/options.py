"""A target's endpoint and options, with what they are where nothing is said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from fairlead.domain.codes import Code
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import BadInput
from fairlead.domain.target_kinds import winrm_host as kind

_ACCOUNTS: Final = {
    "local_service": ("NT AUTHORITY\\LocalService", "S-1-5-19"),
    "network_service": ("NT AUTHORITY\\NetworkService", "S-1-5-20"),
    "local_system": ("LocalSystem", "S-1-5-18"),
}


@dataclass(frozen=True, slots=True)
class Peer:
    """One machine, as its endpoint names it."""

    tls: bool
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Options:
    """A target's own options. `password` is a reference, never a value; files lie with the worker."""

    auth: str = kind.NEGOTIATE
    user: str = ""
    password: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    service: str = ""
    hostname: str = ""
    encrypt: bool = False
    root: str = kind.ROOT
    account: str = kind.LOCAL_SERVICE
    connect_timeout: float = kind.CONNECT_TIMEOUT
    silence_timeout: float = kind.SILENCE_TIMEOUT

    @property
    def runs_as(self) -> tuple[str, str]:
        """The account's name for the service manager, and its SID where that is the same on every machine, whatever its language."""
        return _ACCOUNTS.get(self.account, (self.account, ""))


def read_options(options: Mapping[str, Any]) -> Options:
    """Read what the catalogue's reader has written."""
    plain: dict[str, Any] = {
        name: parse_duration(value) if name in kind.DURATIONS else value for name, value in options.items()
    }
    return replace(Options(), **plain)


def read_endpoint(endpoint: str, options: Options) -> Peer:
    """Read `https://host[:port]`. Without TLS messages are always encrypted, so whoever has no keys for that needs https."""
    parts = urlsplit(endpoint)
    tls = parts.scheme == "https"
    if not tls and options.auth in kind.KEYLESS:
        raise BadInput(Code.BAD_VALUE, f"auth: {options.auth} goes over https only, and the endpoint is {endpoint}")
    return Peer(tls, parts.hostname or "", parts.port or (5986 if tls else 5985))
