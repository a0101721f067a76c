"""Nomad jobs: each fault has its own code, canaries are ours to promote, and a call without an answer is read back."""

from collections.abc import Iterator

import pytest

from agents.nomad_job import NomadJob
from agents.nomad_job.server import Said, Server
from fairlead.adapters.images import ImageStore
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.agents.test_nomad_facts import changed, job
from tests.doubles.nomad_double import NomadDouble, Right
from tests.fakes.secrets import MemorySecrets
from tests.fixtures.nomad import NomadDoubleHarness
from tests.targets.bench import Bench, nobeat, with_config
from tests.targets.harness import Tally
from tests.targets.keeping import secretive

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
