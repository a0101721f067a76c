"""A Docker engine that is killed, or whose disk is full: on Docker and on Compose hosts, on one engine with a small disk of its own."""

import dataclasses
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.fence import Claim
from tests.agents.test_ssh_host import At
from tests.fixtures.compose import ComposeHarness
from tests.fixtures.docker import DockerHarness, build, need
from tests.targets.bench import Bench, eventually, nobeat
from workers.demo import images
from workers.local_engine import LocalEngine, LocalRegistry

pytestmark = pytest.mark.docker

SIZE = 96 * 1024**2


@dataclasses.dataclass(frozen=True)
class Small:
    """An engine on a small disk."""

    engine: LocalEngine

    def kill(self) -> None:
        """Its containerd ends with it; where nobody reaps that, the next engine would take the zombie for a living one."""
        if self.engine.pid:
            os.kill(self.engine.pid, signal.SIGKILL)
            assert eventually(lambda: self.engine.pid is None)
            (self.engine.folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    @contextmanager
    def full(self, but: int = 0) -> Iterator[None]:
        """While nothing is free on it, or so many bytes."""
        ballast = self.engine.folder / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(self.engine.folder).free - but)
        try:
            yield
        finally:
            ballast.unlink()


@pytest.fixture(scope="module")
def small(docker_folder: Path) -> Iterator[Small]:
    need(None if os.geteuid() == 0 else "only root can mount small disks; run as root")
    """What runs is noted elsewhere, as in /run on other machines."""
    folder = docker_folder / "small"
    for place, size in ((folder, SIZE), (folder / "exec", SIZE // 4)):
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(place)], check=True)  # noqa: S607
    engine = LocalEngine(folder, bound=True)
    engine.start()
    yield Small(engine)
    if engine.pid is None:  # its containers outlive it, and only an engine takes them down
        engine.start()
    engine.stop()
    for place in (folder / "exec", folder):
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S607


@pytest.fixture(params=["docker", "compose"])
def bench(
    request: pytest.FixtureRequest, small: Small, docker_registry: LocalRegistry, docker_folder: Path
) -> Iterator[Bench]:
    """A target there."""
    harness = (
        DockerHarness(small.engine, docker_registry, docker_folder)
        if request.param == "docker"
        else ComposeHarness(small.engine, docker_registry, docker_folder, request.getfixturevalue("compose"))
    )
    bench = Bench(harness)
    yield bench
    if small.engine.pid is None:
        small.engine.start()
    bench.close()
    harness.api.close()


def test_an_engine_that_is_killed_in_the_middle_is_waited_for(bench: Bench, small: Small) -> None:
    new = bench.of("2.0.0", {"SLOW": "3"})
    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Unavailable) as error:
        bench.apply(new, 2, beat=lambda: small.kill() if small.engine.pid and bench.tally().started == 2 else None)
    assert error.value.code == Code.TARGET_UNREACHABLE
    assert not bench.harness.executor().observe(bench.address).reachable
    small.engine.start()
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert len(bench.harness.containers(bench.address)) == 1


def test_a_full_disk_stops_nothing_and_is_waited_for(bench: Bench, small: Small) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.harness.executor().prepare(new, nobeat)
    with small.full(), pytest.raises(Unavailable) as full:
        bench.apply(new, 2)
    assert full.value.code == Code.TARGET_FULL
    assert bench.runs(old)
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)


@pytest.mark.parametrize("bench", ["docker"], indirect=True)
def test_a_disk_that_becomes_full_in_the_middle_is_waited_for(bench: Bench, small: Small) -> None:
    """On a Compose host the old containers are removed first, which makes room."""
    new = bench.of("2.0.0")
    bench.apply(bench.of("1.0.0"), 1)
    bench.harness.executor().prepare(new, nobeat)
    with ExitStack() as later:
        filled = bench.harness.executor(At("after_claim", lambda: later.enter_context(small.full())))
        with pytest.raises(Unavailable) as full:
            filled.apply(new, Claim(2, 1), nobeat)
    assert full.value.code == Code.TARGET_FULL
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)


@pytest.mark.parametrize("bench", ["docker"], indirect=True)
def test_what_was_stopped_runs_again_while_there_is_no_room_for_the_new(bench: Bench, small: Small) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.harness.executor().prepare(new, nobeat)
    with ExitStack() as later:
        filled = bench.harness.executor(At("after_create", lambda: later.enter_context(small.full())))
        with pytest.raises(Unavailable) as full:
            filled.apply(new, Claim(2, 1), nobeat)
        assert full.value.code == Code.TARGET_FULL
        assert eventually(lambda: bench.runs(old))
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)


def test_a_disk_without_room_for_the_image_is_full_before_any_change(bench: Bench, small: Small) -> None:
    large = bench.harness.push(noise(f"large-{bench.target}"), "large")
    bench.apply(old := bench.of("1.0.0"), 1)
    with small.full(but=24 * 1024**2), pytest.raises(Unavailable) as full:
        bench.harness.executor().prepare(bench.spec(bench.component(large)), nobeat)
    assert full.value.code == Code.TARGET_FULL
    assert bench.runs(old)


def noise(version: str) -> images.Image:
    """An image that cannot be packed smaller than it is."""
    return build(version, more={"noise": os.urandom(20 * 1024**2)})
