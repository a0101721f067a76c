"""Hooks, on every type that runs them; and what is special to those on an engine."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from fairlead.contracts.canonical import digest_of
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.compose import ComposeHarness, standing_in
from tests.fixtures.docker import DockerHarness
from tests.targets.bench import Bench, nobeat
from tests.targets.hooking import (
    HOOKING,
    a_killed_workers_hook_is_awaited_not_run_again,
    hooked,
    hooks_run_once_around_the_change,
    printed,
    what_is_handed_over_has_no_hooks_that_have_ended,
    with_run,
)
from tests.targets.keeping import OTHER

FAR = (hooks_run_once_around_the_change, a_killed_workers_hook_is_awaited_not_run_again)
"""What tells whether orders and answers go over the line; the rest is the process host's own code."""
LEAVING = ("docker", "compose", "ecs")
"""Where a hook leaves a thing of its own. Nomad's jobs: test_nomad_hooks.py; on hosts it leaves lines in the folder that is handed over."""
CASES = [
    *(pytest.param("process", behaviour, marks=pytest.mark.process) for behaviour in HOOKING),
    *(pytest.param("docker", behaviour, marks=pytest.mark.docker) for behaviour in HOOKING),
    *(pytest.param("compose", behaviour, marks=pytest.mark.docker) for behaviour in HOOKING),
    *(pytest.param("nomad_double", behaviour) for behaviour in HOOKING),
    *(pytest.param("nomad", behaviour, marks=pytest.mark.docker) for behaviour in HOOKING),
    *(pytest.param("ecs", behaviour, marks=pytest.mark.docker) for behaviour in HOOKING),
    *(pytest.param("winrm_double", behaviour) for behaviour in HOOKING),
    *(pytest.param(h, what_is_handed_over_has_no_hooks_that_have_ended, marks=pytest.mark.docker) for h in LEAVING),
    pytest.param("nomad_double", what_is_handed_over_has_no_hooks_that_have_ended),
    pytest.param("nomad", what_is_handed_over_has_no_hooks_that_have_ended, marks=pytest.mark.docker),
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


@pytest.fixture
def stack_bench(compose_harness: ComposeHarness) -> Iterator[Bench]:
    bench = Bench(compose_harness)
    yield bench
    bench.close()


@pytest.mark.docker
def test_a_hook_of_a_stack_has_its_services_files_and_goes_with_the_target(
    stack_bench: Bench, compose_harness: ComposeHarness
) -> None:
    safe = MemorySecrets()
    web = {"network_mode": "bridge", "volumes": ["data:/data"], "secrets": [{"source": "token", "target": "/run/own"}]}
    content = {"services": {"web": web}, "volumes": {"data": {}}, "secrets": {"token": {"environment": "TOKEN"}}}
    count = "/bin/busybox wc -c < /run/own; echo it has run > /data/mark"
    spec = hooked(stack_bench, "1.0.0", safe, pre=count, post="read said < /data/mark; echo $said")
    spec = spec.model_copy(update={"components": (standing_in(spec.components[0], yaml.safe_dump(content)),)})
    executor = compose_harness.executor(secrets=safe)
    sent = executor.apply(spec, Claim(1, 1), nobeat)
    assert [file.content for file in sent[1:]] == [str(len(OTHER.encode())), "it has run"]
    executor.retire(spec, Claim(2, 1), nobeat)
    assert compose_harness.containers(stack_bench.address) == []


@pytest.mark.docker
def test_a_hook_that_fails_before_a_stack_is_changed_changes_nothing_where_there_is_nothing_to_go_back_to(
    stack_bench: Bench, compose_harness: ComposeHarness
) -> None:
    stack_bench.apply(stack_bench.of("1.0.0"), 1)
    for volume in compose_harness.volumes(stack_bench.address, "lock"):
        volume.remove()
    with pytest.raises(Refused):
        stack_bench.apply(hooked(stack_bench, "2.0.0", pre="exit 1"), 2)
    assert stack_bench.runs(stack_bench.of("1.0.0"))


@pytest.mark.docker
def test_a_pruned_hook_of_a_stack_that_is_half_changed_brings_the_old_one_back(
    stack_bench: Bench, compose_harness: ComposeHarness
) -> None:
    stack_bench.apply(stack_bench.of("1.0.0"), 1)
    spec = hooked(stack_bench, "2.0.0", pre="true")
    stack_bench.die(spec, 2, at="after_stop_old")
    for container in compose_harness.containers(stack_bench.address):
        if container.labels.get("fairlead.kind") == "hook":
            container.remove()
    with pytest.raises(Refused) as refusal:
        stack_bench.apply(spec, 2, attempt=2)
    assert refusal.value.code == Code.HOOK_FAILED
    assert stack_bench.runs(stack_bench.of("1.0.0"))
