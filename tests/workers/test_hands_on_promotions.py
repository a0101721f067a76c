"""Hands on a promotion's workflow (design decision 18), in each phase of its life: what is published, sealed, and true on the targets."""

from contextlib import suppress
from dataclasses import dataclass

import pytest
from temporalio.service import RPCError

from tests.workers.scenes import (
    Phase,
    awaiting_approval,
    awaiting_gate,
    deploying,
    frozen_at_the_head,
    held_at_the_head,
    over,
    queued_behind,
    rolling_back,
    sealing_the_outcome,
    verifying,
)
from tests.workers.stage import HANDS, Stage, by_turns, deployment_knows

NOTHING: list[str | None] = [None, None]
OLD: list[str | None] = ["1.0.0", "1.0.0"]
NEW: list[str | None] = ["1.1.0", "1.1.0"]


@dataclass(frozen=True)
class End:
    """How it ends: state and code, what runs on the two targets, and whether its deployment leaves a hold."""

    state: str
    code: str | None
    runs: list[str | None]
    held: bool = False


def undecided(phase: Phase, runs: list[str | None]) -> dict[tuple[Phase, str], End]:
    """Before it deploys it has touched nothing."""
    return {
        (phase, "terminate"): End("failed", "terminated", runs),
        (phase, "cancel"): End("cancelled", "cancelled", runs),
        (phase, "reset"): End("failed", "history_conflict", runs),
    }


ENDS: dict[tuple[Phase, str], End] = {
    **undecided(awaiting_gate, NOTHING),
    **undecided(awaiting_approval, NOTHING),
    **undecided(held_at_the_head, NOTHING),
    **undecided(frozen_at_the_head, NOTHING),
    **undecided(queued_behind, NEW),  # which is what the one before it brings
    # What is left alone by its promotion finishes.
    (deploying, "terminate"): End("failed", "terminated", NEW),
    (deploying, "cancel"): End("cancelled", "cancelled", OLD, held=True),
    (deploying, "reset"): End("failed", "history_conflict", NEW),
    (verifying, "terminate"): End("failed", "terminated", NEW),
    (verifying, "cancel"): End("cancelled", "cancelled", OLD, held=True),
    (verifying, "reset"): End("failed", "history_conflict", NEW),
    (rolling_back, "terminate"): End("failed", "terminated", OLD, held=True),
    (rolling_back, "cancel"): End("rolled_back", "unhealthy", OLD, held=True),
    (rolling_back, "reset"): End("failed", "history_conflict", OLD, held=True),
    # What is sealed stands.
    (sealing_the_outcome, "terminate"): End("succeeded", None, NEW),
    (sealing_the_outcome, "cancel"): End("succeeded", None, NEW),
    (sealing_the_outcome, "reset"): End("succeeded", None, NEW),
}
HEARD = {deploying, verifying}
"""Where a cancel is passed on to the deployment."""


@pytest.mark.parametrize(("phase", "hand"), by_turns(ENDS))
async def test_a_hand_on_a_promotion(stage: Stage, phase: Phase, hand: str) -> None:
    end = ENDS[phase, hand]
    scene = await phase(stage)
    await HANDS[hand](stage, scene.workflow("promotion"))
    if hand == "cancel" and phase in HEARD:
        await deployment_knows(stage, scene)
    scene.let_go()
    row = await stage.ended(scene.promotion)
    assert (row.state, row.code) == (end.state, end.code)
    assert stage.why(scene) == ([end.code] if end.code else [])
    assert await stage.runs(scene) == end.runs
    assert stage.is_held(scene) == end.held
    assert stage.is_believed(scene)
    await stage.lane_is_free(scene)
    if hand == "reset":
        await stage.lets_another_through(scene)


@pytest.mark.parametrize("hand", HANDS)
async def test_one_that_is_over_stays_as_it_ended(stage: Stage, hand: str) -> None:
    scene = await over(stage)
    before = stage.shop.row(scene.id)
    with suppress(RPCError):  # so does Temporal say that it is over
        await HANDS[hand](stage, scene.workflow("promotion"))
    await stage.shop.ends(scene.promotion)
    await stage.sweep()
    assert stage.shop.row(scene.id) == before
    assert stage.is_believed(scene)
