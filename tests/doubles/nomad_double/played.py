"""Played tasks: each really listens and answers HTTP on its ports, and does of what its image and environment tell it."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Play:
    """What an image does. `missing`: it cannot be pulled. `dies`: its exit code, after `after` seconds. `slow`: seconds until it listens.

    `status`: what it answers on any path but `/`.
    """

    missing: bool = False
    dies: int | None = None
    after: float = 0.0
    slow: float = 0.0
    status: int = 200
    says: str = "listening"
    complains: str = ""


Player = Callable[[Json, Mapping[str, str]], Play]
"""Says what a task does, of its driver's configuration and its environment."""


def by_environment(config: Json, env: Mapping[str, str]) -> Play:
    """As the applications of the shared behaviour suite."""
    told = f"{env[env['TELL']]}\n" if "TELL" in env else ""
    if "CRASH" in env:
        return Play(dies=3, complains=f"{told}told to crash")
    return Play(says=f"{told}listening", slow=float(env.get("SLOW") or 0), status=500 if "BROKEN" in env else 200)


@dataclass(eq=False)
class Task:
    """One played process, started anew after a crash."""

    play: Play
    ports: tuple[int, ...]
    stdout: str = ""
    stderr: str = ""
    began: float = 0.0
    running: bool = False
    _servers: list[http.server.ThreadingHTTPServer] = field(default_factory=list)

    def start(self) -> None:
        """Raises OSError when a port is taken by somebody outside the cluster."""
        self.began, self.running = time.monotonic(), True
        if self.play.complains:
            self.stderr += f"{self.play.complains}\n"
        if not self.play.slow and self.play.dies is None:
            self._listen()

    def live(self) -> int | None:
        """What goes on in it; its exit code when it has ended by itself."""
        age = time.monotonic() - self.began
        if self.play.dies is not None and age >= self.play.after:
            self.stop()
            return self.play.dies
        if not self._servers and self.play.dies is None and age >= self.play.slow:
            self._listen()
        return None

    def stop(self) -> None:
        """Let go of the ports."""
        self.running = False
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []

    def _listen(self) -> None:
        status = self.play.status

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"ok": status == 200}).encode()
                self.send_response(200 if self.path == "/" else status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: object) -> None:
                """Nobody reads it."""

        for port in self.ports:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._servers.append(server)
        self.stdout += f"{self.play.says}\n"
