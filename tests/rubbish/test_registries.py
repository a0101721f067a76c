"""Registries that lie, flood, drip and send us in circles: an error of ours each time, after a bounded number of bytes."""

import io
import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.failures import to_application_error
from api.problems import from_error
from fairlead.adapters import pace, registry
from fairlead.adapters.images import ImageStore
from fairlead.adapters.manifests import MAX_MANIFEST
from fairlead.adapters.registry import MAX_REDIRECTS, Registry
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from tests.fixtures.hostile import HostileServer, head

MIB = 1024 * 1024
UNDERWAY = 16 * MIB
"""What may lie in the sockets' buffers when we hang up."""
DIGEST = "sha256:" + "0" * 64
FULL_HEAD = head(Content_Type="application/json", Content_Length=str(10**15))


def resolve(store: ImageStore, server: HostileServer) -> FairleadError:
    """The error that asking for a tag ends with."""
    with pytest.raises(FairleadError) as error:
        store.resolve(f"{server.host}/shop/web", "1.0.0")
    return error.value


def flood(piece: bytes = bytes(65_536)) -> Iterator[bytes]:
    return itertools.repeat(piece)


def test_an_endless_manifest_is_refused_when_it_is_too_large(image_store: ImageStore, hostile: HostileServer) -> None:
    hostile.answer = lambda path: itertools.chain([FULL_HEAD], flood())
    error = resolve(image_store, hostile)
    assert (type(error), error.code) == (Refused, Code.MANIFEST_INVALID)
    assert hostile.sent < MAX_MANIFEST + UNDERWAY


def test_an_endless_blob_is_refused_when_it_is_longer_than_said(
    image_store: ImageStore, hostile: HostileServer
) -> None:
    hostile.answer = lambda path: itertools.chain([FULL_HEAD], flood())
    written = io.BytesIO()
    with pytest.raises(Refused) as refusal:
        image_store.download(f"{hostile.host}/shop/web", DIGEST, MIB, written, lambda: None)
    assert refusal.value.code is Code.DIGEST_MISMATCH
    assert written.tell() <= MIB
    assert hostile.sent < MIB + UNDERWAY


def test_a_registry_that_drips_is_given_up(
    image_store: ImageStore, hostile: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr(registry, "paced", lambda pieces: pace.paced(pieces, lambda: float(next(ticks))))
    hostile.answer = lambda path: itertools.chain([FULL_HEAD], flood(b"x"))
    error = resolve(image_store, hostile)
    assert (type(error), error.code) == (Unavailable, Code.REGISTRY_UNAVAILABLE)
    assert next(ticks) <= 2 * pace.GRACE


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 100)), max_size=50))
def test_only_a_source_below_the_slowest_is_given_up(steps: list[tuple[int, float]]) -> None:
    total, now, late = 0, 0.0, False
    times = [0.0]
    for size, seconds in steps:
        total, now = total + size, now + seconds
        times.append(now)
        late = late or now > pace.GRACE + total / pace.SLOWEST
    clock = iter([times[0], *(time for time in times[1:] for _ in range(1)), *([now] * 2)])
    try:
        taken = list(pace.paced([bytes(size) for size, _ in steps], lambda: next(clock)))
    except Unavailable:
        assert late
    else:
        assert (late, len(taken)) == (False, len(steps))


def test_beats_come_between_small_pieces_so_that_work_can_be_stopped(
    image_store: ImageStore, hostile: HostileServer
) -> None:
    class Stopped(Exception):
        pass

    def beat() -> None:
        raise Stopped

    hostile.answer = lambda path: itertools.chain([FULL_HEAD, b"x"], hostile.silence())
    with pytest.raises(Stopped):
        image_store.download(f"{hostile.host}/shop/web", DIGEST, 10**12, io.BytesIO(), beat)


def test_a_circle_of_redirects_ends(image_store: ImageStore, hostile: HostileServer) -> None:
    hostile.answer = lambda path: [head("307 round", Location=path + "x", Content_Length="0")]
    error = resolve(image_store, hostile)
    assert (type(error), error.code) == (Refused, Code.REGISTRY_REFUSED)
    assert len(hostile.asked) == MAX_REDIRECTS + 1


INWARD = [
    "https://localhost/x", "https://127.0.0.1:8420/x", "https://[::1]/x", "http://localhost/x", "http://10.0.0.1/x",
    "http://registry.example/x", "file:///etc/passwd", "gopher://registry.example/", "//127.0.0.1/x",
]  # fmt: skip


@pytest.mark.parametrize("location", INWARD)
def test_a_remote_registry_sends_us_nowhere_on_this_machine_and_nowhere_in_the_clear(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(307, headers={"Location": location})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(Registry, "_client", lambda self, url: client)
    with pytest.raises(FairleadError) as error:
        Registry("registry.example/shop/web").by_tag("1.0.0")
    assert error.value.code is Code.REGISTRY_REFUSED
    assert asked == ["https://registry.example/v2/shop/web/manifests/1.0.0"]


def test_what_is_not_this_machine_is_always_verified() -> None:
    local = Registry("localhost:5000/shop/web")
    clients = [local._client(url) for url in ("http://localhost/x", "https://cdn.example/x")]
    modes = [client._transport._pool._ssl_context.verify_mode.name for client in clients]  # type: ignore[attr-defined]
    assert modes == ["CERT_NONE", "CERT_REQUIRED"]


BROKEN: dict[str, Iterable[bytes]] = {
    "nothing": [b""],
    "no HTTP": [b"\0" * 1000],
    "an endless status": [b"HTTP/1.1 200 " + b"x" * MIB],
    "endless headers": [b"HTTP/1.1 200 OK\r\n", *([b"X-Y: " + b"z" * 1000 + b"\r\n"] * 2000)],
    "a NUL in a header": [head(X="a\0b")],
    "two lengths": [head(Content_Length="1, 2"), b"x"],
    "no length at all": [head(Content_Length="-1"), b"x"],
    "cut in the body": [head(Content_Length="100"), b"{"],
    "cut in a chunk": [head(Transfer_Encoding="chunked"), b"ff\r\n{"],
    "a chunk of no size": [head(Transfer_Encoding="chunked"), b"zz\r\n{}\r\n"],
    "an upgrade": [head("101 Switching", Upgrade="x", Connection="upgrade"), b"{}"],
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_is_unavailable(
    image_store: ImageStore, hostile: HostileServer, said: Iterable[bytes]
) -> None:
    hostile.answer = lambda path: said
    assert resolve(image_store, hostile).code in {Code.REGISTRY_UNAVAILABLE, Code.REGISTRY_REFUSED}


def test_a_compressed_answer_is_hashed_as_it_came(image_store: ImageStore, hostile: HostileServer) -> None:
    hostile.answer = lambda path: [head(Content_Encoding="gzip", Content_Length="2"), b"{}"]
    assert resolve(image_store, hostile).code is Code.MANIFEST_INVALID


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
WAITS: list[tuple[dict[str, str], float | None]] = [
    ({}, None),
    ({"Retry_After": "7"}, 7),
    ({"Retry_After": "0"}, pace.MIN_WAIT),
    ({"Retry_After": "9" * 400}, pace.MAX_WAIT),
    ({"Retry_After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": DATE}, 30),
    ({"Retry_After": "Wed, 21 Oct 2026 07:27:00 GMT", "Date": DATE}, pace.MIN_WAIT),
    ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT", "Date": DATE}, pace.MAX_WAIT),
    ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, pace.MAX_WAIT),
    ({"Retry_After": "-1", "Date": DATE}, None),
    ({"Retry_After": "soon"}, None),
    ({"Retry_After": "1e3"}, None),
    ({"Retry_After": "\xb2"}, None),
]


@pytest.mark.parametrize("status", ["429 busy", "503 away"])
@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_what_a_registry_asks_us_to_wait_is_honoured_within_bounds(
    image_store: ImageStore, hostile: HostileServer, status: str, headers: dict[str, str], seconds: float | None
) -> None:
    hostile.answer = lambda path: [head(status, Content_Length="0", **headers)]
    error = resolve(image_store, hostile)
    assert isinstance(error, Unavailable)
    assert error.retry_after == seconds
    delay = to_application_error(error).next_retry_delay
    assert (delay.total_seconds() if delay else None) == seconds
    assert 0 < int(from_error(error).headers["Retry-After"]) <= pace.MAX_WAIT


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{0,9} [A-Z+0-9-]{0,6}"))
def test_no_retry_after_breaks_anything(text: str) -> None:
    seconds = pace.wait_of({"retry-after": text})
    assert seconds is None or pace.MIN_WAIT <= seconds <= pace.MAX_WAIT


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_no_answer_whatever_is_more_than_an_error(pieces: list[bytes]) -> None:
    """The body of an answer, in any pieces; the head is one that is taken."""
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, content=iter(pieces))))
    source = Registry("localhost:5000/shop/web")
    source._clients[True] = client
    store = ImageStore(Path("/nowhere"))
    store._sources["localhost:5000/shop/web"] = source
    with suppress(FairleadError):
        store.resolve("localhost:5000/shop/web", "1.0.0")
