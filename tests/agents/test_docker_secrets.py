"""How secrets come into containers: as variables, which the engine shows to who may use it, or as files, which it does not."""

from collections.abc import Iterator

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.target import TargetSpec
from fairlead.domain.fence import Claim
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.docker import DockerHarness
from tests.targets.bench import Bench, nobeat, with_config, with_secrets
from tests.targets.keeping import REFERENCE, VALUE

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


def with_files(bench: Bench, safe: MemorySecrets) -> TargetSpec:
    """A component that wants its secret as a file."""
    component = with_secrets(bench.component(bench.harness.image("1.0.0")), TOKEN=safe.put(REFERENCE, VALUE))
    component = with_config(component, run={"docker": {"secrets": "files"}})
    return bench.spec(component.model_copy(update={"config_digest": digest_of(component.config)}))


def read(harness: DockerHarness, bench: Bench, path: str) -> bytes:
    return harness.running(bench.address, "web").exec_run(["/bin/busybox", "cat", path]).output


def test_the_engine_shows_no_secret_that_is_a_file(bench: Bench, docker_harness: DockerHarness):
    safe = MemorySecrets()
    spec = with_files(bench, safe)
    sent = docker_harness.executor(None, safe).apply(spec, Claim(1, 1), nobeat)
    assert read(docker_harness, bench, "/run/secrets/TOKEN").decode() == VALUE
    assert docker_harness.given(bench.address, "web", "TOKEN_FILE") == "/run/secrets/TOKEN"
    shown = str(docker_harness.running(bench.address, "web").attrs) + str(sent)
    assert "örd $HOME" not in shown
    assert REFERENCE in shown


def test_a_container_that_was_only_created_gets_its_files_from_the_next_attempt(
    bench: Bench, docker_harness: DockerHarness
):
    safe = MemorySecrets()
    spec = with_files(bench, safe)
    bench.die(spec, 1, at="after_create", secrets=safe)
    bench.apply(spec, 1, attempt=2, secrets=safe)
    assert read(docker_harness, bench, "/run/secrets/TOKEN").decode() == VALUE
    docker_harness.running(bench.address, "web").restart(timeout=1)
    assert read(docker_harness, bench, "/run/secrets/TOKEN").decode() == VALUE
