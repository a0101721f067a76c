"""Hands on the workflow of a deployment or its rollback (design decision 18): nobody goes on where nobody has looked."""

from dataclasses import dataclass

import pytest

from fairlead.store import deployments
from tests.workers.scenes import Phase, deploying, rolling_back, verifying
from tests.workers.stage import HANDS, Stage, by_turns

Runs = list[str | None]
OLD: Runs = ["1.0.0", "1.0.0"]
HALF: Runs = ["1.1.0", "1.0.0"]
NEW: Runs = ["1.1.0", "1.1.0"]


@dataclass(frozen=True)
class End:
    """How its promotion ends: state and code, what runs on the two targets, and how its tasks and those of its rollback stand."""

    state: str
    code: str
    runs: Runs
    tasks: list[str]
    back: list[str]


ENDS: dict[tuple[Phase, str, str], End] = {
    # What was under way is lost, and nothing goes back by itself.
    (deploying, "deployment", "terminate"): End("failed", "terminated", HALF, ["lost", "lost"], []),
    (deploying, "deployment", "cancel"): End("cancelled", "cancelled", OLD, ["succeeded", "cancelled"], ["succeeded"]),
    (deploying, "deployment", "reset"): End("failed", "history_conflict", HALF, ["lost", "lost"], []),
    (verifying, "deployment", "terminate"): End("failed", "terminated", NEW, ["succeeded", "succeeded"], []),
    (verifying, "deployment", "cancel"): End(
        "cancelled", "cancelled", OLD, ["succeeded", "succeeded"], ["succeeded", "succeeded"]
    ),
    (verifying, "deployment", "reset"): End("failed", "history_conflict", NEW, ["succeeded", "succeeded"], []),
    # A rollback at work comes to its end first.
    (rolling_back, "deployment", "terminate"): End("failed", "terminated", OLD, ["failed", "skipped"], ["succeeded"]),
    (rolling_back, "deployment", "cancel"): End("rolled_back", "unhealthy", OLD, ["failed", "skipped"], ["succeeded"]),
    (rolling_back, "deployment", "reset"): End("failed", "history_conflict", OLD, ["failed", "skipped"], ["succeeded"]),
    # apply itself put back what had run before, so the target runs it whatever becomes of the rollback.
    (rolling_back, "rollback", "terminate"): End("failed", "unhealthy", OLD, ["failed", "skipped"], ["lost"]),
    (rolling_back, "rollback", "cancel"): End("rolled_back", "unhealthy", OLD, ["failed", "skipped"], ["succeeded"]),
    (rolling_back, "rollback", "reset"): End("failed", "unhealthy", OLD, ["failed", "skipped"], ["lost"]),
}


def tasks(stage: Stage, deployment: str) -> list[str]:
    with stage.shop.db.session() as s:
        return [task.state for task in deployments.tasks(s, deployment)]


@pytest.mark.parametrize(("phase", "of", "hand"), by_turns(ENDS))
async def test_a_hand_on_a_deployment(stage: Stage, phase: Phase, of: str, hand: str) -> None:
    end = ENDS[phase, of, hand]
    scene = await phase(stage)
    await HANDS[hand](stage, scene.workflow(of))
    scene.let_go()
    row = await stage.ended(scene.promotion)
    assert (row.state, row.code) == (end.state, end.code)
    assert await stage.runs(scene) == end.runs
    assert tasks(stage, scene.id) == end.tasks
    assert tasks(stage, f"{scene.id}.rollback") == end.back
    assert stage.is_held(scene)
    assert end.code in stage.why(scene)
    assert stage.is_believed(scene)
    await stage.lane_is_free(scene)
    if hand == "reset":
        await stage.lets_another_through(scene)
