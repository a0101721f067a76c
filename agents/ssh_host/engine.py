"""A Docker engine at the other end of an SSH connection: its API through `docker system dial-stdio`, its ports through the connection."""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, cast

import docker
import paramiko
import requests
import urllib3
from docker import errors
from docker.transport.basehttpadapter import BaseHTTPAdapter

from agents.docker_host.engine import TIMEOUT, Engine
from agents.ssh_host.connection import Connection
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable

URL: Final = "http://docker.invalid:80"
LISTENING: Final = "0A"
_NOT_FOUND: Final = 127
_AVAILABLE: Final = re.compile(r"\s(\d+)\s+\d+%\s")
_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")


class There:
    """neighbourhood.Neighbourhood at the other end."""

    sees_inside = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def dial(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect as from there."""
        channel = self._connection.reach(host, port, timeout)
        if channel is None:
            raise ConnectionRefusedError(f"nobody answers on port {port}")
        return cast(socket.socket, channel)  # it has what http.client and a probe use

    def is_free(self, port: int) -> bool:
        """By the kernel's tables there; one that has no IPv6 has only the first."""
        _, printed = self._connection.ask(["cat", *_TABLES], sudo=False)
        return port not in listening(printed.decode(errors="replace"))

    def room(self, folder: str) -> int | None:
        """As `df` there says."""
        status, printed = self._connection.ask(["df", "-Pk", folder])
        return free(printed.decode(errors="replace")) if status == 0 else None


def listening(tables: str) -> set[int]:
    """The ports of all sockets that listen."""
    rows = [line.split() for line in tables.splitlines()]
    return {int(r[1].rpartition(":")[2], 16) for r in rows if len(r) > 3 and r[3] == LISTENING}


def free(table: str) -> int | None:
    """Bytes that are available by `df -Pk`. Names may have spaces: what counts stands before the share that is used."""
    found = _AVAILABLE.search(table)
    return int(found[1]) * 1024 if found else None


@contextlib.contextmanager
def engine_behind(connection: Connection) -> Iterator[Engine]:
    """The engine. Raises Unavailable (target_unreachable) and Refused (docker_missing)."""
    command = dial_command(connection.options.socket)
    try:
        api = _Api(partial(_dialled, connection, command))
    except FairleadError:
        raise
    except (errors.DockerException, requests.RequestException, paramiko.SSHException, OSError, EOFError) as error:
        raise why(connection, command, error) from error
    with contextlib.closing(api):
        try:
            yield Engine(api, There(connection))
        except paramiko.SSHException as error:  # no OSError, so nothing above a channel takes it for the line's
            raise connection.lost() from error


def dial_command(engine_socket: str) -> list[str]:
    """Standard input and output become a connection to the engine."""
    where = ["--host", f"unix://{engine_socket}"] if engine_socket else []
    return ["docker", *where, "system", "dial-stdio"]


def why(connection: Connection, command: list[str], error: BaseException) -> FairleadError:
    """Why the engine's first answer did not come, as the host tells by exit codes."""
    if not connection.alive:
        return connection.lost()
    status, _ = connection.ask(["docker", "--version"])
    if connection.options.sudo and status and connection.ask(["true"])[0]:
        return Refused(
            Code.SUDO_REFUSED,
            f"{connection.peer} may not become root without a password",
            hint="NOPASSWD in its sudoers, or leave out `sudo: true`",
        )
    if status == _NOT_FOUND or (connection.options.sudo and status):
        return Refused(Code.DOCKER_MISSING, f"{connection.peer} has no docker command")
    return Unavailable(Code.TARGET_UNREACHABLE, f"the Docker engine on {connection.peer} does not answer: {error}")


def _dialled(connection: Connection, command: list[str]) -> paramiko.Channel:
    channel = connection.run(command)
    channel.settimeout(TIMEOUT)
    return channel


class _Api(docker.APIClient):
    """The library's client, on connections of ours."""

    def __init__(self, dial: Callable[[], paramiko.Channel]) -> None:
        self._ours = _Adapter(dial)
        super().__init__(base_url=URL, version="auto", timeout=TIMEOUT)

    def get_adapter(self, url: str) -> BaseHTTPAdapter:
        """Every address is behind our connection."""
        return self._ours

    def close(self) -> None:
        """Close all of them."""
        self._ours.close()
        super().close()


class _Adapter(BaseHTTPAdapter):
    def __init__(self, dial: Callable[[], paramiko.Channel]) -> None:
        super().__init__()
        self._pool = _Pool(dial)

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()
        super().close()


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, dial: Callable[[], paramiko.Channel]) -> None:
        super().__init__("docker.invalid", timeout=TIMEOUT, maxsize=4)
        self._dial = dial

    def _new_conn(self) -> Any:
        return _Connection(self._dial)


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, dial: Callable[[], paramiko.Channel]) -> None:
        super().__init__("docker.invalid", timeout=TIMEOUT)
        self._dial = dial

    def connect(self) -> None:
        self.sock = cast(socket.socket, self._dial())
