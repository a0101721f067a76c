"""Behaviours of every executor: what runs, what stays, what is replaced, what is seen."""

import pytest

from fairlead.domain.fence import Claim, FenceLost
from tests.targets.bench import Bench, eventually, nobeat
from tests.targets.harness import Tally, free_port

HOSTILE = " a b'c\"d\\e$(touch f)`g` ${HOME} %PATH% #{x}\n%h;i|j&k>l*m å漢😀\u2028é _x000A_ <> "
"""Whatever somebody may write for a value arrives as it is."""


def prepare_changes_nothing(bench: Bench) -> None:
    bench.harness.executor().prepare(bench.of("1.0.0"), nobeat)
    assert bench.tally() == Tally(0, 0)
    assert bench.see() == {}


def apply_runs_what_the_plan_says(bench: Bench) -> None:
    spec = bench.of("1.0.0")
    bench.apply(spec, 1)
    seen = bench.see()["web"]
    assert bench.runs(spec)
    assert (seen.release, seen.fence, seen.restarts) == ("1.0.0", "1.1", 0)
    assert seen.created is not None
    assert seen.since is not None


def applying_twice_is_applying_once(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    before = bench.see()
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("1.0.0"), 1, attempt=2)
    assert bench.see() == before
    assert bench.tally() == Tally(1, 1)


def a_new_number_makes_it_anew(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("1.0.0"), 2)
    assert bench.see()["web"].fence == "2.1"
    assert bench.tally() == Tally(2, 2)


def an_upgrade_replaces_the_old_one(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("2.0.0"), 2)
    assert bench.runs(bench.of("2.0.0"))
    assert bench.tally() == Tally(2, 2)


def another_configuration_replaces_the_old_one(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    hostile = bench.of("1.0.0", {"GREETING": HOSTILE})
    bench.apply(hostile, 2)
    assert bench.runs(hostile)
    assert bench.harness.given(bench.address, "web", "GREETING") == HOSTILE
    assert not bench.runs(bench.of("1.0.0"))


def a_slow_start_within_the_deadline_is_fine(bench: Bench) -> None:
    spec = bench.of("1.0.0", {"SLOW": "1.5"})
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def an_index_and_its_platform_are_the_same_release(bench: Bench) -> None:
    image = bench.harness.index("1.0.0")
    spec = bench.spec(bench.component(image))
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.see()["web"].digest in {image.digest, *image.platforms.values()}


def the_end_of_what_it_printed_can_be_read(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    executor = bench.harness.executor()
    assert eventually(lambda: executor.logs(bench.address, "web", 5).endswith("listening"))
    assert executor.logs(bench.address, "nobody", 5) == ""


def what_was_sent_names_what_runs(bench: Bench) -> None:
    spec = bench.of("1.0.0", {"GREETING": "bonjour"})
    executor = bench.harness.executor()
    executor.prepare(spec, nobeat)
    sent = executor.apply(spec, Claim(1, 1), nobeat)
    assert any(spec.components[0].digest in file.content and "bonjour" in file.content for file in sent)


def retiring_removes_what_is_ours_and_nothing_else(bench: Bench) -> None:
    neighbour, spec = Bench(bench.harness), bench.of("1.0.0")
    bench.apply(spec, 1)
    neighbour.apply(neighbour.of("1.0.0"), 1)
    try:
        bench.harness.executor().retire(spec, Claim(2, 1), nobeat)
        assert bench.see() == {}
        assert neighbour.runs(neighbour.of("1.0.0"))
        with pytest.raises(FenceLost):
            bench.apply(spec, 1, attempt=2)
    finally:
        neighbour.close()


def a_sticker_comes_back_as_it_was_left(bench: Bench) -> None:
    executor, spec = bench.harness.executor(), bench.of("1.0.0")
    assert executor.read_sticker(bench.address) is None
    for number in (1, 2):
        bench.apply(spec, number)
        executor.write_sticker(bench.address, bench.sticker(spec, f"{number}.1"), Claim(number, 1))
    assert bench.harness.executor().read_sticker(bench.address) == bench.sticker(spec, "2.1")
    with pytest.raises(FenceLost):
        executor.write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    assert executor.read_sticker(bench.address) == bench.sticker(spec, "2.1")


def targets_live_side_by_side(bench: Bench) -> None:
    neighbour = Bench(bench.harness)
    try:
        bench.apply(bench.of("1.0.0"), 1)
        neighbour.apply(neighbour.of("2.0.0"), 1)
        assert bench.runs(bench.of("1.0.0"))
        assert neighbour.runs(neighbour.of("2.0.0"))
    finally:
        neighbour.close()


def a_rollback_adopts_what_already_runs(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    before = bench.see()
    bench.apply(bench.of("1.0.0", rollback=True), 2)
    assert bench.see() == before
    assert bench.tally() == Tally(1, 1)


def a_rollback_replaces_what_should_not_run(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("2.0.0"), 2)
    bench.apply(bench.of("1.0.0", rollback=True), 3)
    assert bench.runs(bench.of("1.0.0"))


def a_rollback_of_the_configuration_alone_replaces_it(bench: Bench) -> None:
    bench.apply(bench.of("1.0.0"), 1)
    bench.apply(bench.of("1.0.0", {"GREETING": "bonjour"}), 2)
    bench.apply(bench.of("1.0.0", rollback=True), 3)
    assert bench.runs(bench.of("1.0.0"))


def two_components_start_once_each(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    spec = bench.spec(bench.component(image, name="api", port=free_port()), bench.component(image))
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.tally() == Tally(2, 2)


def a_component_that_left_the_plan_gives_up_its_port(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    bench.apply(bench.spec(bench.component(image, name="web")), 1)
    renamed = bench.spec(bench.component(image, name="front"))
    bench.apply(renamed, 2)
    assert bench.runs(renamed)


def a_component_is_missing_where_nothing_runs(bench: Bench) -> None:
    observation = bench.harness.executor().observe(bench.address)
    assert (observation.reachable, observation.components, observation.fence) == (True, (), None)


RUNNING = (
    prepare_changes_nothing,
    apply_runs_what_the_plan_says,
    applying_twice_is_applying_once,
    a_new_number_makes_it_anew,
    an_upgrade_replaces_the_old_one,
    another_configuration_replaces_the_old_one,
    a_slow_start_within_the_deadline_is_fine,
    an_index_and_its_platform_are_the_same_release,
    the_end_of_what_it_printed_can_be_read,
    what_was_sent_names_what_runs,
    retiring_removes_what_is_ours_and_nothing_else,
    a_sticker_comes_back_as_it_was_left,
    targets_live_side_by_side,
    a_rollback_adopts_what_already_runs,
    a_rollback_replaces_what_should_not_run,
    a_rollback_of_the_configuration_alone_replaces_it,
    two_components_start_once_each,
    a_component_that_left_the_plan_gives_up_its_port,
    a_component_is_missing_where_nothing_runs,
)
