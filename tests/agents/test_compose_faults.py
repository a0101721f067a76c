"""What can go wrong on a Compose host, each with a code of its own, and what is left afterwards."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from agents.compose_host.host import ComposeHost
from agents.compose_host.plugin import Compose, Ended, Project, Watch
from agents.docker_host.engine import Engine
from agents.docker_host.ground import Ground
from fairlead.contracts.canonical import digest_bytes
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from fairlead.ports import NoFailPoints
from tests.agents.test_compose_host import USUAL, stack
from tests.fixtures.compose import ComposeHarness
from tests.fixtures.docker import build
from tests.targets.bench import Bench, nobeat, with_config
from tests.targets.harness import Image, listener
from workers.demo import images

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(compose_harness: ComposeHarness) -> Iterator[Bench]:
    bench = Bench(compose_harness)
    yield bench
    bench.close()


@pytest.fixture
def harness(compose_harness: ComposeHarness) -> ComposeHarness:
    return compose_harness


def test_an_image_that_nobody_has_is_told_before_any_change(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    nowhere = f"{image.repository}@{digest_bytes(b'nothing')}"
    with pytest.raises(Unavailable) as error:
        bench.harness.executor().prepare(stack(bench, "1.0.0", {"aid": {**USUAL, "image": nowhere}}), nobeat)
    assert error.value.code == Code.REGISTRY_UNAVAILABLE
    missing = bench.component(Image(image.repository, digest_bytes(b"nothing")))
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(bench.spec(missing), nobeat)
    assert refusal.value.code == Code.DIGEST_NOT_FOUND


def test_an_image_for_another_machine_brings_the_old_one_back(bench: Bench, harness: ComposeHarness) -> None:
    """It is pulled, for its manifest names no platform, and cannot be executed."""
    bench.apply(old := bench.of("1.0.0"), 1)
    alien = images.build({"serve": b"\x7fELF\x02\x01\x01" + b"\0" * 57}, ["/serve"])
    component = bench.component(harness.push(alien, "alien"))
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(component), 2)
    assert refusal.value.code == Code.START_FAILED
    assert bench.runs(old)


def test_a_port_that_is_taken_meanwhile_is_told_for_what_it_is(bench: Bench, harness: ComposeHarness) -> None:
    bench.apply(old := bench.of("1.0.0"), 1)
    image = harness.image("2.0.0")
    harness.executor().prepare(bench.spec(bench.component(image)), nobeat)
    theirs: list[Any] = []

    class Late(Compose):
        def up(self, project: Project, watch: Watch, limit: float) -> Ended:
            if not theirs:
                theirs.append(contextlib.ExitStack())
                theirs[0].enter_context(listener(bench.port))
            else:
                theirs[0].close()
            return super().up(project, watch, limit)

    host = ComposeHost(harness.store, Late(harness.compose._program), NoFailPoints())
    with pytest.raises(Refused) as refusal:
        host.apply(bench.spec(bench.component(image)), Claim(2, 1), nobeat)
    assert refusal.value.code == Code.PORT_TAKEN
    assert bench.runs(old)


def test_a_command_that_is_not_there_brings_the_old_one_back(bench: Bench, harness: ComposeHarness) -> None:
    bench.apply(old := bench.of("1.0.0"), 1)
    component = with_config(bench.component(harness.image("2.0.0")), command=("/no/such/program",))
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(component), 2)
    assert refusal.value.code == Code.START_FAILED
    assert bench.runs(old)


def test_without_the_plugin_nothing_is_changed(bench: Bench, harness: ComposeHarness, tmp_path: Path) -> None:
    bench.apply(old := bench.of("1.0.0"), 1)
    with pytest.raises(Unavailable) as error:
        ComposeHost(harness.store, Compose(tmp_path / "nowhere")).prepare(bench.of("2.0.0"), nobeat)
    assert error.value.code == Code.COMPOSE_UNAVAILABLE
    assert bench.runs(old)


@pytest.mark.parametrize("size", [2_000_000, pytest.param(50_000_000, marks=pytest.mark.soak)])
def test_a_large_log_is_told_by_its_end(bench: Bench, harness: ComposeHarness, size: int) -> None:
    talk = f"/bin/busybox yes a-lot-of-words | /bin/busybox head -c {size}; echo; echo the end"
    talks = with_config(
        bench.component(harness.image("1.0.0")), command=("/bin/busybox", "sh", "-c", f"{talk}; exit 4")
    )
    told: list[str] = []

    def listen() -> None:
        if "web" in bench.see() and not told:
            told.append(harness.executor().logs(bench.address, "web", 100_000))

    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(talks, deadline=900.0), 1, beat=listen)
    assert refusal.value.code == Code.START_FAILED
    assert refusal.value.fields["log"].endswith("the end")
    assert len(refusal.value.detail) < 10_000
    assert all(len(text.encode()) <= 64 * 1024 for text in told)


@pytest.mark.parametrize(
    ("higher", "left"), [(Claim(2, 1), 0), (Claim(1, 2), 1)], ids=["another number", "a later attempt"]
)
def test_what_is_made_while_the_fence_is_lost_is_unmade_or_handed_on(
    bench: Bench, harness: ComposeHarness, higher: Claim, left: int
) -> None:
    spec = bench.of("1.0.0")
    harness.executor().prepare(spec, nobeat)
    host = ComposeHost(harness.store, Overtaken(harness.compose._program, spec, higher))
    with pytest.raises(FenceLost):
        host.apply(spec, Claim(1, 1), nobeat)
    assert len(harness.containers(bench.address)) == left


class Overtaken(Compose):
    """A higher claim is laid just before containers are made."""

    def __init__(self, program: Path | None, spec: TargetSpec, higher: Claim) -> None:
        super().__init__(program)
        self._spec, self._higher = spec, higher

    def create(self, project: Project, watch: Watch) -> Ended:
        api = docker.APIClient(base_url=self._spec.endpoint, version="auto")
        with contextlib.closing(api):
            Ground(Engine(api), self._spec).stake(self._higher, "another-deployment")
            return super().create(project, nobeat)


def test_what_cannot_be_put_back_is_told(bench: Bench, harness: ComposeHarness) -> None:
    """The kept lock is all there is to go back to, and its image is gone."""
    bench.apply(bench.of("1.0.0"), 1)
    only = harness.push(build("only-once"), "only-once")
    bench.apply(bench.spec(bench.component(only), release="1.5.0"), 2)
    crashing = bench.of("2.0.0", {"CRASH": "1"})

    class Forgetful(Compose):
        def create(self, project: Project, watch: Watch) -> Ended:
            if "only" not in self.__dict__:
                self.__dict__["only"] = True
                harness.api.images.remove(f"{only.repository}@{only.digest}", force=True)
            return super().create(project, watch)

    with pytest.raises(Refused) as refusal:
        ComposeHost(harness.store, Forgetful(harness.compose._program)).apply(crashing, Claim(3, 1), nobeat)
    assert "could not be put back" in refusal.value.detail
    assert refusal.value.code == Code.START_FAILED
