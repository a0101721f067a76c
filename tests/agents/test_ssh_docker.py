"""Docker engines behind SSH: what they may lack, and connections that are lost in the middle."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, Refused, Unavailable
from fairlead.domain.fence import Claim
from tests.agents.test_ssh_host import At
from tests.fixtures.docker import DockerHarness
from tests.fixtures.ssh import Sshd, SshDockerHarness
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import Tally

pytestmark = [pytest.mark.ssh, pytest.mark.docker]


@pytest.fixture
def make_bench(sshd: Sshd, docker_harness: DockerHarness, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """A target on a server of its own, which a test may break."""
    benches: list[Bench] = []

    def make(path: str = "", more: str = "", **options: Any) -> Bench:
        server = Sshd(sshd.folder, more, path)
        server.start()
        harness = SshDockerHarness(docker_harness, tmp_path / str(server.port), server)
        harness.options |= options
        benches.append(Bench(harness))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()
        bench.harness.api.close()
        bench.harness.sshd.stop()


def refusal(bench: Bench) -> tuple[type[FairleadError], Code]:
    with pytest.raises(FairleadError) as raised:
        bench.apply(bench.of("1.0.0"), 1)
    return type(raised.value), raised.value.code


def test_a_host_without_docker_is_refused(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    assert refusal(make_bench(str(tmp_path))) == (Refused, Code.DOCKER_MISSING)


def test_an_engine_that_does_not_answer_is_unreachable(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    bench = make_bench(socket=str(tmp_path / "nobody.sock"))
    assert refusal(bench) == (Unavailable, Code.TARGET_UNREACHABLE)
    assert not bench.harness.executor().observe(bench.address).reachable


def test_the_room_on_its_disk_is_asked_of_the_host(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    facts = bench.harness.executor().check(bench.address)
    assert facts.free
    assert facts.free // 1024**3 == shutil.disk_usage(facts.folder).free // 1024**3


def test_a_host_that_opens_no_connections_cannot_be_asked_for_health(make_bench: Callable[..., Bench]) -> None:
    assert refusal(make_bench(more="AllowTcpForwarding no")) == (Refused, Code.SSH_FORWARDING_REFUSED)


@pytest.mark.parametrize("place", ["after_claim", "after_create"])
def test_a_connection_lost_in_the_middle_is_taken_up_where_it_was(make_bench: Callable[..., Bench], place: str) -> None:
    bench = make_bench()
    executor = bench.harness.executor(At(place, bench.harness.sshd.cut))
    executor.prepare(bench.of("1.0.0"), nobeat)
    with pytest.raises(Unavailable) as lost:
        executor.apply(bench.of("1.0.0"), Claim(1, 1), nobeat)
    assert lost.value.code in {Code.SSH_CONNECTION_LOST, Code.TARGET_UNREACHABLE}
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    assert bench.runs(bench.of("1.0.0"))
    assert bench.tally() == Tally(1, 1)
