"""Behaviours of every executor: fences, and what a worker that was killed or cancelled leaves to the next."""

import pytest

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import Tally


def a_lower_number_is_refused_even_after_a_restart(bench: Bench) -> None:
    bench.apply(bench.of("2.0.0"), 5)
    for attempt in (1, 9):
        with pytest.raises(FenceLost):
            bench.apply(bench.of("1.0.0"), 4, attempt)
    assert bench.runs(bench.of("2.0.0"))
    assert bench.harness.executor().observe(bench.address).fence == "5.1"


def a_lower_attempt_is_refused(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    with pytest.raises(FenceLost):
        bench.apply(bench.of("1.0.0"), 1, attempt=1)


def losing_the_fence_midway_stops_at_once(bench: Bench) -> None:
    """A higher claim arrives while a lower one waits for health; what the higher one made stays."""
    newer, overtaken = bench.of("2.0.0"), []

    def overtake() -> None:
        if not overtaken and bench.tally().started == 1:
            overtaken.append(True)
            bench.harness.executor().apply(newer, Claim(2, 1), nobeat)

    with pytest.raises(FenceLost):
        bench.apply(bench.of("1.0.0", {"SLOW": "5"}), 1, beat=overtake)
    assert bench.runs(newer)


def an_overtaken_attempt_leaves_what_the_next_one_took_over(bench: Bench) -> None:
    spec, overtaken = bench.of("1.0.0", {"SLOW": "1"}), []

    def overtake() -> None:
        if not overtaken and bench.tally().started == 1:
            overtaken.append(True)
            bench.harness.executor().apply(spec, Claim(1, 2), nobeat)

    with pytest.raises(FenceLost):
        bench.apply(spec, 1, attempt=1, beat=overtake)
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def killed_after_its_claim_it_is_mended(bench: Bench) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.die(new, 2, at="after_claim")
    assert bench.runs(old)
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert bench.tally() == Tally(2, 2)


def killed_after_stopping_the_old_one_it_is_mended(bench: Bench) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.die(new, 2, at="after_stop_old")
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert bench.tally() == Tally(2, 2)


def killed_after_creating_it_makes_no_second_one(bench: Bench) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.die(new, 2, at="after_create")
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert bench.tally() == Tally(2, 2)


def killed_midway_into_something_broken_the_old_one_still_comes_back(bench: Bench) -> None:
    old, broken = bench.of("1.0.0"), bench.of("2.0.0", {"BROKEN": "1"}, deadline=1.0)
    bench.apply(old, 1)
    bench.die(broken, 2, at="after_create")
    with pytest.raises(Refused):
        bench.apply(broken, 2, attempt=2)
    assert bench.runs(old)


def what_a_killed_deployment_left_gives_way_to_the_next_one(bench: Bench) -> None:
    """And when that one fails too, what was healthy last comes back, not what nobody ever saw healthy."""
    old, lost, broken = (
        bench.of("1.0.0"),
        bench.of("2.0.0", {"SLOW": "60"}),
        bench.of("3.0.0", {"BROKEN": "1"}, deadline=1.0),
    )

    def cancel() -> None:
        if bench.tally().started == 2:
            raise Unavailable(Code.CANCELLED, "killed while it waits")

    bench.apply(old, 1)
    with pytest.raises(Unavailable):
        bench.apply(lost, 2, beat=cancel)
    with pytest.raises(Refused):
        bench.apply(broken, 3)
    assert bench.runs(old)


def what_a_killed_deployment_left_gives_way_to_a_rollback(bench: Bench) -> None:
    old, new = bench.of("1.0.0"), bench.of("2.0.0")
    bench.apply(old, 1)
    bench.die(new, 2, at="after_create")
    bench.apply(bench.of("1.0.0", rollback=True), 3)
    assert bench.runs(old)


def a_cancelled_apply_is_mended_by_the_next(bench: Bench) -> None:
    new, beats = bench.of("2.0.0", {"SLOW": "1"}), []

    def cancel() -> None:
        beats.append(1)
        if bench.tally().started == 2:
            raise Unavailable(Code.CANCELLED, "cancelled")

    bench.apply(bench.of("1.0.0"), 1)
    with pytest.raises(Unavailable):
        bench.apply(new, 2, beat=cancel)
    assert beats
    bench.apply(new, 2, attempt=2)
    assert bench.runs(new)
    assert bench.tally() == Tally(2, 2)


def a_renamed_component_comes_back_under_its_old_name(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    old = bench.spec(bench.component(image, name="web"))
    broken = bench.spec(bench.component(image, {"CRASH": "1"}, name="front"))
    bench.apply(old, 1)
    bench.die(broken, 2, at="after_create")
    with pytest.raises(Refused):
        bench.apply(broken, 2, attempt=2)
    assert bench.runs(old)


MENDING = (
    a_lower_number_is_refused_even_after_a_restart,
    a_lower_attempt_is_refused,
    losing_the_fence_midway_stops_at_once,
    an_overtaken_attempt_leaves_what_the_next_one_took_over,
    killed_after_its_claim_it_is_mended,
    killed_after_stopping_the_old_one_it_is_mended,
    killed_after_creating_it_makes_no_second_one,
    killed_midway_into_something_broken_the_old_one_still_comes_back,
    what_a_killed_deployment_left_gives_way_to_the_next_one,
    what_a_killed_deployment_left_gives_way_to_a_rollback,
    a_cancelled_apply_is_mended_by_the_next,
    a_renamed_component_comes_back_under_its_old_name,
)
