"""Private engines and registries: side by side, gone when stopped, loud when they cannot start."""

from pathlib import Path

import docker
import httpx
import psutil
import pytest

from tests.targets.bench import eventually
from workers.local_engine import Bridge, LocalEngine, LocalRegistry

pytestmark = pytest.mark.docker


def test_a_second_engine_beside_the_first_is_gone_when_stopped(docker_engine: LocalEngine, docker_folder: Path):
    second = LocalEngine(docker_folder / "second", bound=True)
    second.start()
    pid = second.pid
    assert docker.DockerClient(base_url=second.endpoint).ping()
    second.stop()
    assert second.pid is None
    assert pid is not None
    assert eventually(lambda: not psutil.pid_exists(pid))
    assert docker.DockerClient(base_url=docker_engine.endpoint).ping()
    assert str(second.folder) not in Path("/proc/mounts").read_text()
    assert not Path("/sys/class/net", Bridge.of(second.folder).name).exists()


def test_an_engine_that_cannot_start_says_why(docker_engine: LocalEngine, docker_folder: Path):
    engine = LocalEngine(docker_folder / "broken", bound=True)
    engine.folder.mkdir()
    (engine.folder / "data").write_text("a file where a folder should be")
    with pytest.raises(RuntimeError, match="data"):
        engine.start()
    engine.stop()


def test_a_registry_keeps_its_address(docker_registry: LocalRegistry):
    address = docker_registry.address
    docker_registry.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/v2/", trust_env=False)
    docker_registry.start()
    assert httpx.get(f"http://{address}/v2/", trust_env=False).is_success


@pytest.mark.parametrize("folder", ["/tmp/a", "/tmp/b"])
def test_a_bridge_is_found_again_by_its_folder(folder: str):
    bridge = Bridge.of(Path(folder))
    assert bridge.name == Bridge.of(Path(folder)).name
    assert len(bridge.name) < 16


@pytest.mark.parametrize(
    ("network", "taken", "address"),
    [
        (7, set(), "198.18.7.1"),
        (7, {"198.18.7.1"}, "198.18.8.1"),
        (511, {"198.19.255.1"}, "198.18.0.1"),
    ],
)
def test_a_bridge_takes_no_network_that_is_there(network: int, taken: set[str], address: str):
    assert Bridge("fl0", network).address(taken) == address
