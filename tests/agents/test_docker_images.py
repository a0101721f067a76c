"""Where a Docker host's images come from: what is pulled is what the digest says, and what is there needs no registry."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agents.docker_host.engine import Engine
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from tests.fixtures.docker import DockerHarness, build
from tests.targets.bench import Bench, nobeat, with_config
from tests.targets.harness import Image, Tally

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


@contextmanager
def stopped(harness: DockerHarness) -> Iterator[None]:
    """While the registry is down."""
    harness.registry.stop()
    try:
        yield
    finally:
        harness.registry.start()


def test_of_old_releases_only_what_is_used_is_kept(bench: Bench, docker_harness: DockerHarness):
    def there(image: Image) -> bool:
        return any(image.digest in str(i.attrs["RepoDigests"]) for i in docker_harness.api.images.list())

    images = [docker_harness.image(f"pruned-{n}") for n in range(3)]
    for number, image in enumerate(images, 1):
        component = with_config(bench.component(image), ports=(), options={"keep": 1})
        bench.apply(bench.spec(component, release=f"{number}.0.0"), number)
        if number == 1:
            theirs = docker_harness.api.containers.create(
                f"{image.repository}@{image.digest}", name=f"theirs-{bench.target}"
            )
    assert [there(image) for image in images] == [True, False, True]
    assert len(docker_harness.volumes(bench.address, "images")) == 1
    theirs.remove()


def test_a_registry_that_is_down_fails_prepare(bench: Bench, docker_harness: DockerHarness):
    spec = bench.of("never-pulled")
    with stopped(docker_harness), pytest.raises(Unavailable) as error:
        docker_harness.executor().prepare(spec, nobeat)
    assert error.value.code == Code.REGISTRY_UNAVAILABLE
    assert bench.tally() == Tally(0, 0)


def test_a_pull_that_fails_with_room_enough_is_told_as_it_failed(
    bench: Bench, docker_harness: DockerHarness, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise failure

    failure = Unavailable(Code.REGISTRY_UNAVAILABLE, "the engine reaches no registry")
    monkeypatch.setattr(Engine, "pull", fail)
    with pytest.raises(Unavailable) as error:
        docker_harness.executor().prepare(bench.of("never-pulled-either"), nobeat)
    assert error.value is failure
    assert failure.__cause__ is None  # whoever tells causes, as Temporal does, would never end


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_altered_content_is_refused_and_nothing_of_it_is_kept(bench: Bench, docker_harness: DockerHarness, part: str):
    built = build(f"altered-{part}")
    image = docker_harness.push(built, f"altered-{part}")
    manifest = json.loads(built.manifest)
    names = {"manifest": built.digest, "config": manifest["config"]["digest"], "layer": manifest["layers"][0]["digest"]}
    docker_harness.alter(names[part])
    with pytest.raises(Refused) as refusal:
        docker_harness.executor().prepare(bench.spec(bench.component(image)), nobeat)
    assert refusal.value.code == Code.DIGEST_MISMATCH
    assert not any(image.digest in str(i.attrs["RepoDigests"]) for i in docker_harness.api.images.list(all=True))


def test_the_platform_that_counts_is_the_engines_not_ours(
    bench: Bench, docker_harness: DockerHarness, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Engine, "platform", lambda engine: "linux/s390x")
    spec = bench.spec(bench.component(docker_harness.index("never-pulled")))
    with pytest.raises(Refused) as refusal:
        docker_harness.executor().prepare(spec, nobeat)
    assert refusal.value.code == Code.PLATFORM_MISSING


def test_an_image_layout_is_refused(bench: Bench, docker_harness: DockerHarness):
    component = with_config(bench.component(docker_harness.image("1.0.0")), repository="oci-layout:shop/web")
    spec = bench.spec(component)
    with pytest.raises(Refused) as refusal:
        docker_harness.executor().prepare(spec, nobeat)
    assert refusal.value.code == Code.NOT_SUPPORTED_YET
