"""Sets the stage: a scratch folder, images, the running system, and people with keys."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from workers import packages
from workers.demo import shop, targets
from workers.demo.images import Image, to_layout, to_registry
from workers.demo.people import Person
from workers.ports import free_port

ROOT = Path(__file__).parent.parent.parent
CATALOGUES = {"docker": "fairlead.yaml", "process": "fairlead.process.yaml"}


class Stage:
    """Everything the story needs. `scratch` is gone when the demo ends, unless it is kept."""

    def __init__(self, on: str, scratch: Path, *, registry: str | None = None, socket: str | None = None) -> None:
        self.on = on
        self.scratch = scratch
        self.data = scratch / "system"
        self._registry = registry
        self._busybox = packages.program("busybox") or Path("busybox")
        self._socket = socket
        self._system: subprocess.Popen[bytes] | None = None
        self._began = time.time()
        self.temporal_ui = ""

    def start(self) -> None:
        """Start `fairlead dev` and wait until it is ready."""
        any_ports = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
        with (self.scratch / "system.log").open("wb") as log:
            self._system = subprocess.Popen(
                [sys.executable, "-m", "fairlead.cli.main", "dev", "--data", str(self.data), *any_ports],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: (self.data / "processes.json").exists() and self._ready(), "the system to be ready", 90)
        self.temporal_ui = str(self.processes["temporal"]["ui"])

    def stop(self) -> None:
        """Stop the system, and wait until it is gone."""
        if self._system and self._system.poll() is None:
            self._system.send_signal(signal.SIGTERM)
            self._system.wait(timeout=40)

    def clean_up(self) -> None:
        """Stop the system, and end what it left running on the targets on purpose."""
        self.stop()
        if self.on == "process":
            targets.end_processes(self.data / "hosts")
        else:
            targets.remove_containers(str(self._socket), self._began)

    def _ready(self) -> bool:
        if self._system and self._system.poll() is not None:
            raise RuntimeError(f"the system ended while starting:\n{self.log()}")
        try:
            return httpx.get(f"{self.processes['api']['url']}/readyz", timeout=2, trust_env=False).is_success
        except (httpx.HTTPError, KeyError, ValueError):
            return False

    def log(self) -> str:
        """The end of what the system printed."""
        return (self.scratch / "system.log").read_text(errors="replace")[-6000:]

    @property
    def processes(self) -> dict[str, Any]:
        """What `fairlead dev` says of its processes: pids and addresses."""
        known: dict[str, Any] = json.loads((self.data / "processes.json").read_text())
        return known

    @property
    def url(self) -> str:
        return str(self.processes["api"]["url"])

    def kill_worker(self) -> int:
        """SIGKILL the worker's whole process group; return its pid."""
        pid = int(self.processes["worker"]["pid"])
        os.killpg(os.getpgid(pid), signal.SIGKILL)
        return pid

    def worker_is_back(self, killed: int) -> bool:
        """Whether another worker process runs now."""
        pid = self.processes["worker"].get("pid")
        return pid is not None and int(pid) != killed and psutil.pid_exists(int(pid))

    def person(self, name: str, key: str) -> Person:
        return Person(name, self.scratch / "homes" / name, self.url, key)

    def admin(self) -> Person:
        """Whoever holds the first key that `fairlead dev` made."""
        return self.person("admin", (self.data / "admin.key").read_text().strip()).settle()

    def image(self, component: str, version: str) -> Image:
        """Make the image of a component."""
        if self.on == "process":
            return shop.process_image(component, version)
        return shop.container_image(component, version, self._busybox)

    def publish(self, component: str, version: str, tag: str) -> str:
        """Push what `version` is under `tag`, as CI would; return its digest."""
        image = self.image(component, version)
        if self.on == "process":
            to_layout(image, self.data / "layouts" / "shop" / component, tag)
        else:
            to_registry(image, f"{self._registry}/shop/{component}", tag)
        return image.digest

    def catalogue(self, keys: dict[str, str]) -> Path:
        """A copy of the example with the people's public keys, free ports, and this machine's engine and registry."""
        document = yaml.safe_load((ROOT / "examples" / "shop" / CATALOGUES[self.on]).read_text())
        for name, key in keys.items():
            document["people"][name]["keys"] = [key]
        for target in document["targets"].values():
            ports = target["config"]["ports"]
            target["config"]["ports"] = {c: [f"{free_port()}:{p.partition(':')[2]}"] for c, (p,) in ports.items()}
        if self.on == "docker":
            for component in document["components"].values():
                component["repository"] = f"{self._registry}/{component['repository'].partition('/')[2]}"
            for target in document["targets"].values():
                target["endpoint"] = f"unix://{self._socket}"
        path = self.scratch / "fairlead.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path


@dataclass(frozen=True, slots=True)
class Choice:
    """What the demo runs on, and why."""

    on: str
    why: str


def choose(wanted: str | None) -> Choice:
    """docker where an engine answers and a registry program and a static busybox are there, else process."""
    if wanted in {"docker", "process"}:
        return Choice(wanted, f"ON={wanted}")
    if wanted:
        raise ValueError(f"ON must be docker or process, not {wanted!r}")
    missing = [f"{package} is not installed" for package in packages.missing(["docker-registry", "busybox-static"])]
    if engine_socket() is None:
        missing.insert(0, "no Docker engine answers")
    if missing:
        return Choice("process", ", ".join(missing))
    return Choice("docker", "a Docker engine answers, docker-registry and a static busybox are here")


def engine_socket() -> str | None:
    """The local engine's socket, if one answers."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    try:
        transport = httpx.HTTPTransport(uds=socket)
        with httpx.Client(transport=transport, base_url="http://docker", timeout=3) as engine:
            return socket if engine.get("/_ping").is_success else None
    except httpx.HTTPError:
        return None


def until(holds: Callable[[], bool], what: str, seconds: float = 60, pause: float = 0.1) -> None:
    """Wait until something holds; raise TimeoutError naming it when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(pause)
