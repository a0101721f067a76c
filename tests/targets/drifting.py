"""Behaviours of every executor: what differs from what was deployed is told by its kind, also when a hand has made the difference."""

from fairlead.contracts.canonical import digest_of
from fairlead.contracts.compare import compare
from fairlead.contracts.target import ComponentSpec, TargetAddress
from fairlead.domain.drift import Kind
from tests.targets.bench import Bench, eventually

OTHER = digest_of("something else")
NOT_RUNNING = {Kind.MISSING, Kind.UNHEALTHY}


def what_differs_is_told_by_its_kind(bench: Bench) -> None:
    """First what was asked for differs, then a hand changes settings, stops what runs, has another run there, and takes that away."""
    spec = bench.of("1.0.0")
    bench.apply(spec, 1)
    [web] = spec.components
    asked: dict[Kind, tuple[ComponentSpec, ...]] = {
        Kind.EXTRA: (),
        Kind.WRONG_DIGEST: (web.model_copy(update={"digest": OTHER, "platforms": {}}),),
        Kind.WRONG_CONFIG: (web.model_copy(update={"config_digest": OTHER}),),
        Kind.MISSING: (web, web.model_copy(update={"name": "api"})),
    }
    assert {kind: kinds(bench, *parts) for kind, parts in asked.items()} == {kind: {kind} for kind in asked}
    nowhere = bench.address.model_copy(update={"endpoint": bench.harness.unreachable()})
    assert kinds(bench, web, at=nowhere) == {Kind.UNREACHABLE}
    assert kinds(bench, web) == set()
    if reset := getattr(bench.harness, "reset", None):  # where settings can be changed, and all else left
        reset(bench.address)
        assert eventually(lambda: kinds(bench, web) == {Kind.WRONG_CONFIG}), kinds(bench, web)
    bench.harness.halt(bench.address)
    # What is only stopped is there still on some types, and is not well.
    assert eventually(lambda: set() != kinds(bench, web) <= NOT_RUNNING), kinds(bench, web)
    if swap := getattr(bench.harness, "swap", None):  # where that can be done without us
        swap(bench.address, bench.harness.image("2.0.0"))
        assert eventually(lambda: kinds(bench, web) == {Kind.WRONG_DIGEST}), kinds(bench, web)
    bench.harness.clear(bench.address)
    assert eventually(lambda: kinds(bench, web) == {Kind.MISSING}), kinds(bench, web)


def what_nobody_can_tell_is_never_right(bench: Bench) -> None:
    """Until the next deployment puts it right."""
    spec = bench.of("1.0.0")
    bench.apply(spec, 1)
    bench.harness.blur(bench.address)
    assert eventually(lambda: kinds(bench, *spec.components) == {Kind.UNVERIFIABLE}), bench.see()
    bench.apply(spec, 2)
    assert bench.runs(spec)


def kinds(bench: Bench, *expected: ComponentSpec, at: TargetAddress | None = None) -> set[Kind]:
    """How what is seen now differs from these."""
    seen = bench.harness.executor().observe(at or bench.address)
    return {difference.kind for difference in compare(expected, seen)}


DRIFTING = (what_differs_is_told_by_its_kind, what_nobody_can_tell_is_never_right)
