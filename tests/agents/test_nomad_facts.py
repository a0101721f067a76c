"""What is a fact of Nomad: on the double of it, and on the real one where there is one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from tests.fakes.secrets import MemorySecrets
from tests.targets.bench import Bench, eventually, nobeat, with_config
from tests.targets.harness import Image, free_port
from tests.targets.keeping import apply, secretive


@pytest.fixture
def bench(either_nomad: Any) -> Iterator[Bench]:
    bench = Bench(either_nomad)
    yield bench
    bench.close()


def beside(bench: Bench, version: str, env: dict[str, str] | None = None, deadline: float = 15.0) -> TargetSpec:
    """A version that begins with a canary, which takes any port: the old one has its own still."""
    component = bench.component(bench.harness.image(version), env)
    free = with_config(component, run={"nomad": {"ports": "dynamic"}}, options={"canaries": 1})
    return bench.spec(free, release=version, deadline=deadline)


def changed(spec: TargetSpec, **options: object) -> TargetSpec:
    """The same specification with options of the target."""
    return spec.model_copy(
        update={"components": tuple(with_config(component, options=options) for component in spec.components)}
    )


def job(bench: Bench) -> str:
    return f"suite-test-{bench.target}"


def test_an_image_that_is_gone_when_the_node_pulls_puts_the_old_one_back(bench: Bench):
    old = bench.of("1.0.0")
    bench.apply(old, 1)
    gone = bench.spec(bench.component(Image(bench.harness.image("1.0.0").repository, "sha256:" + "0" * 64)))
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().apply(gone, Claim(2, 1), nobeat)
    assert refusal.value.code == Code.START_FAILED
    assert "manifest unknown" in refusal.value.detail
    assert bench.runs(old)


def test_a_node_of_another_kind_is_known_beforehand(bench: Bench):
    image = bench.harness.pushed.index("1.0.0", architecture="s390x")
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(bench.spec(bench.component(image)), nobeat)
    assert refusal.value.code == Code.PLACEMENT_FAILED
    assert "attr.cpu.arch" in refusal.value.detail


def test_where_nothing_can_be_placed_our_own_deadline_ends_it(bench: Bench):
    """Nomad's does not begin: the deployment would run for ever."""
    old = bench.of("1.0.0")
    bench.apply(old, 1)
    before = bench.see()
    nowhere = changed(bench.of("2.0.0", deadline=1.0), datacenters=["nowhere"])
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().apply(nowhere, Claim(2, 1), nobeat)
    assert refusal.value.code == Code.PLACEMENT_FAILED
    assert bench.see() == before
    found = bench.harness.call("GET", f"job/{job(bench)}/deployments")
    assert [d["Status"] for d in found if d["JobVersion"] == 1] == ["failed"]


def test_secrets_go_with_the_target_though_its_job_was_purged_by_hand(bench: Bench):
    safe, path = MemorySecrets(), f"nomad/jobs/{job(bench)}"
    spec = secretive(bench, safe.put("vault://kv/x#y", "v"))
    apply(bench, spec, 1, safe)
    assert path in bench.harness.variables()
    bench.harness.call("DELETE", f"job/{job(bench)}?purge=true")
    bench.harness.executor(None, safe).retire(spec, Claim(2, 1), nobeat)
    assert path not in bench.harness.variables()


@pytest.mark.soak  # on a busy machine the double at times never calls the version healthy whose check answers 200; on a real Nomad that was not seen
def test_canaries_are_promoted_by_us_when_they_are_healthy(bench: Bench):
    bench.apply(beside(bench, "1.0.0"), 1)
    bench.apply(beside(bench, "2.0.0"), 2)
    states = [d["TaskGroups"]["main"] for d in bench.harness.call("GET", f"job/{job(bench)}/deployments")]
    assert [state["Promoted"] for state in states if state["DesiredCanaries"]] == [True]
    assert bench.see()["web"].release == "2.0.0"


def test_a_canary_that_fails_leaves_the_old_one_untouched(bench: Bench):
    bench.apply(beside(bench, "1.0.0"), 1)
    before = bench.see()["web"].instance
    with pytest.raises(Refused) as refusal:
        bench.apply(beside(bench, "2.0.0", {"BROKEN": "1"}, deadline=1.0), 2)
    assert refusal.value.code == Code.UNHEALTHY
    assert bench.see()["web"].instance == before


def test_what_we_register_never_goes_back_by_itself(bench: Bench):
    bench.apply(bench.of("1.0.0"), 1)
    update = bench.harness.versions(bench.address)[0]["TaskGroups"][0]["Update"]
    assert (update["AutoRevert"], update["AutoPromote"]) == (False, False)


def test_a_revert_by_hand_is_seen_and_does_not_lower_the_fence(bench: Bench):
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("2.0.0"), 2)
    bench.harness.call("POST", f"job/{job(bench)}/revert", {"JobID": job(bench), "JobVersion": 0})
    assert eventually(lambda: bench.see()["web"].release == "1.0.0")
    seen = bench.harness.executor().observe(bench.address)
    assert (seen.fence, seen.components[0].fence) == ("2.1", "1.1")
    assert seen.components[0].digest == bench.harness.image("1.0.0").digest


def test_who_changes_the_job_while_it_rolls_out_is_left_alone(bench: Bench):
    spec, done = bench.of("2.0.0", {"SLOW": "30"}, deadline=60.0), []

    def scale() -> None:
        if not done and bench.tally().started == 2:
            done.append(True)
            bench.harness.call("POST", f"job/{job(bench)}/revert", {"JobID": job(bench), "JobVersion": 0})

    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Refused) as refusal:
        bench.apply(spec, 2, beat=scale)
    assert refusal.value.code == Code.TARGET_CHANGED
    assert eventually(lambda: bench.runs(bench.of("1.0.0")))


def test_a_job_of_somebody_else_is_not_touched(bench: Bench):
    task = {"Name": "t", "Driver": "docker", "Config": {"image": "foreign:1"}}
    foreign = {"ID": job(bench), "TaskGroups": [{"Name": "g", "Tasks": [task]}]}
    bench.harness.call("POST", "jobs", {"Job": foreign})
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("1.0.0"), 1)
    assert refusal.value.code == Code.FOREIGN_WORKLOAD
    assert bench.see() == {}


def test_what_a_hand_changes_of_what_we_registered_is_another_configuration_until_it_is_put_back(bench: Bench):
    spec, port = bench.of("1.0.0"), free_port()
    bench.apply(spec, 1)
    as_it_was = bench.harness.call("GET", f"job/{job(bench)}")
    changes: dict[str, Callable[[dict[str, Any]], object]] = {
        "Count": lambda group: group.update(Count=2),
        "Tasks.web.Env": lambda group: group["Tasks"][0].update(Env={"BY_HAND": "1"}),
        "Networks.0.ReservedPorts.0.Value": lambda group: group["Networks"][0]["ReservedPorts"][0].update(Value=port),
    }
    for where, change in changes.items():
        bench.harness.register(bench.address, lambda said, change=change: change(said["TaskGroups"][0]))
        seen = bench.see()["web"]
        assert (seen.config, f"TaskGroups.main.{where}" in str(seen.detail)) == (None, True), seen
        bench.harness.call("POST", "jobs", {"Job": as_it_was})
        assert eventually(lambda: bench.runs(spec))


def test_who_scales_the_job_by_hand_has_changed_it_and_going_back_puts_it_right(bench: Bench):
    spec = beside(bench, "1.0.0")
    bench.apply(spec, 1)
    bench.harness.call("POST", f"job/{job(bench)}/scale", {"Count": 2, "Target": {"Group": "main"}})
    assert "TaskGroups.main.Count" in str(bench.see()["web"].detail)
    bench.apply(spec.model_copy(update={"is_rollback": True}), 2)
    assert bench.runs(spec)
    assert bench.harness.call("GET", f"job/{job(bench)}")["TaskGroups"][0]["Count"] == 1
    bench.harness.halt(bench.address)
    assert eventually(lambda: bench.see() == {})


def test_a_job_that_was_purged_and_registered_again_by_hand_is_not_what_was_seen_healthy(bench: Bench):
    spec = bench.of("1.0.0")
    bench.apply(spec, 1)
    bench.harness.executor().write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    as_it_was = bench.harness.call("GET", f"job/{job(bench)}")
    bench.harness.call("DELETE", f"job/{job(bench)}?purge=true")
    bench.harness.call("POST", "jobs", {"Job": {**as_it_was, "VersionTag": None}})
    assert bench.see()["web"].config is None
