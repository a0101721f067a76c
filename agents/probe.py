"""One health probe, as the catalogue means it: an HTTP GET that answers 2xx or 3xx, or a TCP connect. Never raises."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # it also runs on hosts that have nothing but Python
    from fairlead.ports import Beat


class Check(Protocol):
    """What a health check says; contracts.release.Check, for one."""

    @property
    def port(self) -> int: ...
    @property
    def http(self) -> str | None: ...
    @property
    def interval(self) -> float: ...
    @property
    def timeout(self) -> float: ...
    @property
    def retries(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Probe:
    """What one probe found; `detail` is prose for people."""

    ok: bool
    detail: str


def dial(host: str, port: int, timeout: float) -> socket.socket:
    """Connect from this machine."""
    return socket.create_connection((host, port), timeout=timeout)


Dial = Callable[[str, int, float], socket.socket]
"""Connects to host and port, with a time limit for that and whatever follows. Raises OSError."""


def probe(health: Check, host: str, port: int, how: Dial = dial) -> Probe:
    """Ask once."""
    try:
        return _http(health, health.http, host, port, how) if health.http else _tcp(health, host, port, how)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Probe(False, f"{_what(health, port)}: {error or type(error).__name__}")


def probe_until_sure(health: Check, host: str, port: int, beat: Beat, how: Dial = dial) -> Probe:
    """Ask until it answers well, at most `retries` times, `interval` apart: one bad answer is not yet unhealthy."""
    answer = probe(health, host, port, how)
    for _ in range(health.retries - 1):
        if answer.ok:
            break
        beat()
        time.sleep(health.interval)
        answer = probe(health, host, port, how)
    return answer


def host_port(ports: tuple[str, ...], port: int) -> int:
    """Where a container's port is published (`HOST:CONTAINER`); a port that is not published stays itself."""
    pairs = [text.split(":")[-2:] for text in ports if ":" in text]
    published = {int(container): int(host) for host, container in pairs}
    return published.get(port, port)


def _http(health: Check, path: str, host: str, port: int, how: Dial) -> Probe:
    connection = http.client.HTTPConnection(host, port, timeout=health.timeout)
    try:
        connection.sock = how(host, port, health.timeout)
        connection.request("GET", path, headers={"User-Agent": "fairlead-probe", "Connection": "close"})
        status = connection.getresponse().status
    finally:
        connection.close()
    return Probe(200 <= status < 400, f"{_what(health, port)}: answered {status}")


def _tcp(health: Check, host: str, port: int, how: Dial) -> Probe:
    with how(host, port, health.timeout):
        return Probe(True, f"{_what(health, port)}: connected")


def _what(health: Check, port: int) -> str:
    return f"GET {health.http} on port {port}" if health.http else f"connect to port {port}"
