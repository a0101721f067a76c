"""What every executor does, real or in memory: one table of behaviours (design decision 8)."""

import time

import pytest

from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, FenceLost
from fairlead.domain.health import Health
from tests.agents.bench import Bench
from tests.agents.harness import Tally, free_port


def nobeat() -> None:
    pass


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
    bench.apply(bench.of("1.0.0", {"GREETING": "bonjour"}), 2)
    assert bench.runs(bench.of("1.0.0", {"GREETING": "bonjour"}))
    assert not bench.runs(bench.of("1.0.0"))


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


def an_unhealthy_start_puts_the_old_one_back_and_says_why(bench: Bench) -> None:
    old = bench.of("1.0.0")
    bench.apply(old, 1)
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0", {"BROKEN": "1"}, deadline=1.0), 2)
    assert refusal.value.code == Code.UNHEALTHY
    assert "500" in refusal.value.detail
    assert refusal.value.fields["component"] == "web"
    assert bench.runs(old)


def a_first_start_that_fails_leaves_nothing_running(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.apply(bench.of("1.0.0", {"BROKEN": "1"}, deadline=1.0), 1)
    assert bench.see() == {}


def a_slow_start_within_the_deadline_is_fine(bench: Bench) -> None:
    spec = bench.of("1.0.0", {"SLOW": "1.5"})
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.tally() == Tally(1, 1)


def a_start_slower_than_the_deadline_fails(bench: Bench) -> None:
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("1.0.0", {"SLOW": "60"}, deadline=1.0), 1)
    assert refusal.value.code == Code.UNHEALTHY


def a_crash_loop_is_seen_long_before_the_deadline(bench: Bench) -> None:
    old, began = bench.of("1.0.0"), time.monotonic()
    bench.apply(old, 1)
    with pytest.raises(Refused) as refusal:
        bench.apply(bench.of("2.0.0", {"CRASH": "1"}, deadline=300.0), 2)
    assert refusal.value.code == Code.START_FAILED
    assert "told to crash" in refusal.value.detail
    assert time.monotonic() - began < 200
    assert bench.runs(old)


def a_taken_port_is_refused_before_any_change(bench: Bench) -> None:
    old, port = bench.of("1.0.0"), free_port()
    bench.apply(old, 1)
    moved = bench.spec(bench.component(bench.harness.image("2.0.0"), port=port))
    with bench.harness.occupy(port), pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(moved, nobeat)
    assert refusal.value.code == Code.PORT_TAKEN
    assert str(port) in refusal.value.detail
    assert bench.runs(old)
    assert bench.tally() == Tally(1, 1)


def a_port_of_another_target_is_taken(bench: Bench) -> None:
    neighbour = Bench(bench.harness, port=bench.port)
    bench.apply(bench.of("1.0.0"), 1)
    try:
        with pytest.raises(Refused) as refusal:
            neighbour.harness.executor().prepare(neighbour.of("1.0.0"), nobeat)
        assert refusal.value.code == Code.PORT_TAKEN
    finally:
        neighbour.close()


def content_that_is_not_what_its_digest_says_is_refused(bench: Bench) -> None:
    old = bench.of("1.0.0")
    bench.apply(old, 1)
    with pytest.raises(Refused) as refusal:
        bench.harness.executor().prepare(bench.spec(bench.component(bench.harness.altered())), nobeat)
    assert refusal.value.code == Code.DIGEST_MISMATCH
    assert bench.runs(old)


def an_index_and_its_platform_are_the_same_release(bench: Bench) -> None:
    image = bench.harness.index("1.0.0")
    spec = bench.spec(bench.component(image))
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.see()["web"].digest in {image.digest, *image.platforms.values()}


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


def two_components_start_once_each(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    spec = bench.spec(bench.component(image, name="api", port=free_port()), bench.component(image))
    bench.apply(spec, 1)
    assert bench.runs(spec)
    assert bench.tally() == Tally(2, 2)


def a_target_goes_back_whole(bench: Bench) -> None:
    """The first component of the new release is fine, the second is not: neither stays."""
    port = free_port()

    def release(version: str, env: dict[str, str] | None = None) -> TargetSpec:
        image = bench.harness.image(version)
        parts = bench.component(image, name="api", port=port), bench.component(image, env)
        return bench.spec(*parts, release=version, deadline=5.0)

    bench.apply(release("1.0.0"), 1)
    with pytest.raises(Refused):
        bench.apply(release("2.0.0", {"CRASH": "1"}), 2)
    assert bench.runs(release("1.0.0"))


def a_renamed_component_comes_back_under_its_old_name(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    old = bench.spec(bench.component(image, name="web"))
    broken = bench.spec(bench.component(image, {"CRASH": "1"}, name="front"))
    bench.apply(old, 1)
    bench.die(broken, 2, at="after_create")
    with pytest.raises(Refused):
        bench.apply(broken, 2, attempt=2)
    assert bench.runs(old)


def a_component_that_left_the_plan_gives_up_its_port(bench: Bench) -> None:
    image = bench.harness.image("1.0.0")
    bench.apply(bench.spec(bench.component(image, name="web")), 1)
    renamed = bench.spec(bench.component(image, name="front"))
    bench.apply(renamed, 2)
    assert bench.runs(renamed)


def a_component_is_missing_where_nothing_runs(bench: Bench) -> None:
    observation = bench.harness.executor().observe(bench.address)
    assert (observation.reachable, observation.components, observation.fence) == (True, (), None)


def an_unreachable_target_is_an_answer_to_observe_and_an_error_to_prepare(bench: Bench) -> None:
    nowhere = bench.address.model_copy(update={"endpoint": bench.harness.unreachable()})
    observation = bench.harness.executor().observe(nowhere)
    assert not observation.reachable
    assert observation.detail
    spec = bench.of("1.0.0").model_copy(update={"endpoint": nowhere.endpoint})
    with pytest.raises(Unavailable) as error:
        bench.harness.executor().prepare(spec, nobeat)
    assert error.value.code == Code.TARGET_UNREACHABLE


def what_runs_badly_is_seen_as_unhealthy(bench: Bench) -> None:
    broken = bench.of("1.0.0", {"BROKEN": "1", "SLOW": "0"}, deadline=60.0)

    def give_up() -> None:
        if "web" in bench.see() and bench.tally().started:
            raise Unavailable(Code.CANCELLED, "seen enough")

    with pytest.raises(Unavailable):
        bench.apply(broken, 1, beat=give_up)
    assert bench.see()["web"].health == Health.UNHEALTHY


BEHAVIOURS = (
    prepare_changes_nothing,
    apply_runs_what_the_plan_says,
    applying_twice_is_applying_once,
    a_new_number_makes_it_anew,
    an_upgrade_replaces_the_old_one,
    another_configuration_replaces_the_old_one,
    a_lower_number_is_refused_even_after_a_restart,
    a_lower_attempt_is_refused,
    losing_the_fence_midway_stops_at_once,
    an_overtaken_attempt_leaves_what_the_next_one_took_over,
    an_unhealthy_start_puts_the_old_one_back_and_says_why,
    a_first_start_that_fails_leaves_nothing_running,
    a_slow_start_within_the_deadline_is_fine,
    a_start_slower_than_the_deadline_fails,
    a_crash_loop_is_seen_long_before_the_deadline,
    a_taken_port_is_refused_before_any_change,
    a_port_of_another_target_is_taken,
    content_that_is_not_what_its_digest_says_is_refused,
    an_index_and_its_platform_are_the_same_release,
    retiring_removes_what_is_ours_and_nothing_else,
    a_sticker_comes_back_as_it_was_left,
    killed_after_its_claim_it_is_mended,
    killed_after_stopping_the_old_one_it_is_mended,
    killed_after_creating_it_makes_no_second_one,
    killed_midway_into_something_broken_the_old_one_still_comes_back,
    what_a_killed_deployment_left_gives_way_to_the_next_one,
    what_a_killed_deployment_left_gives_way_to_a_rollback,
    a_cancelled_apply_is_mended_by_the_next,
    targets_live_side_by_side,
    a_rollback_adopts_what_already_runs,
    a_rollback_replaces_what_should_not_run,
    two_components_start_once_each,
    a_target_goes_back_whole,
    a_renamed_component_comes_back_under_its_old_name,
    a_component_that_left_the_plan_gives_up_its_port,
    a_component_is_missing_where_nothing_runs,
    an_unreachable_target_is_an_answer_to_observe_and_an_error_to_prepare,
    what_runs_badly_is_seen_as_unhealthy,
)
