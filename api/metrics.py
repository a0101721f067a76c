"""Counters of requests, in Prometheus' text format."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Key = tuple[str, str, int]


class Metrics:
    """Counts requests and the seconds they took, by method, route and status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count: dict[_Key, int] = defaultdict(int)
        self._seconds: dict[_Key, float] = defaultdict(float)

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            self._count[method, route, status] += 1
            self._seconds[method, route, status] += seconds

    def text(self) -> str:
        """All counters as Prometheus reads them."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        with self._lock:
            counts, seconds = dict(self._count), dict(self._seconds)
        yield "# HELP fairlead_http_requests_total Requests answered."
        yield "# TYPE fairlead_http_requests_total counter"
        yield from (f"fairlead_http_requests_total{_labels(key)} {count}" for key, count in sorted(counts.items()))
        yield "# HELP fairlead_http_request_seconds_total Seconds spent answering them."
        yield "# TYPE fairlead_http_request_seconds_total counter"
        yield from (
            f"fairlead_http_request_seconds_total{_labels(key)} {spent:.6f}" for key, spent in sorted(seconds.items())
        )


class CountRequests:
    """ASGI middleware that counts into `metrics`."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            self._metrics.add(_method(scope), _route(scope), status, self._clock() - began)


def _labels(key: _Key) -> str:
    method, route, status = key
    return f'{{method="{method}",route="{route}",status="{status}"}}'


def _method(scope: Scope) -> str:
    """Only verbs that exist: a label takes no free text from outside."""
    return (
        scope["method"] if scope["method"] in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "OTHER"
    )


def _route(scope: Scope) -> str:
    """The route's template, never the path itself: ids would make a counter each."""
    return str(getattr(scope.get("route"), "path", "none"))
