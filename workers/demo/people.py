"""The people of the demo: each has a home with a signing key and a bearer key, and uses the `fairlead` command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


class CommandFailed(Exception):
    """A command ended other than the story needs."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a home folder, where `settle` puts the bearer key beside the signing key."""

    name: str
    home: Path
    url: str
    key: str
    project: str = "shop"

    def settle(self) -> "Person":
        """Keep the bearer key at home."""
        self.run("config", "set", "key", self.key)
        return self

    def run(self, *words: str, expect: int | None = 0, stdin: str | None = None) -> Said:
        """Run `fairlead <words>` as this person; raise CommandFailed unless it exits with `expect` (None: anything)."""
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_")},
            "FAIRLEAD_HOME": str(self.home),
            "FAIRLEAD_URL": self.url,
            "FAIRLEAD_PROJECT": self.project,
        }
        command = [sys.executable, "-m", "fairlead.cli.main", *words]
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, input=stdin, timeout=180, check=False
        )
        if expect is not None and run.returncode != expect:
            raise CommandFailed(f"fairlead {' '.join(words)} exited {run.returncode}\n{run.stdout}{run.stderr}")
        return Said(run.returncode, run.stdout, run.stderr)

    def json(self, *words: str) -> Any:
        """The answer of a reading command."""
        return self.run(*words, "--json").json

    def api(self, path: str) -> Any:
        """What the API answers to a GET; polling by a command a time would cost a process each."""
        headers = {"authorization": f"Bearer {self.key}"}
        answer = httpx.get(f"{self.url}/api/v1{path}", headers=headers, timeout=35, trust_env=False)
        return answer.raise_for_status().json()
