"""examples/every-target on what the tests have: its placeholders filled in, its images made, and each target asked itself."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from agents.nomad_job.marks import job_id
from fairlead.commands import catalogue, plans
from fairlead.contracts.target import TargetAddress
from fairlead.domain.catalogue import Catalogue
from tests import borrowed
from tests.fixtures.compose import ComposeHarness
from tests.fixtures.docker import DockerHarness
from tests.fixtures.ecs import CLUSTER, EcsHarness
from tests.fixtures.nomad import NomadDoubleHarness, NomadHarness
from tests.fixtures.process import ProcessHarness, applications_of
from tests.fixtures.ssh import SshProcessHarness
from tests.fixtures.winrm import PASSWORD, USER, WinrmHarness
from tests.targets.harness import Harness, Tally
from workers import packages
from workers.demo import images

EXAMPLE = Path(__file__).parent.parent.parent / "examples/every-target"
PORTS = range(8081, 8088)
ENVIRONMENT = "prod"
_SERVE = b"""\
trap 'kill $!; exit 0' TERM
./bin/busybox httpd -f -p "${PORT:-8080}" -h www &
wait $!
"""


@dataclass(frozen=True)
class Harnesses:
    """One for each type of target."""

    process_host: ProcessHarness
    docker_host: DockerHarness
    compose_host: ComposeHarness
    ssh_host: SshProcessHarness
    nomad_job: NomadDoubleHarness | NomadHarness
    ecs_service: EcsHarness
    winrm_host: WinrmHarness

    def of(self, type: str) -> Harness:
        found: Harness = getattr(self, type)
        return found


def read(folder: Path = EXAMPLE) -> Catalogue:
    """The example as it is, or its copy."""
    files = {name: (folder / name).read_text() for name in ("compose.yml", "web.nomad.hcl")}
    return catalogue.parse((folder / "fairlead.yaml").read_bytes(), files=files)


def fill_in(folder: Path, at: Harnesses, port: Callable[[], int]) -> None:
    """A copy of the example whose every placeholder, which must stand somewhere in it, is one of ours."""
    folder.mkdir(mode=0o700)
    for name, content in (
        ("deploy_key", (at.ssh_host.sshd.folder / "key").read_text()),
        ("known_hosts", at.ssh_host.sshd.known),
        ("winrm_password", PASSWORD),
    ):
        (folder / name).touch(0o600)
        (folder / name).write_text(content)
    ours = {
        **{target.endpoint: at.of(target.type).endpoint(name) for name, target in read().targets.items()},
        **{str(placeholder): str(port()) for placeholder in PORTS},
        "registry.example/everywhere/web": at.docker_host.repository,
        "cluster: everywhere": f"cluster: {CLUSTER}",
        "/srv/fairlead": str(at.ssh_host.hosts / "host"),
        "/etc/fairlead": str(folder),
        "'EXAMPLE\\deploy'": f"'{USER}'",
    }
    texts = {path.name: path.read_text() for path in EXAMPLE.iterdir()}
    for placeholder, real in ours.items():
        assert any(placeholder in text for text in texts.values()), placeholder
        texts = {name: text.replace(placeholder, real) for name, text in texts.items()}
    for name, text in texts.items():
        (folder / name).write_text(text)


def publish(harness: DockerHarness, version: str) -> str:
    """What CI pushes: an index with an image for Linux, container and tree of files in one, and one for Windows. Its digest."""
    busybox = packages.program("busybox")
    assert busybox is not None
    said = f"web {version}".encode()
    linux = {"bin/busybox": busybox.read_bytes(), "serve": _SERVE, "www/healthz": said}
    made = {
        ("linux", images.ARCHITECTURE): images.build(linux, ["/bin/busybox", "sh", "serve"]),
        ("windows", "amd64"): images.build({"web.exe": said}, ["web.exe"]),
    }
    entries = []
    for (system, architecture), image in made.items():
        harness.push(image, f"every-{version}-{system}")
        platform = {"os": system, "architecture": architecture}
        entry = {"mediaType": images.MANIFEST, "digest": image.digest, "size": len(image.manifest)}
        entries.append({**entry, "platform": platform})
    index = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": entries}
    return harness.put_manifest(json.dumps(index).encode(), f"every-{version}", images.INDEX)


class Everywhere:
    """The example's targets. What each runs is a list of digests: of everything that runs there, by its own word."""

    def __init__(self, folder: Path, at: Harnesses) -> None:
        self.folder, self.at = folder, at
        self.catalogue = read(folder)
        self.addresses = {a.target: a for a in plans.addresses(self.catalogue, ENVIRONMENT)}

    def run(self) -> dict[str, list[str]]:
        return {name: getattr(self, f"_{a.type}")(a) for name, a in self.addresses.items()}

    def tallies(self) -> dict[str, Tally]:
        return {name: self.at.of(a.type).tally(a) for name, a in self.addresses.items()}

    def clear(self) -> None:
        for address in self.addresses.values():
            self.at.of(address.type).clear(address)

    def _process_host(self, address: TargetAddress) -> list[str]:
        """By the journal: what was started, and whose process is still there."""
        harness: ProcessHarness = getattr(self.at, address.type)
        alive = [str(process) for process in applications_of(harness.folder(address))]
        started = [line for line in harness.journal(address) if line["event"] == "started"]
        return [line["digest"] for line in started if line["process"] in alive]

    _ssh_host = _process_host

    def _docker_host(self, address: TargetAddress) -> list[str]:
        """docker inspect."""
        found = self.at.docker_host.containers(address)
        return [_digest(one) for container in found for one in container.image.attrs["RepoDigests"]]

    def _compose_host(self, address: TargetAddress) -> list[str]:
        """docker compose ps."""
        project = f"{address.project}-{address.environment}-{address.target}"
        command = [str(borrowed.compose()), "--project-name", project, "ps", "--all", "--format", "json"]
        said = subprocess.run(command, env={"DOCKER_HOST": address.endpoint}, capture_output=True, check=True).stdout
        return [_digest(container["Image"]) for container in map(json.loads, said.splitlines())]

    def _ecs_service(self, address: TargetAddress) -> list[str]:
        """DescribeTasks."""
        harness = self.at.ecs_service
        tasks = harness.ecs.describe_tasks(cluster=CLUSTER, tasks=harness.tasks(address))["tasks"]
        return [container["imageDigest"] for task in tasks for container in task["containers"]]

    def _nomad_job(self, address: TargetAddress) -> list[str]:
        """The job that each running allocation was placed with."""
        call = self.at.nomad_job.call
        running = [a for a in call("GET", f"job/{job_id(address)}/allocations") if a["ClientStatus"] == "running"]
        jobs = [call("GET", f"allocation/{a['ID']}")["Job"] for a in running]
        return [_digest(job["TaskGroups"][0]["Tasks"][0]["Config"]["image"]) for job in jobs]

    def _winrm_host(self, address: TargetAddress) -> list[str]:
        """Get-Service: the folder of the program that each runs."""
        name = f"fairlead.{address.project}-{address.environment}-{address.target}."
        services = [s for s in self.at.winrm_host.double.windows.services.values() if s.name.startswith(name)]
        return ["sha256:" + s.path.partition("releases\\")[2].partition("\\")[0] for s in services if s.pid]

    def answers(self) -> dict[str, str]:
        """What the application says, where one is run and not played."""
        played = {"winrm-1", *(["nomad-1"] if isinstance(self.at.nomad_job, NomadDoubleHarness) else [])}
        ports = {name: target.config.ports.get("web") for name, target in self.catalogue.targets.items()}
        asked = {name: said[0].partition(":")[0] for name, said in ports.items() if said and name not in played}
        return {
            name: httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).text for name, port in asked.items()
        }


def _digest(reference: str) -> str:
    return reference.partition("@")[2]
