"""Secrets at rest on a process host: a file for each configuration that needs some, which only the supervisor's user may read.

They lie there because an application is started again when it ends, when the supervisor was killed, and when its successor fails, and
nobody is there then to ask for them. What is no longer needed is removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from agents.process_host.folder import TargetFolder
from agents.process_host.records import RunSpec, write_json


def file_name(config: str) -> str:
    """The configuration's digest covers reference and version of every secret, so another version is another file."""
    return config.removeprefix("sha256:") + ".json"


class Confidences:
    """The secrets of one target's components."""

    def __init__(self, folder: TargetFolder) -> None:
        self._folder = folder

    def keep(self, spec: RunSpec, secrets: Mapping[str, str]) -> None:
        """Have them ready for every start of this run."""
        if spec.secrets:
            path = self._path(spec, spec.secrets)
            path.parent.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_json(path, dict(secrets))

    def of(self, spec: RunSpec) -> dict[str, str]:
        """What joins the environment of a run. Raises OSError where it cannot be read."""
        if not spec.secrets:
            return {}
        with open(os.open(self._path(spec, spec.secrets), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)) as file:
            return {str(name): str(value) for name, value in json.load(file).items()}

    def forget_others(self, component: str, needed: Iterable[RunSpec]) -> None:
        """Remove what none of these runs needs."""
        names = {spec.secrets for spec in needed}
        for path in self._of_component(component).glob("*.json"):
            if path.name not in names:
                path.unlink(missing_ok=True)

    def _path(self, spec: RunSpec, name: str) -> Path:
        return self._of_component(spec.component) / name

    def _of_component(self, component: str) -> Path:
        return self._folder.component(component) / "secrets"
