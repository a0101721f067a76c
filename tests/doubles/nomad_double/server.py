"""The double as a program that listens: its switches, its clock, and what comes before any answer."""

import http.server
import json
import ssl
import sys
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.doubles.nomad_double.cluster import Cluster
from tests.doubles.nomad_double.front import Answer, Front
from tests.doubles.nomad_double.played import Player, by_environment

_TICK = 0.02


@dataclass(frozen=True, slots=True)
class Right:
    """What a token may, in one namespace."""

    writes: bool = True
    namespace: str = "default"
    knows: bool = True
    """What agents and nodes tell: `agent:read` and `node:read`."""
    paths: tuple[str, ...] = ("",)
    """What the paths of the variables begin with that it may touch."""


class NomadDouble:
    """Switches: `leaderless`; `rights` by token, None where nobody is asked.

    `cut`: calls ("POST /v1/jobs") that are carried out but not answered, each once; `lost`: those that are not even carried out.
    """

    def __init__(
        self,
        player: Player = by_environment,
        *,
        delays: float = 10.0,
        deadlines: float = 1.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.cluster = Cluster(player, delays=delays, deadlines=deadlines)
        self.front = Front(self.cluster)
        self.leaderless = False
        self.rights: dict[str, Right] | None = None
        self.cut: list[str] = []
        self.lost: list[str] = []
        self.calls: list[str] = []
        self._over = threading.Event()
        self._server = _Listener(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._clock, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening, and all that it plays."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        with self.cluster.lock:
            for alloc in self.cluster.allocs.values():
                for task in alloc.tasks.values():
                    task.stop()

    def answer(self, method: str, target: str, body: bytes, token: str) -> Answer | None:
        """What a request gets; None when the connection is cut instead."""
        call = f"{method} {urlsplit(target).path}"
        self.calls.append(call)
        if call in self.lost:
            self.lost.remove(call)
            return None
        if self.leaderless and "stale" not in target and not target.startswith("/v1/regions"):
            words = "No cluster leader"
            told = {"server": {"ok": False, "message": words}} if target == "/v1/agent/health" else words
            return Answer(told, status=500)
        if not self._may(method, target, token):
            return Answer("Permission denied", status=403)
        found = self.front.answer(method, target, body)
        if call in self.cut:
            self.cut.remove(call)
            return None
        return found

    def _may(self, method: str, target: str, token: str) -> bool:
        parts = urlsplit(target)
        if self.rights is None or parts.path in {"/v1/status/leader", "/v1/agent/health", "/v1/regions"}:
            return True
        right = self.rights.get(token)
        if parts.path in {"/v1/agent/self", "/v1/nodes"}:
            return right is not None and right.knows
        space = parse_qs(parts.query).get("namespace", ["default"])[-1]
        variable = parts.path.partition("/v1/var/")[2]
        there = not variable or variable.startswith(right.paths if right else ())
        return right is not None and right.namespace == space and there and (method == "GET" or right.writes)

    def _clock(self) -> None:
        while not self._over.wait(_TICK):
            self.front.scheduler.tick()


class _Listener(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever goes in the middle, or is not let in, is nobody's error here."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _handler(double: NomadDouble) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = double.answer(self.command, self.path, body, self.headers.get("X-Nomad-Token", ""))
            if found is None:
                self.close_connection = True
                return
            self._send(found)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

        def _send(self, found: Answer) -> None:
            plain = isinstance(found.body, str) and (found.status != 200 or found.index == -1)
            with double.cluster.lock:
                data = found.body.encode() if plain else json.dumps(found.body).encode()
            if found.status == 204:
                data = b""
            self.send_response(found.status)
            self.send_header("Content-Type", "text/plain; charset=utf-8" if plain else "application/json")
            if found.index is not None and found.index >= 0:
                self.send_header("X-Nomad-Index", str(found.index))
            if found.read:
                self.send_header("X-Nomad-Knownleader", "true")
                self.send_header("X-Nomad-Lastcontact", "0")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *said: object) -> None:
            """Nobody reads it."""

    return Handler
