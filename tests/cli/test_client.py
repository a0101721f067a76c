"""Sending again where no answer came, and reading answers that are not ours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fairlead.cli import exits
from fairlead.cli.client import Api
from fairlead.cli.home import Settings
from fairlead.cli.problem import Problem

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
PROXY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"
NOTHING = b""


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[Api, list[bytes]]]:
    """A server that gives each connection the next answer and hangs up; the requests are kept."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Api(Settings(f"http://127.0.0.1:{listener.getsockname()[1]}", "key", "shop")), requests
        thread.join(10)
    finally:
        listener.close()


def _key_of(request: bytes) -> bytes:
    return next(line for line in request.split(b"\r\n") if line.lower().startswith(b"idempotency-key"))


def test_a_post_without_an_answer_is_sent_again_under_the_same_key():
    with answering(NOTHING, NOTHING, OK) as (api, requests):
        assert api.post("/promotions") == {}
    assert len({_key_of(request) for request in requests}) == 1
    assert len(requests) == 3


def test_two_posts_have_keys_of_their_own():
    with answering(OK, OK) as (api, requests):
        api.post("/promotions")
        api.post("/promotions")
    assert len({_key_of(request) for request in requests}) == 2


def test_in_the_end_the_server_is_unreachable():
    with answering(NOTHING, NOTHING, NOTHING) as (api, _), pytest.raises(Problem) as caught:
        api.post("/promotions")
    assert caught.value.exit_code == exits.UNREACHABLE


def test_what_stands_between_us_and_the_server_is_no_answer():
    with answering(PROXY) as (api, _), pytest.raises(Problem) as caught:
        api.get("/whoami")
    assert (caught.value.exit_code, caught.value.code) == (exits.UNREACHABLE, "server_unreachable")
