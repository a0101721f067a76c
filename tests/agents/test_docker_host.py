"""What is special to Docker hosts: names, labels, claims as volumes, registries, health without a check of ours."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.errors import StreamParseError
from urllib3.exceptions import ProtocolError

from agents.docker_host.engine import Engine
from agents.docker_host.engine_errors import mapped
from agents.docker_host.patience import patiently
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.fixtures.docker import DockerHarness, build
from tests.targets.bench import Bench, eventually, nobeat, with_config
from tests.targets.harness import Image, free_port
from workers.local_engine import LocalEngine

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


def unchecked(bench: Bench, image: Image, env: dict[str, str] | None = None) -> TargetSpec:
    """A specification whose component has no health check."""
    return bench.spec(with_config(bench.component(image, env), health=None), deadline=20.0)


def test_containers_are_named_and_labelled_as_published(bench: Bench, docker_harness: DockerHarness):
    spec = bench.of("1.0.0")
    bench.apply(spec, 7, attempt=3)
    [container] = docker_harness.containers(bench.address)
    ours = {name.removeprefix("fairlead."): value for name, value in container.labels.items()}
    assert container.name == f"suite-test-{bench.target}-web"
    assert json.loads(ours.pop("health"))["port"] == 8080
    assert ours == {
        "project": "suite",
        "environment": "test",
        "target": bench.target,
        "component": "web",
        "release": "1.0.0",
        "digest": spec.components[0].digest,
        "config": spec.components[0].config_digest,
        "fence": "7.3",
        "deployment": spec.deployment,
        "decision": spec.decision,
    }


def test_the_engine_restarts_what_crashes_and_knows_it_by_digest(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 1)
    [container] = docker_harness.containers(bench.address)
    assert container.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert container.attrs["Config"]["Image"] == f"{docker_harness.repository}@{bench.see()['web'].digest}"


def test_the_images_own_check_counts_where_the_catalogue_has_none(bench: Bench, docker_harness: DockerHarness):
    settings = {
        "Healthcheck": {
            "Test": ["CMD", "/bin/busybox", "wget", "-q", "-O-", "http://127.0.0.1:8080/VERSION", "-T", "1"],
            "Interval": 200_000_000,
            "Retries": 2,
        }
    }
    sick = docker_harness.push(build("checked", settings), "checked")
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(with_config(bench.component(sick), health=None), deadline=2.0), 1)
    assert refusal.value.code == Code.UNHEALTHY
    assert "own check" in refusal.value.detail


def shift(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Our clock goes wrong; the engine's does not."""
    really = time.time
    monkeypatch.setattr(time, "time", lambda: really() + seconds)


def test_without_any_check_running_for_a_second_will_do_whatever_our_clock_says(
    bench: Bench, docker_harness: DockerHarness, monkeypatch: pytest.MonkeyPatch
):
    shift(monkeypatch, -600)
    bench.apply(unchecked(bench, docker_harness.image("1.0.0")), 1)
    assert bench.see()["web"].health == Health.HEALTHY


def test_without_any_check_a_crash_is_still_seen_whatever_our_clock_says(
    bench: Bench, docker_harness: DockerHarness, monkeypatch: pytest.MonkeyPatch
):
    shift(monkeypatch, 600)
    with pytest.raises(Refused) as refusal:
        bench.apply(unchecked(bench, docker_harness.image("1.0.0"), {"CRASH": "1"}), 1)
    assert refusal.value.code == Code.START_FAILED


def test_a_bare_connect_is_not_fooled_by_the_engines_proxy(bench: Bench, docker_harness: DockerHarness):
    check = RenderedHealth(port=8080, interval=0.1, timeout=1.0, retries=2)
    component = with_config(bench.component(docker_harness.image("1.0.0"), {"SLOW": "60"}), health=check)
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(component, deadline=1.0), 1)
    assert refusal.value.code == Code.UNHEALTHY


def test_a_command_that_is_not_there_brings_the_old_one_back(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 1)
    component = with_config(bench.component(docker_harness.image("2.0.0")), command=("/no/such/program",))
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(component), 2)
    assert (refusal.value.code, refusal.value.fields["component"]) == (Code.START_FAILED, "web")
    assert refusal.value.detail.startswith("web: the Docker engine says")
    assert bench.runs(bench.of("1.0.0"))


def test_the_refusal_says_what_runs_again(bench: Bench):
    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}), 2)
    assert refusal.value.fields["restored"] == ["web 1.0.0 runs again"]
    assert refusal.value.fields["log"].splitlines()[-1] == "told to crash"


def test_one_that_cannot_come_back_does_not_keep_the_others_from_it(
    bench: Bench, docker_harness: DockerHarness, monkeypatch: pytest.MonkeyPatch
):
    port = free_port()

    def both(version: str, *command: str) -> TargetSpec:
        image = docker_harness.image(version)
        other = bench.component(image, name="other", port=port)
        return bench.spec(bench.component(image), with_config(other, command=command), release=version)

    bench.apply(both("1.0.0"), 1)
    old = {c.id for c in docker_harness.containers(bench.address)}
    start = Engine.start

    def refuse_web(engine: Engine, id: str) -> None:
        if id in old and engine.inspect(id).component == "web":
            raise Refused(Code.START_FAILED, "its device is gone")
        start(engine, id)

    monkeypatch.setattr(Engine, "start", refuse_web)
    with pytest.raises(Refused) as refusal:
        bench.apply(both("2.0.0", "/no/such/program"), 2)
    assert "/no/such/program" in refusal.value.detail
    assert refusal.value.fields["restored"] == [
        "web could not be put back: its device is gone",
        "other 1.0.0 runs again",
    ]


def test_a_record_of_another_target_with_our_name_is_not_taken_for_ours(bench: Bench, docker_harness: DockerHarness):
    theirs = docker_harness.api.volumes.create(
        f"suite-test-{bench.target}-claim-1.1", labels={"fairlead.kind": "claim"}
    )
    try:
        with pytest.raises(Conflict) as refusal:
            bench.apply(bench.of("1.0.0"), 1)
        assert refusal.value.code == Code.FOREIGN_WORKLOAD
    finally:
        theirs.remove()


def test_the_workers_own_proxies_are_no_business_of_containers(
    bench: Bench, docker_harness: DockerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "config.json").write_text(json.dumps({"proxies": {"default": {"httpProxy": "http://worker.invalid"}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    bench.apply(bench.of("1.0.0"), 1)
    assert docker_harness.given(bench.address, "web", "HTTP_PROXY") is None


@pytest.mark.parametrize(
    "error", [ProtocolError("cut"), StreamParseError(ValueError("half a line")), OSError("reset"), EOFError()], ids=repr
)
def test_whatever_the_library_lets_through_is_an_engine_that_does_not_answer(error: Exception):
    with pytest.raises(Unavailable) as gone, mapped():
        raise error
    assert gone.value.code == Code.TARGET_UNREACHABLE


def test_a_port_that_another_container_publishes_is_taken(bench: Bench, docker_harness: DockerHarness):
    image = docker_harness.image("1.0.0")
    docker_harness.executor().prepare(bench.of("1.0.0"), nobeat)
    theirs = docker_harness.api.containers.run(
        f"{image.repository}@{image.digest}", detach=True, ports={"8080/tcp": bench.port}, name=f"theirs-{bench.target}"
    )
    try:
        with pytest.raises(Refused) as refusal:
            docker_harness.executor().prepare(bench.of("1.0.0"), nobeat)
        assert refusal.value.code == Code.PORT_TAKEN
        assert f"theirs-{bench.target}" in refusal.value.detail
    finally:
        theirs.remove(force=True)


def test_an_old_one_gets_its_grace(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("2.0.0"), 2)
    deaths = [event["Actor"]["Attributes"]["exitCode"] for event in docker_harness.events(bench.address, "die")]
    assert deaths == ["0"]


def test_the_worker_beats_while_the_engine_takes_its_time():
    beats, enough = [], threading.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            enough.set()

    assert patiently(lambda: enough.wait(60), beat)


def test_a_beat_that_raises_ends_the_wait_for_the_engine():
    never = threading.Event()

    def beat() -> None:
        raise Unavailable(Code.CANCELLED, "cancelled")

    with pytest.raises(Unavailable):
        patiently(lambda: never.wait(60), beat)


def test_an_engine_without_a_bridge_runs_on_the_hosts_network(docker_harness: DockerHarness, docker_folder: Path):
    engine = LocalEngine(docker_folder / "bare", bridge=False, bound=True)
    engine.start()
    bare = DockerHarness(engine, docker_harness.registry, docker_folder)
    bench = Bench(bare)
    try:
        bench.apply(bench.of("1.0.0"), 1)
        bench.apply(bench.of("2.0.0"), 2)
        assert bench.runs(bench.of("2.0.0"))
    finally:
        bench.close()
        bare.api.close()
        engine.stop()


def test_an_application_that_dies_is_restarted_and_seen_to_be(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.of("1.0.0"), 1)
    [container] = docker_harness.containers(bench.address)
    container.exec_run(["/bin/busybox", "kill", "1"])
    assert eventually(lambda: bench.see()["web"].restarts == 1)
    assert eventually(lambda: bench.runs(bench.of("1.0.0")))


def test_the_port_of_a_retired_neighbour_is_free_again(bench: Bench, docker_harness: DockerHarness):
    neighbour = Bench(docker_harness, port=bench.port)
    neighbour.apply(neighbour.of("1.0.0"), 1)
    docker_harness.executor().retire(neighbour.of("1.0.0"), Claim(2, 1), nobeat)
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    neighbour.close()
