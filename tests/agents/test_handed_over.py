"""What was handed over is ours again once the platform's own means say so; what was claimed before still loses."""

from collections.abc import Callable, Iterator

import pytest

from agents.ecs_service import marks
from agents.nomad_job.marks import job_id
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim, FenceLost
from tests.targets.bench import Bench, nobeat


def removed(bench: Bench) -> None:
    for container in bench.harness.containers(bench.address):
        container.remove(force=True)


def purged(bench: Bench) -> None:
    bench.harness.call("DELETE", f"job/{job_id(bench.address)}?purge=true")


def tagged(bench: Bench) -> None:
    arn = bench.harness.service(bench.address)["serviceArn"]
    bench.harness.ecs.tag_resource(resourceArn=arn, tags=marks.as_tags(marks.of_target(bench.address)))


AGAIN: dict[str, Callable[[Bench], None]] = {"docker": removed, "nomad_double": purged, "ecs": tagged}


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        "nomad_double",
        pytest.param("ecs", marks=pytest.mark.docker),
    ]
)
def given_back(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A target that was handed over as 5.1, and then given back."""
    bench = Bench(request.getfixturevalue(f"{request.param}_harness"))
    bench.apply(bench.of("1.0.0"), 4)
    bench.harness.executor().hand_over(bench.of("1.0.0"), Claim(5, 1), nobeat)
    with pytest.raises(Refused):
        bench.apply(bench.of("2.0.0"), 6)
    AGAIN[request.param](bench)
    yield bench
    bench.close()


def test_what_is_given_back_is_deployed_to_again_and_lower_claims_still_lose(given_back: Bench) -> None:
    with pytest.raises(FenceLost):
        given_back.harness.executor().apply(given_back.of("1.0.0"), Claim(4, 2), nobeat)
    given_back.die(given_back.of("2.0.0"), 6, at="after_create")
    given_back.apply(given_back.of("2.0.0"), 6, attempt=2)
    assert given_back.runs(given_back.of("2.0.0"))
    assert given_back.harness.executor().observe(given_back.address).fence == "6.2"
