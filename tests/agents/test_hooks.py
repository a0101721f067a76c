"""Hooks, on every type that runs them; and what is special to those on an engine."""

from collections.abc import Callable, Iterator

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.agents.bench import Bench, nobeat
from tests.agents.hooking import HOOKING, hooked, printed, with_run
from tests.fixtures.docker import DockerHarness


@pytest.fixture(
    params=[
        pytest.param("process", marks=pytest.mark.process),
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("ssh_process", marks=[pytest.mark.process, pytest.mark.ssh]),
    ]
)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.getfixturevalue(f"{request.param}_harness"))
    yield bench
    bench.close()


@pytest.mark.parametrize("behaviour", HOOKING, ids=lambda behaviour: behaviour.__name__)
def test_every_executor_with_hooks(bench: Bench, behaviour: Callable[[Bench], None]) -> None:
    behaviour(bench)


@pytest.fixture
def engine_bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


@pytest.mark.docker
def test_a_hook_may_have_an_image_of_its_own(engine_bench: Bench) -> None:
    image = engine_bench.harness.image("of-a-hook")
    command = ["/bin/busybox", "cat", "/VERSION"]
    hook = {"name": "tell", "command": command, "image": f"{image.repository}@{image.digest}"}
    component = with_run(engine_bench.component(engine_bench.harness.image("1.0.0")), hooks={"pre": [hook]})
    assert printed(engine_bench, engine_bench.spec(component), Claim(1, 1)) == [("web.pre.tell.hook.log", "of-a-hook")]


@pytest.mark.docker
def test_a_pruned_hook_is_not_run_again(engine_bench: Bench, docker_harness: DockerHarness) -> None:
    spec = hooked(engine_bench, "1.0.0", pre="true")
    engine_bench.apply(spec, 1)
    for container in docker_harness.containers(engine_bench.address):
        if container.labels.get("fairlead.kind") == "hook":
            container.remove()
    with pytest.raises(Refused) as refusal:
        engine_bench.apply(spec, 1, attempt=2)
    assert refusal.value.code == Code.HOOK_FAILED


@pytest.mark.process
def test_where_there_are_no_containers_a_hook_has_no_image(process_bench: Bench) -> None:
    hook = {"name": "tell", "command": ["x"], "image": "h/x@" + digest_of({})}
    spec = process_bench.spec(
        with_run(process_bench.component(process_bench.harness.image("1.0.0")), hooks={"pre": [hook]})
    )
    with pytest.raises(Refused) as refusal:
        process_bench.harness.executor().prepare(spec, nobeat)
    assert refusal.value.code == Code.NOT_SUPPORTED_YET
