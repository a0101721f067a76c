"""Looks at the targets themselves: engine events and containers, or journals and the process table. Never at our database."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import docker
import httpx


@dataclass(frozen=True, slots=True)
class Start:
    """A start that the target itself recorded."""

    target: str
    component: str
    digest: str
    time: float
    process: str = ""


class Eyes(Protocol):
    """What the demo can see of its targets."""

    def starts(self) -> list[Start]:
        """Every start since the demo began, oldest first."""

    def creates(self) -> list[Start]:
        """Every container created (or process begun) since the demo began."""

    def running(self, target: str) -> Mapping[str, str]:
        """Component to digest of what runs on a target now."""


def answer(port: int) -> str:
    """What an application says, e.g. `hello from web 1.0.0`; empty when it does not answer well."""
    for path in ("/cgi-bin/healthz", "/"):
        with contextlib.suppress(httpx.HTTPError):
            said = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2, trust_env=False)
            if said.is_success:
                return said.text.strip()
    return ""


class DockerEyes:
    """The engine's own event log, and its containers."""

    def __init__(self, socket: str) -> None:
        self._engine = docker.DockerClient(base_url=f"unix://{socket}")
        self._began = datetime.now(UTC)  # noqa: TID251 - the engine's event log is asked for from here on

    def starts(self) -> list[Start]:
        return self._events("start")

    def creates(self) -> list[Start]:
        return self._events("create")

    def running(self, target: str) -> Mapping[str, str]:
        mine = self._engine.containers.list(filters={"label": f"fairlead.target={target}"})
        return {c.labels["fairlead.component"]: self._digest(c) for c in mine}

    def _digest(self, container: Any) -> str:
        names = container.image.attrs.get("RepoDigests") or []
        return next((name.partition("@")[2] for name in names), "unknown")

    def _events(self, action: str) -> list[Start]:
        now = datetime.now(UTC)  # noqa: TID251 - an end makes the engine close the stream
        filters = {"type": "container", "event": action, "label": "fairlead.project=shop"}
        events = self._engine.events(since=self._began, until=now, decode=True, filters=filters)
        return [self._start(e["Actor"]["Attributes"], e["timeNano"] / 1e9) for e in events]

    def _start(self, labels: Mapping[str, str], time: float) -> Start:
        return Start(labels["fairlead.target"], labels["fairlead.component"], labels["fairlead.digest"], time)


class ProcessEyes:
    """The supervisors' journals, and the kernel's process table."""

    def __init__(self, hosts: Path) -> None:
        self._hosts = hosts

    def starts(self) -> list[Start]:
        found = [
            Start(target, line["component"], line["digest"], line["time"], line["process"])
            for target, line in self._journals()
            if line["event"] == "started"
        ]
        return sorted(found, key=lambda start: start.time)

    def creates(self) -> list[Start]:
        """A process is created by being started."""
        return self.starts()

    def running(self, target: str) -> Mapping[str, str]:
        latest = {s.component: s for s in self.starts() if s.target == target}
        return {component: s.digest for component, s in latest.items() if _is_alive(s.process)}

    def _journals(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for owner in self._hosts.glob("*/*/owner.json"):
            target = json.loads(owner.read_text())["target"]
            journal = owner.with_name("journal.jsonl")
            for line in journal.read_text().splitlines() if journal.exists() else ():
                yield target, json.loads(line)


def _is_alive(process: str) -> bool:
    """Whether `pid@ticks` still runs, by the kernel's word on when that pid was started."""
    pid, _, ticks = process.partition("@")
    stat = Path("/proc", pid, "stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[19] == ticks
    except OSError:
        return False
