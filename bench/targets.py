"""What an executor costs for one target, beside the bare tool on the same engine or host, by turns."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
import yaml

from agents.compose_host.plugin import Compose
from agents.nomad_job import document
from bench.figures import Section, median
from fairlead.domain.fence import Claim
from tests import borrowed, components
from tests.fixtures.compose import ComposeHarness
from tests.fixtures.docker import DockerHarness
from tests.fixtures.nomad import NomadHarness
from tests.fixtures.nomad_agent import NomadAgent
from tests.fixtures.ssh import ME, Sshd, SshDockerHarness, SshProcessHarness
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import Harness, free_port
from workers import packages
from workers.local_engine import LocalEngine, LocalRegistry

ROUNDS = 5
INSIDE = 8080
VERSIONS = ("1.0.0", "2.0.0")
FACTOR, EXTRA = 1.3, 0.3
NEEDED = ("docker.io", "docker-registry", "busybox-static", "openssh-server")
TITLE = "One target: prepare and apply / the bare tool; an update that is seen answering, everything pulled"

Bare = Callable[[str], None]
"""Replace what runs by this version, and come back when it answers."""


@dataclass(frozen=True, slots=True)
class Contest:
    """A type of target, and who does the same without us."""

    name: str
    harness: Harness
    bare: Bare


async def measure(rig: object = None) -> list[Section]:
    """Skipped, with a reason, where something is not installed."""
    lacking = packages.missing(NEEDED)
    if lacking:
        return [Section(TITLE, skipped=f"not installed: {', '.join(lacking)}")]
    section = Section(TITLE)
    with _ground() as contests:
        for contest in contests:
            _compare(contest, section)
    return [section]


def _compare(contest: Contest, section: Section) -> None:
    bench, executor = Bench(contest.harness), contest.harness.executor()
    ours, theirs = [], []
    versions = itertools.cycle(VERSIONS)
    for turn in range(ROUNDS + len(VERSIONS)):
        version = next(versions)
        spec, claim = bench.of(version), Claim(turn + 1, 1)
        took = _timed(lambda: (executor.prepare(spec, nobeat), executor.apply(spec, claim, nobeat)))  # noqa: B023
        bare = _timed(lambda: contest.bare(version))  # noqa: B023
        if turn >= len(VERSIONS):  # the first of each pull, and one has nothing to replace
            ours.append(took)
            theirs.append(bare)
    bench.close()
    shares = [a / (FACTOR * b + EXTRA) for a, b in zip(ours, theirs, strict=True)]
    section.add(f"{contest.name}: ours", median(ours), "s", note=f"median of {ROUNDS} by turns")
    section.add(f"{contest.name}: bare", median(theirs), "s")
    section.add(f"{contest.name}: ours / ({FACTOR} bare + {EXTRA} s)", median(shares), "x", goal=1.0)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _ground() -> Iterator[list[Contest]]:
    folder = Path(tempfile.mkdtemp(prefix="flb-"))
    folder.chmod(0o711)
    engine, registry = LocalEngine(folder / "e", bound=True), LocalRegistry(folder / "registry", bound=True)
    sshd = Sshd(folder / "sshd")
    try:
        with ExitStack() as stack:
            for part in (engine, registry, sshd):
                part.start()
                stack.callback(part.stop)
            plain = DockerHarness(engine, registry, folder)
            shell = Shell(sshd, folder)
            stack.callback(shell.close)
            yield [*_contests(plain, shell, folder), *_by_nomad(plain, folder, stack)]
            plain.api.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _contests(plain: DockerHarness, shell: "Shell", folder: Path) -> Iterator[Contest]:
    docker = ["docker", "-H", plain.engine.endpoint]
    yield Contest("docker_host / docker", plain, by_docker(plain, lambda *words: _run(*docker, *words)))
    if not borrowed.lacking():
        yield Contest("compose_host / docker compose up --wait", *_by_compose(plain, folder))
    over_ssh = SshDockerHarness(plain, folder, shell.sshd)
    bare = by_docker(plain, lambda *words: shell.run(*docker, *words))
    yield Contest("ssh_host, docker / docker through one ssh connection", over_ssh, bare)
    processes = SshProcessHarness(folder / "processes", shell.sshd)
    yield Contest("ssh_host, process / commands through one ssh connection", processes, by_shell(processes, shell))


def by_docker(harness: DockerHarness, docker: Callable[..., object]) -> Bare:
    """Pull, stop, remove, run, ask: what a script of five lines does."""
    name, port = f"bare-{free_port()}", free_port()
    where = ["-p", f"{port}:{INSIDE}"] if bridged(harness) else ["--network", "host", "-e", f"PORT={port}"]

    def replace(version: str) -> None:
        reference = reference_of(harness, version)
        docker("pull", "-q", reference)
        with contextlib.suppress(subprocess.CalledProcessError):  # there is none yet
            docker("stop", "-t", "2", name)
            docker("rm", name)
        docker("run", "-d", "--name", name, *where, reference)
        answers(port, harness.health_path)

    return replace


def _by_compose(plain: DockerHarness, folder: Path) -> tuple[ComposeHarness, Bare]:
    program, port, file = str(borrowed.compose()), free_port(), folder / "compose.yml"
    harness = ComposeHarness(plain.engine, plain.registry, folder, Compose(Path(program)))
    here = {"network_mode": "bridge", "ports": [f"{port}:{INSIDE}"]}
    where = here if bridged(plain) else {"network_mode": "host", "environment": {"PORT": str(port)}}

    def replace(version: str) -> None:
        web = {"image": reference_of(harness, version), "stop_grace_period": "2s", **where}
        file.write_text(yaml.safe_dump({"services": {"web": web}}))
        up = ("-f", str(file), "-p", "bare", "up", "-d", "--wait")
        _run(program, *up, env={"DOCKER_HOST": plain.engine.endpoint})
        answers(port, harness.health_path)

    return harness, replace


def _by_nomad(plain: DockerHarness, folder: Path, stack: ExitStack) -> Iterator[Contest]:
    """`nomad job run` with the same job, which waits for its deployment; where there is a Nomad."""
    program, file, turns = components.nomad(), folder / "bare.json", itertools.count(1)
    if program is None:
        return
    agent = stack.enter_context(NomadAgent(program, plain.engine, folder / "nomad"))
    harness = NomadHarness(agent, plain.engine, plain.registry, folder)
    bare = Bench(harness)

    def replace(version: str) -> None:
        file.write_text(json.dumps({"Job": document.render(bare.of(version), Claim(next(turns), 1))}))
        _run(str(program), "job", "run", f"-address={agent.address}", "-json", str(file))

    yield Contest("nomad_job / nomad job run", harness, replace)


def by_shell(harness: SshProcessHarness, shell: "Shell") -> Bare:
    """Send the files, stop the old process, start the new one, ask."""
    place, port = f"{shell.folder}/bare", free_port()
    stop = f"p=$(cat {place}/pid) && kill $p && while kill -0 $p; do sleep 0.02; done; true"

    def replace(version: str) -> None:
        shell.run(f"mkdir -p {place}/{version}")
        with layer_of(harness, version).open("rb") as content:
            shell.run(f"tar -xz -C {place}/{version}", stdin=content)
        shell.run(stop)
        run = f"PORT={port} setsid python3 serve.py >{place}/log 2>&1 </dev/null"
        shell.run(f"cd {place}/{version}; {run} & echo $! >{place}/pid")
        answers(port, harness.health_path)

    return replace


def bridged(harness: DockerHarness) -> bool:
    """Whether the engine has a network of its own."""
    return bool(harness.api.networks.list(names=["bridge"]))


def reference_of(harness: DockerHarness, version: str) -> str:
    """The image by digest."""
    image = harness.image(version)
    return f"{image.repository}@{image.digest}"


def layer_of(harness: SshProcessHarness, version: str) -> Path:
    """The one layer of an image, as it lies in the layout."""
    blobs = harness.app / "blobs/sha256"
    manifest = json.loads((blobs / harness.image(version).digest.removeprefix("sha256:")).read_bytes())
    return blobs / str(manifest["layers"][0]["digest"]).removeprefix("sha256:")


class Shell:
    """OpenSSH's own client with one connection for all commands."""

    def __init__(self, sshd: Sshd, folder: Path) -> None:
        self.sshd, self.folder = sshd, folder
        known = folder / "known_hosts"
        known.write_text(sshd.known + "\n")
        said = {
            "ControlMaster": "auto", "ControlPath": folder / "master", "ControlPersist": "120", "BatchMode": "yes",
            "UserKnownHostsFile": known, "IdentityFile": sshd.folder / "key", "IdentitiesOnly": "yes",
        }  # fmt: skip
        options = itertools.chain.from_iterable(("-o", f"{key}={value}") for key, value in said.items())
        self._command = ["ssh", "-F", "none", *options, "-p", str(sshd.port), f"{ME}@127.0.0.1"]

    def run(self, *words: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> None:
        """One command."""
        _run(*self._command, *words, stdin=stdin)

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(subprocess.CalledProcessError):
            _run(*self._command[:1], "-O", "exit", *self._command[1:])


def answers(port: int, path: str) -> None:
    """Wait until somebody answers 200."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2, trust_env=False).is_success:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nobody answers on {port}")


def _run(*words: str, env: Mapping[str, str] | None = None, stdin: IO[bytes] | int = subprocess.DEVNULL) -> None:
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, **(env or {})}, stdin=stdin)
