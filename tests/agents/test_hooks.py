"""Hooks, on every type that runs them; and what is special to those on an engine."""

from collections.abc import Callable, Iterator

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.agents.bench import Bench, nobeat
from tests.agents.hooking import (
    HOOKING,
    a_killed_workers_hook_is_awaited_not_run_again,
    hooked,
    hooks_run_once_around_the_change,
    printed,
    with_run,
)
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.docker import DockerHarness

FAR = (hooks_run_once_around_the_change, a_killed_workers_hook_is_awaited_not_run_again)
"""What tells whether orders and answers go over the line; the rest is the process host's own code."""
CASES = [
    *(pytest.param("process", behaviour, marks=pytest.mark.process) for behaviour in HOOKING),
    *(pytest.param("docker", behaviour, marks=pytest.mark.docker) for behaviour in HOOKING),
    *(pytest.param("ssh_process", behaviour, marks=[pytest.mark.process, pytest.mark.ssh]) for behaviour in FAR),
]


@pytest.mark.parametrize(("harness", "behaviour"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_every_executor_with_hooks(
    request: pytest.FixtureRequest, harness: str, behaviour: Callable[[Bench], None]
) -> None:
    bench = Bench(request.getfixturevalue(f"{harness}_harness"))
    try:
        behaviour(bench)
    finally:
        bench.close()


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


@pytest.mark.docker
def test_a_hook_that_was_only_created_gets_its_files_from_the_next_attempt(engine_bench: Bench) -> None:
    safe = MemorySecrets()
    spec = hooked(engine_bench, "1.0.0", safe, pre="/bin/busybox wc -c < /run/secrets/TOKEN")
    component = with_run(spec.components[0], docker={"secrets": "files"})
    spec = spec.model_copy(update={"components": (component,)})
    engine_bench.die(spec, 1, at="after_create", secrets=safe)
    engine_bench.apply(spec, 1, attempt=2, secrets=safe)


@pytest.mark.process
def test_where_there_are_no_containers_a_hook_has_no_image(process_bench: Bench) -> None:
    hook = {"name": "tell", "command": ["x"], "image": "h/x@" + digest_of({})}
    spec = process_bench.spec(
        with_run(process_bench.component(process_bench.harness.image("1.0.0")), hooks={"pre": [hook]})
    )
    with pytest.raises(Refused) as refusal:
        process_bench.harness.executor().prepare(spec, nobeat)
    assert refusal.value.code == Code.NOT_SUPPORTED_YET
