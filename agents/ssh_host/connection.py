"""One SSH connection: to a host that we know, as a user that it knows, through others where that is the way."""

import contextlib
import logging
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import paramiko

from agents.ssh_host.credentials import Credentials, read_credentials
from agents.ssh_host.host_keys import KnownHosts
from agents.ssh_host.options import Options, Peer, read_endpoint
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.ports import Secrets

KEEPALIVE: Final = 10
MOST_KEYS: Final = 5
"""sshd closes the connection after six attempts."""
_PROHIBITED: Final = 1
"""The reason in SSH for a channel that the host will not open to us (RFC 4254, 5.1)."""

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what goes wrong is raised, in our words


class Connection:
    """An open connection. Commands are argument vectors: quoted for a POSIX shell here, and nowhere else."""

    def __init__(self, peer: Peer, options: Options, transport: paramiko.Transport) -> None:
        self.peer, self.options, self._transport = peer, options, transport

    @property
    def alive(self) -> bool:
        """Whether nobody has closed it so far."""
        return self._transport.is_active()

    def run(self, command: Sequence[str], *, sudo: bool | None = None) -> paramiko.Channel:
        """Start a command, as root where the options say so (`sudo` overrides them). Raises Unavailable (ssh_connection_lost)."""
        words = ["sudo", "-n", "--", *command] if (self.options.sudo if sudo is None else sudo) else list(command)
        with self._mapped():
            channel = self._transport.open_session(timeout=self.options.silence_timeout)
            channel.settimeout(self.options.silence_timeout)
            channel.exec_command(shlex.join(words))
            return channel

    def ask(self, command: Sequence[str], *, sudo: bool | None = None) -> tuple[int, bytes]:
        """Run a short command; its exit status and what it printed, without what it complained about."""
        with contextlib.closing(self.run(command, sudo=sudo)) as channel, self._mapped():
            printed = bytearray()
            while piece := channel.recv(65536):
                printed += piece
            return channel.recv_exit_status(), bytes(printed)

    def reach(self, host: str, port: int, timeout: float) -> paramiko.Channel | None:
        """A connection from there to a port, None where nobody answers in time. Raises Refused (ssh_forwarding_refused)."""
        with self._mapped():
            try:
                channel = self._transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)
            except paramiko.ChannelException as error:
                if error.code == _PROHIBITED:
                    raise Refused(
                        Code.SSH_FORWARDING_REFUSED,
                        f"{self.peer} does not open connections for us to {host}:{port}",
                        hint="AllowTcpForwarding in its sshd_config",
                    ) from error
                return None
            except paramiko.SSHException:
                if not self.alive:
                    raise
                return None  # what is behind the port takes its time, not the host
            channel.settimeout(timeout)
            return channel

    def lost(self) -> Unavailable:
        """What to raise when the other end has gone."""
        return Unavailable(Code.SSH_CONNECTION_LOST, f"the connection to {self.peer} was lost")

    def silent(self) -> Unavailable:
        """What to raise when the other end gives no sign of life."""
        seconds = self.options.silence_timeout
        return Unavailable(Code.SSH_SILENT, f"{self.peer} has given no sign of life for {seconds:g} s")

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise self.silent() from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise (self.silent() if self.alive else self.lost()) from error


class Limits:
    """How many connections there may be to one host at a time; sshd drops what is too much at random."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._places: dict[tuple[str, int], threading.BoundedSemaphore] = {}

    @contextlib.contextmanager
    def taking(self, peer: Peer, most: int, patience: float) -> Iterator[None]:
        """Wait for a place. Raises Unavailable (ssh_busy) when there is none for so long."""
        with self._guard:
            place = self._places.setdefault((peer.known_as, most), threading.BoundedSemaphore(most))
        if not place.acquire(timeout=patience):
            raise Unavailable(Code.SSH_BUSY, f"{most} connections to {peer.known_as} are open, and none of them ends")
        try:
            yield
        finally:
            place.release()


@contextlib.contextmanager
def connect(endpoint: str, options: Options, secrets: Secrets) -> Iterator[Connection]:
    """Connect, verify, log in; close at the end. Raises Unavailable (target_unreachable) and Refused."""
    known, credentials = KnownHosts(options), read_credentials(options, secrets)
    with contextlib.ExitStack() as open:
        through: paramiko.Transport | None = None
        peer = read_endpoint(endpoint)
        for step in [*map(read_endpoint, options.jump), peer]:
            way = _way(step, options, through)
            open.callback(way.close)
            through = _logged_in(step, options, way, known, credentials, open)
        assert through is not None  # noqa: S101 - there is at least the host itself
        yield Connection(peer, options, through)


def _way(peer: Peer, options: Options, through: paramiko.Transport | None) -> socket.socket | paramiko.Channel:
    """Bytes to its sshd: directly, or as the last jump host reaches it."""
    try:
        if through is None:
            return socket.create_connection((peer.host, peer.port), options.connect_timeout)
        return through.open_channel(
            "direct-tcpip", (peer.host, peer.port), ("127.0.0.1", 0), timeout=options.connect_timeout
        )
    except paramiko.ChannelException as error:
        if error.code == _PROHIBITED:
            raise Refused(
                Code.SSH_FORWARDING_REFUSED,
                f"the jump host before {peer} does not open connections for us",
                hint="AllowTcpForwarding in its sshd_config",
            ) from error
        raise _unreachable(peer, error) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _unreachable(peer, error) from error


def _logged_in(
    peer: Peer,
    options: Options,
    way: socket.socket | paramiko.Channel,
    known: KnownHosts,
    credentials: Credentials,
    open: contextlib.ExitStack,
) -> paramiko.Transport:
    """Nothing of ours is told to a host before it has proved who it is."""
    try:
        transport = paramiko.Transport(way)
        open.callback(transport.close)
        transport.banner_timeout = transport.auth_timeout = options.connect_timeout
        transport.channel_timeout = options.silence_timeout
        _prefer(transport, known.kinds(peer))
        transport.start_client(timeout=options.connect_timeout)
        known.require(peer, transport.get_remote_server_key())
        transport.set_keepalive(KEEPALIVE)
        _log_in(peer, transport, credentials)
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _unreachable(peer, error) from error
    return transport


def _prefer(transport: paramiko.Transport, known: Sequence[str]) -> None:
    """Ask for a key of a type that we know. RSA keys sign in newer ways than their type is called."""
    security = transport.get_security_options()
    names = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
    first = [name for kind in known for name in names.get(kind, (kind,)) if name in security.key_types]
    security.key_types = tuple(dict.fromkeys([*first, *security.key_types]))


def _log_in(peer: Peer, transport: paramiko.Transport, credentials: Credentials) -> None:
    keys: list[paramiko.PKey] = [credentials.key] if credentials.key else []
    if credentials.agent:
        keys += paramiko.Agent().get_keys()
    ways: list[Callable[[], object]] = [partial(transport.auth_publickey, peer.user, key) for key in keys[:MOST_KEYS]]
    if credentials.password is not None:
        ways.append(partial(transport.auth_password, peer.user, credentials.password))
    for way in ways:
        began = time.monotonic()
        with contextlib.suppress(paramiko.AuthenticationException):
            way()
        if transport.is_authenticated():
            return
        # The library says the same of an end that has gone or fallen silent meanwhile.
        if not transport.is_active() or time.monotonic() - began >= (transport.auth_timeout or 0.0):
            raise Unavailable(Code.TARGET_UNREACHABLE, f"{peer} did not say whether it lets us in")
    raise _refused(peer)


def _refused(peer: Peer) -> Refused:
    return Refused(
        Code.SSH_CREDENTIALS_REFUSED,
        f"{peer} refuses what we log in with",
        hint="the user's authorized_keys, and the target's `ssh:` block",
    )


def _unreachable(peer: Peer, error: BaseException) -> Unavailable:
    return Unavailable(Code.TARGET_UNREACHABLE, f"{peer} cannot be reached: {error or type(error).__name__}")
