"""Every published edge is taken, every other is refused."""

from enum import StrEnum
from itertools import permutations
from typing import Any

import pytest

from fairlead.domain.errors import Conflict
from fairlead.domain.states import (
    AGENT,
    DEPLOYMENT,
    PROMOTION,
    RELEASE,
    TASK,
    DeploymentState,
    Machine,
    PromotionState,
    TaskState,
)

MACHINES: list[Machine[Any]] = [PROMOTION, DEPLOYMENT, TASK, AGENT, RELEASE]
PAIRS = [(machine, old, new) for machine in MACHINES for old, new in permutations(sorted(machine.edges), 2)]

ENDS: dict[type[StrEnum], set[str]] = {
    PromotionState: {"succeeded", "rejected", "cancelled", "expired", "superseded", "failed", "rolled_back"},
    DeploymentState: {"succeeded", "failed", "rolled_back", "cancelled"},
    TaskState: {"succeeded", "failed", "timed_out", "lost", "cancelled", "skipped"},
}


@pytest.mark.parametrize(("machine", "old", "new"), PAIRS, ids=lambda v: getattr(v, "name", str(v)))
def test_only_published_edges_are_taken(machine: Machine[Any], old: Any, new: Any) -> None:
    if new in machine.edges[old]:
        assert machine.step(old, new) is new
    else:
        with pytest.raises(Conflict):
            machine.step(old, new)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_staying_is_no_step_except_at_an_end(machine: Machine[Any]) -> None:
    for state, edges in machine.edges.items():
        if edges:
            assert machine.step(state, state) is state
        else:
            with pytest.raises(Conflict):
                machine.step(state, state)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_state_can_be_reached(machine: Machine[Any]) -> None:
    reached, todo = set(), [machine.first]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo.extend(machine.edges[state])
    assert reached == set(type(machine.first))


@pytest.mark.parametrize("states", ENDS, ids=lambda s: s.__name__)
def test_the_ends_are_the_published_ones(states: Any) -> None:
    assert {state for state in states if state.is_terminal} == ENDS[states]


def test_a_status_is_final_exactly_when_the_state_is() -> None:
    assert all(state.is_terminal == state.status.is_terminal for state in PromotionState)
