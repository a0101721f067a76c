"""Claims as volumes, and what a Docker host does with what killed, overtaken or foreign workers left there."""

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import pytest

from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from agents.docker_host.rollout import Rollout
from agents.secrets import Safe
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import NoFailPoints, NoSecrets
from tests.fixtures.docker import DockerHarness
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import Tally

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


def test_a_claim_is_an_empty_labelled_volume_and_only_the_highest_is_kept(bench: Bench, docker_harness: DockerHarness):
    bench.die(bench.of("1.0.0"), 1, at="after_claim")
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    bench.apply(bench.of("2.0.0"), 2)
    assert [v.name for v in docker_harness.volumes(bench.address, "claim")] == [f"suite-test-{bench.target}-claim-2.1"]


def test_a_refused_claim_leaves_no_volume(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 2)
    with pytest.raises(FenceLost):
        bench.apply(bench.of("1.0.0"), 1)
    assert len(docker_harness.volumes(bench.address, "claim")) == 1


def test_pruned_volumes_do_not_open_the_fence(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 2)
    for volume in docker_harness.volumes(bench.address, "claim"):
        volume.remove()
    with pytest.raises(FenceLost):
        bench.apply(bench.of("1.0.0"), 1)


@pytest.mark.parametrize(
    "call",
    [lambda host, spec: host.prepare(spec, nobeat), lambda host, spec: host.apply(spec, Claim(1, 1), nobeat)],
    ids=["prepare", "apply"],
)
def test_a_foreign_container_of_our_name_is_left_alone(bench: Bench, docker_harness: DockerHarness, call):
    image = docker_harness.image("1.0.0")
    reference = f"{image.repository}@{image.digest}"
    docker_harness.api.images.pull(image.repository, tag=image.digest)
    theirs = docker_harness.api.containers.run(reference, detach=True, name=f"suite-test-{bench.target}-web")
    try:
        with pytest.raises(Refused) as refusal:
            call(docker_harness.executor(), bench.of("1.0.0"))
        assert refusal.value.code == Code.FOREIGN_WORKLOAD
        theirs.reload()
        assert theirs.status == "running"
    finally:
        theirs.remove(force=True)


def test_an_old_one_put_aside_by_a_killed_worker_comes_back(bench: Bench, docker_harness: DockerHarness):
    """Killed between putting the old one aside and making the new one, where no fail point lies."""
    bench.apply(bench.of("1.0.0"), 1)
    bench.die(bench.of("2.0.0"), 2, at="after_stop_old")
    [old] = docker_harness.containers(bench.address)
    old.rename(f"{old.name}.old-2.1")
    with pytest.raises(Refused):
        bench.apply(bench.of("2.0.0", {"BROKEN": "1"}, deadline=1.0), 2, attempt=2)
    assert bench.runs(bench.of("1.0.0"))
    [container] = docker_harness.containers(bench.address)
    assert (container.id, container.name) == (old.id, f"suite-test-{bench.target}-web")


def test_a_rollback_starts_the_old_one_that_was_put_aside(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 1)
    before = bench.see()["web"].instance
    bench.die(bench.of("2.0.0"), 2, at="after_create")
    bench.apply(bench.of("1.0.0", rollback=True), 3)
    assert bench.see()["web"].instance == before
    assert bench.tally() == Tally(2, 2)


def test_an_old_one_that_does_not_get_well_again_is_all_there_is_to_go_back_to(
    bench: Bench, docker_harness: DockerHarness
):
    bench.apply(bench.of("1.0.0"), 1)
    bench.die(bench.of("2.0.0"), 2, at="after_create")
    [old] = [c for c in docker_harness.containers(bench.address) if c.labels["fairlead.release"] == "1.0.0"]
    old.put_archive("/www/cgi-bin", tar("healthz", b"#!/bin/busybox false"))
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("1.0.0", rollback=True, deadline=1.0), 3)
    assert refusal.value.fields["restored"] == []
    assert [c.id for c in docker_harness.containers(bench.address)] == [old.id]


@pytest.mark.parametrize(
    ("higher", "left"), [(Claim(2, 1), 0), (Claim(1, 2), 1)], ids=["another number", "a later attempt"]
)
def test_what_is_made_while_the_fence_is_lost_is_unmade_or_handed_on(
    bench: Bench, docker_harness: DockerHarness, higher: Claim, left: int
):
    spec = bench.of("1.0.0")
    docker_harness.executor().prepare(spec, nobeat)
    api, safe = docker.APIClient(base_url=bench.address.endpoint, version="auto"), Safe(NoSecrets(), spec)
    with contextlib.closing(api), pytest.raises(FenceLost):
        Rollout(Overtaken(api, spec, higher), spec, Claim(1, 1), nobeat, NoFailPoints(), safe).run()
    assert len(docker_harness.containers(bench.address)) == left


class Overtaken(Engine):
    """An engine on which a higher claim is laid just while a container is made."""

    def __init__(self, api: docker.APIClient, spec: TargetSpec, higher: Claim) -> None:
        super().__init__(api)
        self._spec, self._higher = spec, higher

    def create(self, name: str, body: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        made = super().create(name, body, host)
        Ground(self, self._spec).stake(self._higher, "another-deployment")
        return made


def tar(name: str, content: bytes) -> bytes:
    """An archive with one executable file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
