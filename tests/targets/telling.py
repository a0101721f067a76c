"""What targets tell of themselves before anything is deployed to them."""

import pytest

from fairlead.domain.errors import FairleadError
from fairlead.domain.fitness import judge
from fairlead.domain.grades import Grade
from fairlead.ports import Checks
from tests.targets.bench import Bench
from workers.clock import now


def a_target_that_can_tells_of_itself(bench: Bench) -> None:
    executor = bench.harness.executor()
    if not isinstance(executor, Checks):
        assert executor.read_sticker(bench.address) is None
        return
    before = now()
    facts = executor.check(bench.address)
    found = {each.check: each.grade for each in judge(facts, before, now())}
    assert facts.version or facts.time is None
    assert found["connects"] is Grade.OK
    assert found.get("clock", Grade.OK) is Grade.OK
    assert found.get("rights", Grade.OK) is Grade.OK


def what_cannot_be_reached_says_so_when_asked(bench: Bench) -> None:
    executor, nowhere = (
        bench.harness.executor(),
        bench.address.model_copy(update={"endpoint": bench.harness.unreachable()}),
    )
    asked = executor.check if isinstance(executor, Checks) else executor.read_sticker
    with pytest.raises(FairleadError):
        asked(nowhere)


TELLING = (a_target_that_can_tells_of_itself, what_cannot_be_reached_says_so_when_asked)
