"""The command line against a real server: the office's API on a loopback port."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from typer.testing import CliRunner

from fairlead.cli.main import build
from tests.api.office import Office


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Somebody at a terminal: a home folder, a bearer key, a project."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = {"FAIRLEAD_HOME": str(home), "NO_COLOR": "1", "COLUMNS": "200", **environment}

    def run(self, *words: str, stdin: str | None = None, **environment: str) -> Said:
        """Run `fairlead <words>`. A traceback fails the test."""
        result = CliRunner().invoke(build(), list(words), env={**self.environment, **environment}, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str) -> Any:
        """The JSON answer of a command that must end well."""
        said = self.run(*words, "--json")
        assert said.code == 0, said
        return said.json


@contextmanager
def served(office: Office) -> Iterator[str]:
    """Serve the office's API; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(office.app, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
