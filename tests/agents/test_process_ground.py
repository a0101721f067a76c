"""What a process host works on: verified trees, commands, folders and ports of its own."""

import os
from pathlib import Path

import pytest

from agents.process_host.host import ProcessHost
from fairlead.adapters.images import ImageStore
from fairlead.contracts.target import TargetAddress
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, Refused
from fairlead.domain.fence import Claim
from tests.fixtures.images import alter, demo_files, make_layout
from tests.fixtures.process import COMMAND, ProcessHarness
from tests.targets.bench import Bench, ask, nobeat
from tests.targets.harness import Image, listener

pytestmark = pytest.mark.process


@pytest.mark.parametrize("what", ["digest", "config", "layer"])
def test_nothing_lies_under_releases_if_anything_was_altered(
    process_host: ProcessHost, layouts: Path, tmp_path: Path, process_harness: ProcessHarness, what: str
) -> None:
    good, bad = (make_layout(layouts / "app", version, demo_files(version), COMMAND) for version in ("1.0.0", "2.0.0"))
    alter(layouts / "app", bad.layers[0] if what == "layer" else getattr(bad, what))
    bench = Bench(process_harness)
    spec = bench.spec(
        *(bench.component(Image("oci-layout:app", made.digest), name=name) for name, made in (("a", good), ("b", bad)))
    )
    with pytest.raises(Refused) as refusal:
        process_host.prepare(spec, nobeat)
    assert refusal.value.code == Code.DIGEST_MISMATCH
    host = tmp_path / "hosts" / "host"
    assert [os.listdir(host / name) for name in ("releases", "incoming", "images")] == [[], [], []]


def test_what_a_killed_pull_left_behind_is_swept(
    process_host: ProcessHost, layouts: Path, tmp_path: Path, process_bench: Bench
) -> None:
    dead = tmp_path / "hosts" / "host" / "incoming" / "999999999@1.x"
    dead.mkdir(parents=True)
    made = make_layout(layouts / "app", "1.0.0", demo_files("1.0.0"), COMMAND)
    process_host.prepare(process_bench.spec(process_bench.component(Image("oci-layout:app", made.digest))), nobeat)
    assert not dead.exists()


def test_a_command_that_is_not_there_is_refused_before_any_change(process_bench: Bench) -> None:
    component = process_bench.component(process_bench.harness.image("1.0.0"))
    config = component.config.model_copy(update={"command": ("no-such-program",)})
    with pytest.raises(Refused, match="no-such-program") as refusal:
        process_bench.harness.executor().prepare(
            process_bench.spec(component.model_copy(update={"config": config})), nobeat
        )
    assert refusal.value.code == Code.START_FAILED


def test_two_targets_whose_folders_have_one_name_do_not_share_it(process_harness: ProcessHarness) -> None:
    bench = Bench(process_harness, target="a-b")
    spec = bench.of("1.0.0")
    clash = spec.model_copy(update={"project": f"{spec.project}-{spec.environment}", "environment": "a", "target": "b"})
    bench.apply(spec, 1)
    try:
        with pytest.raises(Conflict) as refusal:
            process_harness.executor().prepare(clash, nobeat)
    finally:
        bench.close()
    assert refusal.value.code == Code.FOREIGN_WORKLOAD


@pytest.mark.parametrize("endpoint", ["process:", "process:..", "process:a/b", "process://a", "unix:///x", "host"])
def test_an_endpoint_that_names_no_host_is_refused(process_host: ProcessHost, endpoint: str) -> None:
    address = TargetAddress(project="p", environment="e", target="t", type="process_host", endpoint=endpoint)
    with pytest.raises(BadInput):
        process_host.observe(address)


def test_a_host_may_lie_anywhere(layouts: Path, tmp_path: Path, process_bench: Bench) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    tmp_path.chmod(0o700)
    make_layout(layouts / "app", "1.0.0", demo_files("1.0.0"), COMMAND)
    executor = ProcessHost(tmp_path / "hosts", ImageStore(process_bench.harness.layouts))
    spec = process_bench.of("1.0.0").model_copy(update={"endpoint": f"process://{deep}"})
    try:
        executor.apply(spec, Claim(1, 1), nobeat)
        assert ask(process_bench)["version"] == "1.0.0"
    finally:
        executor.retire(spec, Claim(2, 1), nobeat)


def test_a_port_that_somebody_else_takes_is_seen_in_prepare_only_while_it_is(process_bench: Bench) -> None:
    spec, executor = process_bench.of("1.0.0"), process_bench.harness.executor()
    with listener(process_bench.port), pytest.raises(Conflict):
        executor.prepare(spec, nobeat)
    process_bench.apply(spec, 1)
    executor.prepare(process_bench.of("2.0.0"), nobeat)
