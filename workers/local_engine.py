"""A private Docker engine and a private registry in a folder of their own, for tests and the demo. Neither touches the machine's own."""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import docker
import docker.errors
import httpx
import psutil

from workers import packages
from workers.ports import free_port

_CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: "{root}"}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
"""


class LocalEngine:
    """dockerd with its state in `folder` (an absolute path, short enough for a socket's name).

    Containers get a bridge of their own and publish ports on loopback through the engine's proxy; no firewall rule is made, so that
    any number of engines live side by side. Where no bridge can be made they use the host's network. A `bound` engine ends with the
    process that started it, however that dies. `more`: further words for its command line.
    """

    def __init__(self, folder: Path, *, bridge: bool = True, bound: bool = False, more: Sequence[str] = ()) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self._wants_bridge, self._bound, self._more = bridge, bound, more
        self._bridge = Bridge.of(folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """As a target's `endpoint`."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The engine's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, timeout: float = 60) -> None:
        """Have the engine running and answering. Raises RuntimeError with the end of its log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._process = _spawn(self._command(), self.folder / "engine.log", bound=self._bound)
        _await(self._answers, self._process, self.folder / "engine.log", timeout)

    def stop(self) -> None:
        """Remove its containers, then the engine and the bridge. What lies in `folder` is the caller's."""
        if self.pid:
            with contextlib.suppress(docker.errors.DockerException):
                self._remove_containers()
        _stop(self._process)
        self._bridge.remove()

    def _command(self) -> list[str]:
        dockerd = _need("docker.io")
        bridged = self._wants_bridge and self._bridge.make()
        network = ["--bridge", self._bridge.name, "--ip", "127.0.0.1"] if bridged else ["--bridge", "none"]
        # A mount namespace of its own: what the engine mounts is gone with it.
        return [
            *("unshare", "--mount", str(dockerd)),
            *("--data-root", str(self.folder / "data"), "--exec-root", str(self.folder / "exec")),
            *("--host", self.endpoint, "--pidfile", str(self.folder / "engine.pid")),
            *("--iptables=false", "--ip-forward=false", "--ip-masq=false", *network, *self._more),
        ]

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.socket)), timeout=5) as engine:
                return engine.get("http://engine/_ping").is_success
        except httpx.HTTPError:
            return False

    def _remove_containers(self) -> None:
        with contextlib.closing(docker.DockerClient(base_url=self.endpoint)) as engine:
            for container in engine.containers.list(all=True):
                container.remove(force=True)


class LocalRegistry:
    """docker-registry on a loopback port, its content in `folder`; keeps its port when stopped and started again. `bound`: see LocalEngine."""

    def __init__(self, folder: Path, *, bound: bool = False) -> None:
        self.folder = folder
        self._bound = bound
        self.address = f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 30) -> None:
        """Have the registry running and answering. Raises RuntimeError with the end of its log."""
        serve = [str(_need("docker-registry")), "serve", str(self.folder / "config.yml")]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.yml").write_text(self._config())
        self._process = _spawn(serve, self.folder / "registry.log", bound=self._bound)
        _await(self._answers, self._process, self.folder / "registry.log", timeout)

    def stop(self) -> None:
        """Stop it; what was pushed stays."""
        _stop(self._process)

    def _config(self) -> str:
        return _CONFIG.format(root=self.folder / "content", address=self.address)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://{self.address}/v2/", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False


NETWORKS = 512
"""So many /24 are in 198.18.0.0/15."""


class Bridge:
    """A network bridge with a /24 of its own. Its name comes from the folder, so that a restart finds it again.

    Networks are taken from 198.18.0.0/15 (RFC 2544), which nobody routes: `network`, from 0, or the next that is not there yet. Two bridges
    with one network would not be reached both.
    """

    def __init__(self, name: str, network: int) -> None:
        self.name, self._network = name, network

    @classmethod
    def of(cls, folder: Path) -> "Bridge":
        """The bridge of the engine in this folder."""
        mark = hashlib.sha256(str(folder).encode()).digest()
        return cls(f"fl{mark.hex()[:10]}", int.from_bytes(mark[:2]) % NETWORKS)

    def address(self, taken: Collection[str]) -> str:
        """Of the first network from its own on whose address is not taken; its own where all are."""
        several = [(self._network + step) % NETWORKS for step in range(NETWORKS)]
        wished = [f"198.{18 + number // 256}.{number % 256}.1" for number in several]
        return next((address for address in wished if address not in taken), wished[0])

    def make(self) -> bool:
        """Whether the bridge is there now; False where we may not make one."""
        if Path("/sys/class/net", self.name).exists():
            return True
        made = self._ip("link", "add", "name", self.name, "type", "bridge")
        return (
            made
            and self._ip("addr", "add", f"{self.address(_addresses())}/24", "dev", self.name)
            and self._ip("link", "set", "dev", self.name, "up")
        )

    def remove(self) -> None:
        """Take it away, if it is there."""
        if Path("/sys/class/net", self.name).exists():
            self._ip("link", "del", "dev", self.name)

    def _ip(self, *arguments: str) -> bool:
        found = packages.program("ip")
        command = [str(found)] if found else [str(_need("busybox-static")), "ip"]
        return subprocess.run([*command, *arguments], capture_output=True, check=False).returncode == 0


def _addresses() -> set[str]:
    """Of this machine."""
    return {said.address for several in psutil.net_if_addrs().values() for said in several}


def _need(package: str) -> Path:
    found = packages.program(packages.PROGRAMS[package])
    if found is None:
        raise RuntimeError(f"{packages.PROGRAMS[package]} is not here; {packages.how_to_get([package])}")
    return found


def _spawn(command: list[str], log: Path, *, bound: bool) -> subprocess.Popen[bytes]:
    command = ["setpriv", "--pdeathsig", "TERM", *command] if bound else command
    environment = {**os.environ, "PATH": packages.PATH}
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )


def _await(answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            _stop(process)
            raise RuntimeError(f"{process.args!r} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes] | None, grace: float = 30) -> None:
    if process is None or process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    process.kill()
    process.wait()
