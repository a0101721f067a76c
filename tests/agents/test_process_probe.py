"""Health probes, against a real server that can misbehave."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat

import pytest

from agents.probe import host_port, probe, probe_until_sure
from fairlead.contracts.release import RenderedHealth
from tests.targets.harness import free_port

HOST = "127.0.0.1"


class Server:
    """Answers with the next of `statuses`."""

    def __init__(self) -> None:
        self.statuses: Iterator[int] = repeat(200)
        self.asked = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                self.send_response(next(server.statuses))
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        self.http = ThreadingHTTPServer((HOST, 0), Handler)
        self.port = self.http.server_port


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def health(http: str | None = "/healthz", **changes: float) -> RenderedHealth:
    return RenderedHealth(**{"port": 1, "http": http, "interval": 0.01, "timeout": 0.2, "retries": 3, **changes})


@pytest.mark.parametrize(
    ("status", "ok"), [(200, True), (204, True), (302, True), (399, True), (400, False), (404, False), (500, False)]
)
def test_only_2xx_and_3xx_are_healthy_and_nothing_is_followed(server: Server, status: int, ok: bool) -> None:
    server.statuses = repeat(status)
    found = probe(health(), HOST, server.port)
    assert (found.ok, str(status) in found.detail) == (ok, True)


def test_without_a_path_a_connection_is_enough(server: Server) -> None:
    assert probe(health(None), HOST, server.port).ok
    assert server.asked == 0


@pytest.mark.parametrize("http", ["/healthz", None])
def test_nobody_listening_is_an_answer(http: str | None) -> None:
    assert not probe(health(http), HOST, free_port()).ok


def test_silence_ends_with_the_timeout() -> None:
    with ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler) as silent:
        assert not probe(health(), HOST, silent.server_port).ok


def test_what_speaks_no_http_is_an_answer(server: Server) -> None:
    assert not probe(health("/a b\r\nc"), HOST, server.port).ok


@pytest.mark.parametrize(("bad", "ok", "asked"), [(0, True, 1), (2, True, 3), (3, False, 3)])
def test_so_many_bad_answers_in_a_row_make_it_unhealthy(server: Server, bad: int, ok: bool, asked: int) -> None:
    server.statuses = chain(repeat(500, bad), repeat(200))
    assert probe_until_sure(health(), HOST, server.port, lambda: None).ok is ok
    assert server.asked == asked


def test_a_container_port_is_probed_where_it_is_published() -> None:
    assert host_port(("8081:8080", "127.0.0.1:9000:90"), 8080) == 8081
    assert host_port(("8081:8080", "127.0.0.1:9000:90"), 90) == 9000
    assert host_port(("8081:8080",), 7) == 7
