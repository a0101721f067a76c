"""Ten containers on three engines: a whole promotion, beside the same pulls, recreates and checks by bare parallel docker."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import httpx

from bench.figures import Section, median
from bench.hops import Trace, trace
from bench.rig import Rig
from bench.shop import STEADY, VERSION, Project
from fairlead.adapters.images import ImageStore
from workers import packages
from workers.demo.images import to_registry
from workers.demo.shop import container_image
from workers.local_engine import LocalEngine, LocalRegistry
from workers.ports import free_port

CONTAINERS, ENGINES, ROUNDS = 10, 3, 5
INSIDE = 8080
GOAL = 1.25
PATH = "/cgi-bin/healthz"
TITLE = f"{CONTAINERS} containers on {ENGINES} engines, images cached / bare parallel docker"
NEEDED = ("docker.io", "docker-registry", "busybox-static")
LABEL = {"bench": "bare"}


@dataclass(frozen=True, slots=True)
class Ground:
    """Engines that answer, and where the image is."""

    engines: list[LocalEngine]
    repository: str
    digest: str


async def measure(rig: Rig) -> list[Section]:
    """Skipped, with a reason, where there is no docker."""
    lacking = packages.missing(NEEDED)
    if lacking:
        return [Section(TITLE, skipped=f"not installed: {', '.join(lacking)}")]
    try:
        with contextlib.ExitStack() as stack:
            ground = stack.enter_context(_ground())
            return [await _compare(rig, ground)]
    except (RuntimeError, docker.errors.DockerException) as error:
        return [Section(TITLE, skipped=f"no engine could be used: {str(error)[:200]}")]


async def _compare(rig: Rig, ground: Ground) -> Section:
    project = await asyncio.to_thread(Project, rig, _document(ground), ImageStore(rig.folder))
    await asyncio.to_thread(project.release, VERSION)
    bare = Bare(ground)
    ours, theirs, traces = [], [], []
    for turn in range(ROUNDS + 1):
        since = time.time()  # as the server on this machine tells the time
        row, took = await project.promote("all")
        until = time.time()
        other = await asyncio.to_thread(bare.deploy)
        if turn:  # the first one pulls, and has nothing to replace
            ours.append(took)
            theirs.append(other)
            traces.append(await trace(rig.client, row.id, (project.name, "all"), since, until))
    bare.close()
    return _section(ours, theirs, traces)


def _section(ours: list[float], theirs: list[float], traces: list[Trace]) -> Section:
    section = Section(TITLE)
    hops = [took - found.working for took, found in zip(ours, traces, strict=True)]
    shares = [a / (GOAL * b + h) for a, b, h in zip(ours, theirs, hops, strict=True)]
    section.add("promotion", median(ours), "s", note=f"median of {ROUNDS} by turns; one target for each container")
    section.add("bare docker", median(theirs), "s", note="pull, stop, remove, create, start, answer 200; all at once")
    section.add("Temporal hops", median(hops), "s", note="time in which no activity of the promotion runs")
    section.add("promotion / bare docker", median([a / b for a, b in zip(ours, theirs, strict=True)]), "x")
    section.add(f"promotion / ({GOAL:g} bare + hops)", median(shares), "x", goal=1.0)
    for name in ("prepare", "apply", "settle", "observe"):
        runs = [[hop.done - hop.started for hop in found.activities if hop.name == name] for found in traces]
        longest = median([max(each, default=0.0) for each in runs])
        section.add(f"longest {name}", longest, "s", note=f"of {CONTAINERS}, side by side")
    return section


def _document(ground: Ground) -> dict[str, Any]:
    targets = {
        f"box-{n}": {
            "type": "docker_host",
            "endpoint": ground.engines[n % ENGINES].endpoint,
            "config": {"ports": {"web": [f"{free_port()}:{INSIDE}"]}},
        }
        for n in range(CONTAINERS)
    }
    web = {
        "repository": ground.repository,
        "command": ["/serve"],
        "ports": [f"{INSIDE}:{INSIDE}"],
        "health": {"http": PATH, "port": INSIDE, "interval": "500ms"},
    }
    return {
        "project": "engines",
        "components": {"web": web},
        "environments": {"all": {"targets": list(targets), "strategy": STEADY}},
        "targets": targets,
    }


class Bare:
    """What somebody would write who has only docker's library."""

    def __init__(self, ground: Ground) -> None:
        self._reference = f"{ground.repository}@{ground.digest}"
        self._clients = [docker.DockerClient(base_url=engine.endpoint) for engine in ground.engines]
        self._ports = [free_port() for _ in range(CONTAINERS)]

    def deploy(self) -> float:
        """All containers at once; the seconds until the last one answered."""
        began = time.perf_counter()
        with ThreadPoolExecutor(CONTAINERS) as threads:
            list(threads.map(self._one, range(CONTAINERS)))
        return time.perf_counter() - began

    def close(self) -> None:
        """Let go of the engines."""
        for client in self._clients:
            client.close()

    def _one(self, number: int) -> None:
        client, name, port = self._clients[number % ENGINES], f"bare-{number}", self._ports[number]
        client.images.pull(self._reference)
        with contextlib.suppress(docker.errors.NotFound):
            old = client.containers.get(name)
            old.stop(timeout=10)
            old.remove()
        bridged = bool(client.networks.list(names=["bridge"]))
        where: dict[str, Any] = {"ports": {f"{INSIDE}/tcp": port}} if bridged else {"network_mode": "host"}
        told = {} if bridged else {"PORT": str(port)}
        made = client.containers.create(self._reference, ["/serve"], name=name, environment=told, labels=LABEL, **where)
        made.start()
        _await(f"http://127.0.0.1:{port}{PATH}")


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{url} does not answer")


@contextmanager
def _ground() -> Iterator[Ground]:
    """Engines and a registry of our own. Started here and in no other thread: they end with the one that starts them."""
    folder = Path(tempfile.mkdtemp(prefix="flb-"))
    engines = [LocalEngine(folder / f"e{n}", bound=True) for n in range(ENGINES)]
    registry = LocalRegistry(folder / "registry", bound=True)
    try:
        registry.start()
        for engine in engines:
            engine.start()
        image = container_image("web", VERSION, packages.program("busybox") or Path("busybox"))
        repository = f"{registry.address}/bench/web"
        to_registry(image, repository, VERSION)
        yield Ground(engines, repository, image.digest)
    finally:
        for engine in engines:
            engine.stop()
        registry.stop()
        shutil.rmtree(folder, ignore_errors=True)
