"""One health probe, as the catalogue means it: an HTTP GET that answers 2xx or 3xx, or a TCP connect. Never raises."""

import http.client
import socket
import time
from dataclasses import dataclass

from fairlead.contracts.release import RenderedHealth
from fairlead.ports import Beat


@dataclass(frozen=True, slots=True)
class Probe:
    """What one probe found; `detail` is prose for people."""

    ok: bool
    detail: str


def probe(health: RenderedHealth, host: str, port: int) -> Probe:
    """Ask once."""
    try:
        return _http(health, health.http, host, port) if health.http else _tcp(health, host, port)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Probe(False, f"{_what(health, port)}: {error or type(error).__name__}")


def probe_until_sure(health: RenderedHealth, host: str, port: int, beat: Beat) -> Probe:
    """Ask until it answers well, at most `retries` times, `interval` apart: one bad answer is not yet unhealthy."""
    answer = probe(health, host, port)
    for _ in range(health.retries - 1):
        if answer.ok:
            break
        beat()
        time.sleep(health.interval)
        answer = probe(health, host, port)
    return answer


def host_port(ports: tuple[str, ...], port: int) -> int:
    """Where a container's port is published (`HOST:CONTAINER`); a port that is not published stays itself."""
    pairs = [text.split(":")[-2:] for text in ports if ":" in text]
    published = {int(container): int(host) for host, container in pairs}
    return published.get(port, port)


def _http(health: RenderedHealth, path: str, host: str, port: int) -> Probe:
    connection = http.client.HTTPConnection(host, port, timeout=health.timeout)
    try:
        connection.request("GET", path, headers={"User-Agent": "fairlead-probe", "Connection": "close"})
        status = connection.getresponse().status
    finally:
        connection.close()
    return Probe(200 <= status < 400, f"{_what(health, port)}: answered {status}")


def _tcp(health: RenderedHealth, host: str, port: int) -> Probe:
    with socket.create_connection((host, port), timeout=health.timeout):
        return Probe(True, f"{_what(health, port)}: connected")


def _what(health: RenderedHealth, port: int) -> str:
    return f"GET {health.http} on port {port}" if health.http else f"connect to port {port}"
