"""Behaviours of every executor: what is handed over runs on, and is not ours any more."""

import contextlib

import pytest

from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim
from fairlead.ports import Forecasts
from tests.fakes.secrets import MemorySecrets
from tests.targets.bench import Bench, KillAt, Killed, nobeat
from tests.targets.harness import Tally
from tests.targets.keeping import REFERENCE, VALUE, secretive
from tests.targets.keeping import apply as bring


def what_is_handed_over_runs_on_and_is_not_ours(bench: Bench) -> None:
    safe = MemorySecrets()
    spec = secretive(bench, safe.put(REFERENCE, VALUE))
    bring(bench, spec, 1, safe)
    executor = bench.harness.executor(None, safe)
    executor.write_sticker(bench.address, bench.sticker(spec, "1.1"), Claim(1, 1))
    executor.hand_over(spec, Claim(2, 1), nobeat)
    foretold = [lambda: executor.forecast(spec)] if isinstance(executor, Forecasts) else []
    for order in (
        *foretold,
        lambda: executor.prepare(spec, nobeat),
        lambda: executor.apply(spec, Claim(1, 2), nobeat),
        lambda: executor.apply(spec, Claim(3, 1), nobeat),
        lambda: executor.retire(spec, Claim(4, 1), nobeat),
    ):
        with pytest.raises(Refused):
            order()
    assert is_given_up(bench)
    assert bench.tally() == Tally(1, 1)
    assert bench.harness.given(bench.address, "web", "TOKEN") == VALUE  # by the word of the process that runs


def a_hand_over_that_was_killed_is_ended_by_the_next(bench: Bench) -> None:
    spec = bench.of("1.0.0")
    bench.apply(spec, 1)
    for attempt, place in enumerate(("after_claim", "after_mark"), start=1):
        with contextlib.suppress(Killed):  # where one step is all there is, the second place does not come
            bench.harness.executor(KillAt(place)).hand_over(spec, Claim(2, attempt), nobeat)
    for _ in range(2):
        bench.harness.executor().hand_over(spec, Claim(2, 3), nobeat)
        assert is_given_up(bench)
    with pytest.raises(Refused):
        bench.harness.executor().hand_over(spec, Claim(2, 2), nobeat)
    assert bench.tally() == Tally(1, 1)


def is_given_up(bench: Bench) -> bool:
    """Whether nothing there is ours, by what a new worker sees."""
    executor = bench.harness.executor()
    seen = executor.observe(bench.address)
    assert seen.reachable, seen.detail
    return seen.components == () and seen.fence is None and executor.read_sticker(bench.address) is None


HANDING = (
    what_is_handed_over_runs_on_and_is_not_ours,
    a_hand_over_that_was_killed_is_ended_by_the_next,
)
