"""Docker Compose 2 as a program: the plugin itself is called, so that no `docker` client on the path has a say.

It is told everything and finds nothing out: its environment holds where the engine is and the secrets it must deliver, it reads no `.env`,
no configuration of anybody's, and the file that it is given comes through its standard input. It dies with the worker that started it.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agents.cutting import whole_lines
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable

PLUGIN = "docker-compose"
FOLDERS = (
    Path("/usr/local/lib/docker/cli-plugins"),
    Path("/usr/local/libexec/docker/cli-plugins"),
    Path("/usr/lib/docker/cli-plugins"),
    Path("/usr/libexec/docker/cli-plugins"),
)
"""Where the docker client itself looks."""
_MOST_WORDS = 2000
_PAUSE = 0.3

Watch = Callable[[], None]
"""Called again and again while it runs; what it raises ends it."""


def find() -> Path | None:
    """The plugin, if it is installed. A `docker-compose` on the path may be version 1, and is not asked."""
    folders = (Path.home() / ".docker/cli-plugins", *FOLDERS)
    return next((folder / PLUGIN for folder in folders if os.access(folder / PLUGIN, os.X_OK)), None)


@dataclass(frozen=True, slots=True)
class Project:
    """One Compose project as it is to be: where, which file, and the values of its secrets by variable."""

    name: str
    endpoint: str
    file: str
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `words` are for people."""

    code: int
    words: str


class Compose:
    """`program`: the plugin, where it is not to be looked for."""

    def __init__(self, program: Path | None = None) -> None:
        self._program = program

    def validate(self, project: Project, watch: Watch) -> Ended:
        """Whether Compose takes the file for one; no engine is asked."""
        return self._run(project, ["config", "--quiet"], watch, 60)

    def create(self, project: Project, watch: Watch) -> Ended:
        """Make what is not there, start nothing, replace nothing."""
        return self._run(project, ["create", "--no-recreate", "--no-build", "--pull", "never"], watch, 300)

    def start(self, project: Project, watch: Watch) -> Ended:
        """Start what was made and has not run yet."""
        return self._run(project, ["start"], watch, 300)

    def up(self, project: Project, watch: Watch, limit: float) -> Ended:
        """Start everything in its order, and wait until all of it is as its dependents want it."""
        words = ["up", "--detach", "--wait", "--no-recreate", "--no-build", "--pull", "never"]
        return self._run(project, words, watch, limit)

    def _run(self, project: Project, words: list[str], watch: Watch, limit: float) -> Ended:
        command = [*_bound(), str(self._found()), *_options(project.name), *words]
        try:
            with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as said:
                file.write(project.file.encode())
                file.seek(0)
                with tempfile.TemporaryDirectory(prefix="fl-compose-") as home:
                    process = subprocess.Popen(
                        command, stdin=file, stdout=said, stderr=said, env=_environment(project, home), cwd="/"
                    )
                    return Ended(_await(process, watch, limit), _end_of(said))
        except OSError as error:  # this machine has no room, say
            raise Unavailable(Code.COMPOSE_UNAVAILABLE, f"Docker Compose cannot be run here: {error}") from error

    def _found(self) -> Path:
        program = self._program or find()
        if program is None or not os.access(program, os.X_OK):
            detail = f"there is no Docker Compose 2 here{f' at {program}' if program else ''}"
            raise Unavailable(
                Code.COMPOSE_UNAVAILABLE, detail, hint="install docker-compose 2, or set FAIRLEAD_COMPOSE"
            )
        return program


def _bound() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _options(name: str) -> list[str]:
    told = ["--project-name", name, "--project-directory", "/", "--env-file", os.devnull, "--file", "-"]
    return ["--ansi", "never", "--progress", "plain", *told]


def _environment(project: Project, home: str) -> dict[str, str]:
    where = {"DOCKER_HOST": project.endpoint, "DOCKER_CONFIG": home, "HOME": home}
    return {"PATH": os.defpath, **where, **project.secrets}


def _await(process: subprocess.Popen[bytes], watch: Watch, limit: float) -> int:
    """Its exit code. It is killed when it takes too long, and when watching raises."""
    until = time.monotonic() + limit
    try:
        while process.poll() is None:
            watch()
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"Docker Compose did not end within {limit:g} s")
            try:
                process.wait(_PAUSE)
            except subprocess.TimeoutExpired:
                continue
        return process.returncode
    finally:
        process.kill()
        process.wait()


def _end_of(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _MOST_WORDS))
    words = said.read(_MOST_WORDS).decode(errors="replace")
    return (whole_lines(words) if size > _MOST_WORDS else words).strip()
