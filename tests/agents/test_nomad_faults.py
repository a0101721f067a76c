"""A real Nomad that is killed in the middle of an apply: its state is in its files, and what its node runs goes on without it."""

from collections.abc import Iterator

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from tests.fixtures.nomad import NomadHarness
from tests.targets.bench import Bench, eventually
from tests.targets.harness import Tally


@pytest.fixture
def bench(nomad_harness: NomadHarness) -> Iterator[Bench]:
    bench = Bench(nomad_harness)
    yield bench
    bench.close()


@pytest.mark.docker
def test_a_nomad_that_is_killed_in_mid_apply_and_comes_back_is_gone_on_with(
    bench: Bench, nomad_harness: NomadHarness
) -> None:
    spec, agent, done = bench.of("1.0.0", {"SLOW": "5"}, deadline=120.0), nomad_harness.agent, list[int]()

    def kill() -> None:
        if not done and bench.tally().started == 1:
            done.append(1)
            agent.kill()

    with pytest.raises(Unavailable) as error:
        bench.apply(spec, 1, beat=kill)
    try:
        assert error.value.code == Code.TARGET_UNREACHABLE
        assert not bench.harness.executor().observe(bench.address).reachable
    finally:
        agent.start()
    bench.apply(spec, 1, attempt=2)
    assert eventually(lambda: bench.runs(spec))
    assert bench.tally() == Tally(1, 1)
    assert len(nomad_harness.versions(bench.address)) == 1
