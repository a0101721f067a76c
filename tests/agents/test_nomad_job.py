"""Nomad jobs: each fault has its own code, canaries are ours to promote, and a call without an answer is read back."""

from collections.abc import Iterator

import pytest

from agents.nomad_job import NomadJob
from agents.nomad_job.server import Said, Server
from fairlead.adapters.images import ImageStore
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.doubles.nomad_double import NomadDouble, Right
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.nomad import NomadDoubleHarness
from tests.targets.bench import Bench, eventually, nobeat, with_config
from tests.targets.harness import Image, Tally
from tests.targets.keeping import apply, secretive

TOKEN = "0b7b8f9c-5f57-4c1d-8a53-2a6a2b7b7f11"


@pytest.fixture
def bench(nomad_double_harness: NomadDoubleHarness) -> Iterator[Bench]:
    bench = Bench(nomad_double_harness)
    yield bench
    double = nomad_double_harness.double
    double.leaderless, double.rights = False, None
    double.cut.clear()
    double.lost.clear()
    bench.close()


@pytest.fixture
def double(nomad_double_harness: NomadDoubleHarness) -> NomadDouble:
    return nomad_double_harness.double


class OneSecret:
    """A place that holds the token."""

    def version(self, reference: str) -> str:
        return "1"

    def read(self, use: SecretUse) -> str:
        return f"{TOKEN}\n"


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


def test_without_a_leader_nothing_is_changed(bench: Bench, double: NomadDouble):
    double.leaderless = True
    with pytest.raises(Unavailable) as error:
        bench.apply(bench.of("1.0.0"), 1)
    assert error.value.code == Code.NO_LEADER
    assert not bench.harness.executor().observe(bench.address).reachable


@pytest.mark.parametrize("right", [None, Right(writes=False)], ids=["unknown", "may only read"])
def test_a_token_that_is_not_enough_is_refused(bench: Bench, double: NomadDouble, right: Right | None):
    double.rights = {TOKEN: right} if right else {"another": Right()}
    executor = NomadJob(bench.harness.pushed.store, secrets=OneSecret())
    with pytest.raises(Refused) as refusal:
        executor.apply(changed(bench.of("1.0.0"), token="env://TOKEN"), Claim(1, 1), nobeat)
    assert refusal.value.code == Code.TARGET_DENIED
    assert TOKEN not in refusal.value.detail


@pytest.mark.parametrize(("knows", "version", "more"), [(True, "Nomad 2.0.6-dev", 3), (False, None, 0)])
def test_a_cluster_tells_what_the_token_may_know(
    bench: Bench, double: NomadDouble, knows: bool, version: str | None, more: int
):
    double.rights = {TOKEN: Right(knows=knows)}
    executor = NomadJob(bench.harness.pushed.store, secrets=OneSecret())
    facts = executor.check(bench.address.model_copy(update={"options": {"token": "env://TOKEN"}}))
    assert (facts.version, len(facts.capabilities)) == (version, more)
    assert facts.time is not None


def test_the_token_is_read_by_reference_and_stands_nowhere(bench: Bench, double: NomadDouble):
    double.rights = {TOKEN: Right()}
    executor = NomadJob(bench.harness.pushed.store, secrets=OneSecret())
    spec = changed(bench.of("1.0.0"), token="env://TOKEN")
    sent = executor.apply(spec, Claim(1, 1), nobeat)
    seen = executor.observe(bench.address.model_copy(update={"options": {"token": "env://TOKEN"}}))
    assert seen.components[0].health == Health.HEALTHY
    assert TOKEN not in str(sent) + str(double.cluster.versions) + str(double.cluster.variables)


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


def test_where_nothing_can_be_placed_our_own_deadline_ends_it(bench: Bench, double: NomadDouble):
    """Nomad's does not begin: the deployment would run for ever."""
    old = bench.of("1.0.0")
    bench.apply(old, 1)
    before = bench.see()
    nowhere = changed(bench.of("2.0.0", deadline=1.0), datacenters=["nowhere"])
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().apply(nowhere, Claim(2, 1), nobeat)
    assert refusal.value.code == Code.PLACEMENT_FAILED
    assert bench.see() == before
    assert [d["Status"] for d in double.cluster.deployments_of(("default", job(bench))) if d["JobVersion"] == 1] == [
        "failed"
    ]


def test_a_registration_without_an_answer_is_read_back_and_not_repeated(bench: Bench, double: NomadDouble):
    double.cut.append("POST /v1/jobs")
    bench.apply(bench.of("1.0.0"), 1)
    assert bench.runs(bench.of("1.0.0"))
    assert len(double.cluster.versions["default", job(bench)]) == 1
    assert bench.tally() == Tally(1, 1)


def test_a_registration_that_never_arrived_is_retried_by_the_next_attempt(bench: Bench, double: NomadDouble):
    double.lost.append("POST /v1/jobs")
    with pytest.raises(Unavailable) as error:
        bench.apply(bench.of("1.0.0"), 1)
    assert error.value.code == Code.TARGET_UNREACHABLE
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    assert bench.tally() == Tally(1, 1)


def test_a_lost_check_and_set_is_tried_again_on_what_is_there_now(bench: Bench, double: NomadDouble):
    """Somebody writes the variable between our reading and writing it."""
    key, put, others = ("default", f"fairlead/suite/test/{bench.target}"), double.cluster.put_variable, [1]

    def late(at, items, cas):
        if at == key and others and others.pop():
            put(key, {"note": "somebody else's"}, None)
        return put(at, items, cas)

    double.cluster.put_variable = late  # type: ignore[method-assign]
    try:
        bench.apply(bench.of("1.0.0"), 1)
    finally:
        double.cluster.put_variable = put  # type: ignore[method-assign]
    assert double.cluster.variables[key]["Items"] == {
        "note": "somebody else's",
        "fence": "1.1",
        "deployment": "deployment-of-1.0.0",
    }


def test_secrets_go_with_the_target_though_its_job_was_purged_by_hand(bench: Bench, double: NomadDouble):
    safe, key = MemorySecrets(), ("default", f"nomad/jobs/{job(bench)}")
    spec = secretive(bench, safe.put("vault://kv/x#y", "v"))
    apply(bench, spec, 1, safe)
    assert key in double.cluster.variables
    bench.harness.call("DELETE", f"job/{job(bench)}?purge=true")
    bench.harness.executor(None, safe).retire(spec, Claim(2, 1), nobeat)
    assert key not in double.cluster.variables


def test_a_first_job_that_is_refused_leaves_no_secret(
    bench: Bench, double: NomadDouble, monkeypatch: pytest.MonkeyPatch
):
    def refuse(server: Server, job: dict[str, object], index: int) -> None:
        assert ("default", f"nomad/jobs/{job['ID']}") in double.cluster.variables
        raise Said(400, "no")

    monkeypatch.setattr(Server, "register", refuse)
    monkeypatch.setattr(Server, "validate", lambda server, job: "no")
    safe = MemorySecrets()
    with pytest.raises(Refused) as refusal:
        bench.harness.executor(None, safe).apply(secretive(bench, safe.put("vault://kv/x#y", "v")), Claim(1, 1), nobeat)
    assert refusal.value.code == Code.JOB_INVALID
    assert ("default", f"nomad/jobs/{job(bench)}") not in double.cluster.variables


def test_canaries_are_promoted_by_us_when_they_are_healthy(bench: Bench, double: NomadDouble):
    bench.apply(beside(bench, "1.0.0"), 1)
    bench.apply(beside(bench, "2.0.0"), 2)
    states = [d["TaskGroups"]["main"] for d in double.cluster.deployments_of(("default", job(bench)))]
    assert [state["Promoted"] for state in states if state["DesiredCanaries"]] == [True]
    assert bench.see()["web"].release == "2.0.0"


def test_a_canary_that_fails_leaves_the_old_one_untouched(bench: Bench):
    bench.apply(beside(bench, "1.0.0"), 1)
    before = bench.see()["web"].instance
    with pytest.raises(Refused) as refusal:
        bench.apply(beside(bench, "2.0.0", {"BROKEN": "1"}, deadline=1.0), 2)
    assert refusal.value.code == Code.UNHEALTHY
    assert bench.see()["web"].instance == before


def test_what_we_register_never_goes_back_by_itself(bench: Bench, double: NomadDouble):
    bench.apply(bench.of("1.0.0"), 1)
    update = double.cluster.versions["default", job(bench)][0]["TaskGroups"][0]["Update"]
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


def test_under_a_tag_nobody_can_say_what_runs(bench: Bench, double: NomadDouble):
    bench.apply(bench.of("1.0.0"), 1)
    for alloc in double.cluster.allocs_of(("default", job(bench))):
        alloc.job["TaskGroups"][0]["Tasks"][0]["Config"]["image"] = "127.0.0.1:5000/tests/nomad:stable"
    assert (bench.see()["web"].digest, bench.see()["web"].health) == (None, Health.UNVERIFIABLE)


def test_long_logs_are_cut(bench: Bench, double: NomadDouble):
    bench.apply(bench.of("1.0.0"), 1)
    [alloc] = double.cluster.allocs_of(("default", job(bench)))
    alloc.tasks["web"].stdout = "x" * 99 + "\n"
    alloc.tasks["web"].stdout *= 500_000
    assert len(bench.harness.executor().logs(bench.address, "web", 100_000)) <= 64 * 1024


def test_an_image_store_is_all_that_it_needs(nomad_double_harness: NomadDoubleHarness, tmp_path):
    bench = Bench(nomad_double_harness)
    component = with_config(bench.component(bench.harness.image("1.0.0")), repository="oci-layout:web")
    with pytest.raises(Refused) as refusal:
        NomadJob(ImageStore(tmp_path)).prepare(bench.spec(component), nobeat)
    assert refusal.value.code == Code.NOT_SUPPORTED_YET
