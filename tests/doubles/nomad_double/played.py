"""Played tasks: each really listens and answers HTTP on its ports, and does of what its image and environment tell it."""

import http.server
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Play:
    """What an image does. `missing`: it cannot be pulled. `dies`: its exit code, after `after` seconds. `slow`: seconds until it listens.

    `status`: what it answers on any path but `/`. `runs`: instead of all that it runs this command, with `env`.
    """

    missing: bool = False
    dies: int | None = None
    after: float = 0.0
    slow: float = 0.0
    status: int = 200
    says: str = "listening"
    complains: str = ""
    runs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


Player = Callable[[Json, Mapping[str, str]], Play]
"""Says what a task does, of its driver's configuration and its environment."""


def by_environment(config: Json, env: Mapping[str, str]) -> Play:
    """As the applications of the shared behaviour suite."""
    if config.get("command"):
        return Play(runs=(config["command"], *(config.get("args") or ())), env=env)
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
    _process: "subprocess.Popen[bytes] | None" = None
    _printed: tuple[IO[bytes], ...] = ()
    _servers: list[http.server.ThreadingHTTPServer] = field(default_factory=list)

    def start(self) -> None:
        """Raises OSError when a port is taken by somebody outside the cluster."""
        self.began, self.running = time.monotonic(), True
        if self.play.runs:
            self._run()
            return
        if self.play.complains:
            self.stderr += f"{self.play.complains}\n"
        if not self.play.slow and self.play.dies is None:
            self._listen()

    def live(self) -> int | None:
        """What goes on in it; its exit code when it has ended by itself."""
        if self._process:
            return self._ended()
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
        if self._process:
            self._process.kill()
            self._process.wait()
            self._ended()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []

    def _run(self) -> None:
        """Dies with the tests."""
        self._printed = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 read when it has ended
        command = ["/usr/bin/setpriv", "--pdeathsig", "KILL", *self.play.runs]
        out, err = self._printed
        self._process = subprocess.Popen(
            command, env=dict(self.play.env), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )

    def _ended(self) -> int | None:
        """Its exit code; then what it printed is there too."""
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        self.stdout, self.stderr = (self._all(file) for file in self._printed)
        self._process = None
        return code

    def _all(self, file: IO[bytes]) -> str:
        file.seek(0)
        return file.read().decode(errors="replace")

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
