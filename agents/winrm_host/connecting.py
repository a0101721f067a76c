"""How a host is reached: certificates are always checked, a password is read at the last moment and kept nowhere."""

from collections.abc import Callable
from typing import Any, Final
from xml.etree.ElementTree import Element

from pypsrp.wsman import WSMan

from agents.winrm_host import kerberos
from agents.winrm_host.kerberos import Login
from agents.winrm_host.options import Options, Peer, read_endpoint
from agents.winrm_host.shell import Shell
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.target_kinds import winrm_host as kind
from fairlead.ports import Secrets

_OPERATION: Final = 10
_ENVELOPE: Final = 150_000
"""What every host takes by default. The library would lift exactly its own default as soon as a pool is open, whatever the host says."""

_SILENT: Final = 1
"""How often what is only to be received is asked for again. The library would do so five times, ever more slowly: for five minutes."""

Connect = Callable[[], Shell]
"""Opens one more shell on the same host. Raises NotStarted and Denied."""


def connector(endpoint: str, options: Options, secrets: Secrets) -> Connect:
    """How to open shells on a host. Raises as ports.Secrets does, and Refused (bad_value, certificate_refused, winrm_kerberos_missing)."""
    peer = read_endpoint(endpoint, options)
    for path in (options.ca, options.certificate, options.key):
        _readable(path)
    if options.auth == kind.KERBEROS:
        kerberos.require()
    settings, password = _settings(peer, options), _password(options, secrets)

    def connect() -> Shell:
        login = kerberos.log_in(options.auth, options.user, password, peer)
        return Shell(_Patient(login, peer.host, **settings), peer)

    return connect


class _Patient(WSMan):
    """As the library's, but not that patient."""

    def __init__(self, login: Login, host: str, **settings: Any) -> None:
        super().__init__(host, username=login.username, password=login.password, **settings)
        self._login = login

    def close(self) -> None:
        """Leave, and keep no ticket."""
        try:
            super().close()
        finally:
            self._login.forget()

    def invoke(self, *args: Any, retries_on_read_timeout: int = 0, **more: Any) -> Element:
        """Send one request."""
        return super().invoke(*args, retries_on_read_timeout=min(retries_on_read_timeout, _SILENT), **more)


def _settings(peer: Peer, options: Options) -> dict[str, Any]:
    said = {
        "port": peer.port,
        "ssl": peer.tls,
        "auth": options.auth,
        "cert_validation": options.ca or True,
        "encryption": "always" if options.encrypt or not peer.tls else "auto",
        "max_envelope_size": _ENVELOPE,
        "operation_timeout": _OPERATION,
        "connection_timeout": options.connect_timeout,
        "read_timeout": options.silence_timeout,
        "no_proxy": True,
        "certificate_pem": options.certificate or None,
        "certificate_key_pem": options.key or None,
        "negotiate_service": options.service or None,
        "negotiate_hostname_override": options.hostname or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _password(options: Options, secrets: Secrets) -> str | None:
    reference = options.password
    return secrets.read(SecretUse(reference=reference, version=secrets.version(reference))) if reference else None


def _readable(path: str) -> None:
    """The library would answer a file that is not there with an error that is none of its own."""
    try:
        if path:
            with open(path, "rb"):
                pass
    except OSError as error:
        raise Refused(Code.CERTIFICATE_REFUSED, f"{path} cannot be read: {error.strerror}") from error
