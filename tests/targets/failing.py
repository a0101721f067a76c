"""Behaviours of every executor: what is refused before any change, and what comes back after a change that failed."""

import time

import pytest

from fairlead.contracts.target import TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim
from fairlead.domain.health import Health
from tests.targets.bench import Bench, nobeat
from tests.targets.harness import Tally, free_port


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


def an_image_that_cannot_run_there_is_refused_before_any_change(bench: Bench) -> None:
    for code, image in bench.harness.lacking().items():
        with pytest.raises(Refused) as refusal:
            bench.harness.executor().prepare(bench.spec(bench.component(image)), nobeat)
        assert refusal.value.code == code
    assert bench.see() == {}
    assert bench.tally() == Tally(0, 0)


def what_was_prepared_needs_no_store_of_images_any_more(bench: Bench) -> None:
    if not hasattr(bench.harness, "without_store"):
        return
    spec, executor = bench.of("1.0.0"), bench.harness.executor()
    executor.prepare(spec, nobeat)
    with bench.harness.without_store():
        executor.apply(spec, Claim(1, 1), nobeat)
    assert bench.runs(spec)


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
        seen = bench.see().get("web")
        if seen and seen.health is Health.UNHEALTHY:
            raise Unavailable(Code.CANCELLED, "seen enough")

    with pytest.raises(Unavailable) as error:  # and not the refusal that the deadline brings
        bench.apply(broken, 1, beat=give_up)
    assert error.value.code == Code.CANCELLED


FAILING = (
    an_unhealthy_start_puts_the_old_one_back_and_says_why,
    a_first_start_that_fails_leaves_nothing_running,
    a_start_slower_than_the_deadline_fails,
    a_crash_loop_is_seen_long_before_the_deadline,
    a_taken_port_is_refused_before_any_change,
    a_port_of_another_target_is_taken,
    content_that_is_not_what_its_digest_says_is_refused,
    an_image_that_cannot_run_there_is_refused_before_any_change,
    what_was_prepared_needs_no_store_of_images_any_more,
    a_target_goes_back_whole,
    an_unreachable_target_is_an_answer_to_observe_and_an_error_to_prepare,
    what_runs_badly_is_seen_as_unhealthy,
)
