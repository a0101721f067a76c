"""What a component says of its container, seen in the engine's own words; and how its containers follow each other."""

from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.docker import DockerHarness
from tests.targets.bench import Bench, nobeat, with_config, with_secrets
from tests.targets.harness import Tally
from tests.targets.keeping import OTHER, REFERENCE

pytestmark = pytest.mark.docker


@pytest.fixture
def bench(docker_harness: DockerHarness) -> Iterator[Bench]:
    bench = Bench(docker_harness)
    yield bench
    bench.close()


def dressed(component: ComponentSpec, block: dict[str, Any], **changes: Any) -> ComponentSpec:
    """The component with a `docker` block."""
    component = with_config(component, run={"docker": block}, **changes)
    return component.model_copy(update={"config_digest": digest_of(component.config)})


def portless(bench: Bench, version: str, env: dict[str, str] | None = None, **block: Any) -> ComponentSpec:
    """The usual component without a host port."""
    return dressed(bench.component(bench.harness.image(version), env), block, ports=())


def once(bench: Bench, words: str, name: str = "migrate", **block: Any) -> ComponentSpec:
    """A component that runs a line of shell, once."""
    component = bench.component(bench.harness.image("1.0.0"), name=name)
    command = ("/bin/busybox", "sh", "-c", words)
    return dressed(component, {"role": "migration", **block}, command=command, ports=(), health=None)


def test_the_engine_is_told_all_of_it(bench: Bench, docker_harness: DockerHarness):
    block = {
        "user": "65534:65534", "cpus": "0.5", "memory": "64m", "pids": 50, "read_only": True, "no_new_privileges": True, "restart": "on-failure:3",
        "cap_add": ["NET_RAW"], "cap_drop": ["ALL"], "extra_hosts": {"db.internal": "10.0.0.7"}, "ulimits": {"nofile": "512:1024"},
        "networks": {"backend": "own", "frontend": "own"}, "volumes": ["/etc/hostname:/host:ro", "data:/data"], "tmpfs": ["/tmp"],
        "log": {"driver": "json-file", "options": {"max-size": "1m"}},
    }  # fmt: skip
    component = dressed(bench.component(docker_harness.image("1.0.0")), block, options={"allow": ["host_paths"]})
    bench.apply(bench.spec(component, deadline=30.0), 1)
    said = docker_harness.running(bench.address, "web").attrs
    host, stem = said["HostConfig"], f"suite-test-{bench.target}"
    assert said["Config"]["User"] == "65534:65534"
    assert (host["NanoCpus"], host["Memory"], host["PidsLimit"]) == (500_000_000, 64 * 1024**2, 50)
    assert (host["ReadonlyRootfs"], host["SecurityOpt"], host["Tmpfs"]) == (True, ["no-new-privileges"], {"/tmp": ""})
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert (host["CapAdd"], host["CapDrop"], host["ExtraHosts"]) == (["NET_RAW"], ["ALL"], ["db.internal:10.0.0.7"])
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 512, "Hard": 1024}]
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
    assert {(m["Type"], m.get("Name"), m["Destination"], m["RW"]) for m in said["Mounts"]} == {
        ("bind", None, "/host", False),
        ("volume", f"{stem}-data", "/data", True),
    }
    assert {name: "web" in net["Aliases"] for name, net in said["NetworkSettings"]["Networks"].items()} == {
        f"{stem}-backend": True,
        f"{stem}-frontend": True,
    }
    docker_harness.executor().retire(bench.spec(component), Claim(2, 1), nobeat)
    assert docker_harness.api.networks.list(names=[stem]) == []
    assert [volume.name for volume in docker_harness.volumes(bench.address, "data")] == [f"{stem}-data"]


def test_rights_on_the_host_that_came_with_a_late_layer_are_refused(bench: Bench, docker_harness: DockerHarness):
    component = dressed(bench.component(docker_harness.image("1.0.0")), {"volumes": ["/etc:/host"]})
    for call in (lambda h, s: h.prepare(s, nobeat), lambda h, s: h.apply(s, Claim(1, 1), nobeat)):
        with pytest.raises(Refused) as refusal:
            call(docker_harness.executor(), bench.spec(component))
        assert refusal.value.code == Code.CONTAINER_UNSAFE


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ({"networks": {"nowhere": "external"}}, Code.NETWORK_MISSING),
        ({"log": {"driver": "jsonfile"}}, Code.LOG_DRIVER_MISSING),
    ],
)
def test_what_the_engine_has_not_is_refused_before_anything_is_stopped(
    bench: Bench, docker_harness: DockerHarness, block: dict[str, Any], code: Code
):
    component = dressed(bench.component(docker_harness.image("1.0.0")), block)
    with pytest.raises(Refused) as refusal:
        docker_harness.executor().prepare(bench.spec(component), nobeat)
    assert refusal.value.code == code


# one after the other, or side by side


def order(harness: DockerHarness, bench: Bench) -> list[tuple[str, str]]:
    """Starts and ends, by release."""
    events = [*harness.events(bench.address, "start"), *harness.events(bench.address, "die")]
    events.sort(key=lambda event: event["timeNano"])
    return [(event["Action"], event["Actor"]["Attributes"]["fairlead.release"]) for event in events]


@pytest.mark.parametrize(("block", "beside"), [({}, True), ({"order": "stop_first"}, False)], ids=["free", "told"])
def test_without_a_host_port_the_new_one_is_healthy_before_the_old_one_stops(
    bench: Bench, docker_harness: DockerHarness, block: dict[str, Any], beside: bool
):
    bench.apply(bench.spec(portless(bench, "1.0.0", **block), release="1.0.0"), 1)
    bench.apply(bench.spec(portless(bench, "2.0.0", **block), release="2.0.0"), 2)
    change = [("start", "2.0.0"), ("die", "1.0.0")]
    assert order(docker_harness, bench)[1:] == (change if beside else change[::-1])
    assert bench.see()["web"].health == Health.HEALTHY


def test_an_old_one_is_not_touched_by_a_new_one_that_fails_beside_it(bench: Bench, docker_harness: DockerHarness):
    old = bench.spec(portless(bench, "1.0.0"), release="1.0.0")
    bench.apply(old, 1)
    before = bench.see()
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(portless(bench, "2.0.0", {"CRASH": "1"}), release="2.0.0"), 2)
    assert refusal.value.fields["restored"] == ["web 1.0.0 runs on"]
    assert bench.see() == before


def test_a_worker_killed_beside_the_old_one_is_taken_over(bench: Bench):
    new = bench.spec(portless(bench, "2.0.0"), release="2.0.0")
    bench.apply(bench.spec(portless(bench, "1.0.0"), release="1.0.0"), 1)
    bench.die(new, 2, at="after_stop_old")
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert bench.tally() == Tally(2, 2)


# several


def test_several_follow_each_other_and_are_seen_as_one(bench: Bench, docker_harness: DockerHarness):
    new = bench.spec(portless(bench, "2.0.0", replicas=2), release="2.0.0")
    bench.apply(bench.spec(portless(bench, "1.0.0", replicas=3), release="1.0.0"), 1)
    bench.apply(new, 2)
    assert bench.runs(new)
    stem = f"suite-test-{bench.target}-web"
    assert sorted(c.name for c in docker_harness.containers(bench.address)) == [stem, f"{stem}.2"]
    docker_harness.api.containers.get(f"{stem}.2").remove(force=True)
    seen = bench.see()["web"]
    assert (seen.health, seen.detail.split(";")[0]) == (Health.UNHEALTHY, "1 of 2 are there")
    bench.apply(bench.spec(portless(bench, "2.0.0", replicas=2), release="2.0.0", rollback=True), 3)
    assert bench.runs(new)
    assert bench.tally() == Tally(6, 6)


# beside another


def beside(bench: Bench, version: str, **changes: Any) -> TargetSpec:
    """The usual component, and one that is well when it has heard of that one's version over their common loopback."""
    words = "/bin/busybox wget -q -O /www/seen http://127.0.0.1:8080/cgi-bin/healthz && exec /bin/busybox httpd -f -p 8081 -h /www"
    check = RenderedHealth(port=8081, http="/seen", interval=0.1, timeout=1.0, retries=2)
    told = {"command": ("/bin/busybox", "sh", "-c", words), "ports": (), "health": check, **changes}
    side = bench.component(bench.harness.image(version), name="side")
    side = dressed(side, {"role": "sidecar", "beside": "web"}, **told)
    return bench.spec(bench.component(bench.harness.image(version)), side, release=version)


def test_a_sidecar_has_the_network_of_its_component_and_follows_it(bench: Bench, docker_harness: DockerHarness):
    old, new = beside(bench, "1.0.0"), beside(bench, "2.0.0")
    bench.apply(old, 1)
    assert bench.runs(old)
    with pytest.raises(Refused) as refusal:
        bench.apply(beside(bench, "2.0.0", command=("/no/such/program",)), 2)
    assert refusal.value.fields["restored"] == ["web 1.0.0 runs again", "side 1.0.0 runs again"]
    assert bench.runs(old)
    docker_harness.running(bench.address, "web").restart(timeout=1)
    assert "no network any more" in (bench.see()["side"].detail or "")
    bench.apply(old.model_copy(update={"is_rollback": True}), 3)
    assert bench.runs(old)
    bench.apply(new, 4)
    assert bench.runs(new)


# once


def web(bench: Bench, version: str = "1.0.0") -> ComponentSpec:
    return bench.component(bench.harness.image(version))


def test_what_runs_once_ends_well_before_anything_is_changed(bench: Bench, docker_harness: DockerHarness):
    bench.apply(bench.spec(web(bench), release="1.0.0"), 1)
    both = bench.spec(web(bench, "2.0.0"), once(bench, "echo done"), release="2.0.0")
    bench.apply(both, 2)
    assert bench.runs(both)
    assert order(docker_harness, bench)[1:4] == [("start", "2.0.0"), ("die", "2.0.0"), ("die", "1.0.0")]
    bench.apply(both, 2, attempt=2)
    assert bench.tally() == Tally(3, 3)


def test_what_fails_leaves_the_old_one_alone_and_says_why(bench: Bench):
    bench.apply(bench.spec(web(bench), once(bench, "true")), 1)
    before, safe = bench.see(), MemorySecrets()
    failing = with_secrets(once(bench, "echo no such table $TOKEN; exit 3"), TOKEN=safe.put(REFERENCE, OTHER))
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(web(bench, "2.0.0"), failing), 2, secrets=safe)
    assert refusal.value.code == Code.ONE_SHOT_FAILED
    assert "exit code 3" in refusal.value.detail
    assert "no such table" in refusal.value.detail
    assert OTHER not in f"{refusal.value.detail}{refusal.value.fields}"
    assert bench.see() == before


def test_what_takes_too_long_fails(bench: Bench):
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.spec(once(bench, "sleep 100", timeout="1s")), 1)
    assert refusal.value.code == Code.ONE_SHOT_FAILED
    assert bench.see() == {}


def test_a_killed_workers_migration_is_awaited_not_run_again(bench: Bench):
    spec, cancelled = bench.spec(once(bench, "sleep 2")), []

    def cancel() -> None:
        if bench.tally().started and not cancelled:
            cancelled.append(True)
            raise Unavailable(Code.CANCELLED, "killed while it waits")

    with pytest.raises(Unavailable):
        bench.apply(spec, 1, beat=cancel)
    bench.apply(spec, 1, attempt=2)
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def test_what_it_left_may_be_pruned_but_it_is_not_run_again(bench: Bench, docker_harness: DockerHarness):
    spec = bench.spec(once(bench, "true"))
    bench.apply(spec, 1)
    docker_harness.containers(bench.address)[0].remove()
    with pytest.raises(Refused) as refusal:
        bench.apply(spec, 1, attempt=2)
    assert refusal.value.code == Code.ONE_SHOT_FAILED
    bench.apply(spec, 2)
    assert [volume.name for volume in docker_harness.volumes(bench.address, "mark")] == [
        f"suite-test-{bench.target}-mark-2.migrate"
    ]


def test_a_rollback_runs_no_migrations_but_what_prepares_a_start(bench: Bench):
    parts = once(bench, "exit 1"), once(bench, "true", name="warm", role="init")
    back = bench.spec(*parts, rollback=True)
    bench.apply(back, 1)
    assert bench.runs(back)
    assert bench.tally() == Tally(2, 1)
