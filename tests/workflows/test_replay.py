"""Saved histories replay with the code as it is now, through the same plugin as workers have."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from fairlead.domain.states import PromotionState
from tests.workflows.save_histories import FOLDER
from workers.plugin import WORKFLOWS, build_plugin

HISTORIES = sorted(FOLDER.glob("*.json"))
SUMMARISED = {
    "activityTaskScheduledEventAttributes",
    "timerStartedEventAttributes",
    "startChildWorkflowExecutionInitiatedEventAttributes",
}


def events(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["events"])


def kind(path: Path) -> str:
    return str(events(path)[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"])


async def replay(text: str) -> None:
    replayer = Replayer(workflows=[], plugins=[build_plugin()])
    await replayer.replay_workflow(WorkflowHistory.from_json("saved", text))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_saved_history_replays(path: Path) -> None:
    await replay(path.read_text())


async def test_a_history_that_the_code_would_not_make_is_noticed() -> None:
    text = (FOLDER / "promotion_rejected.json").read_text()
    assert '"seal_decision"' in text
    with pytest.raises(NondeterminismError):
        await replay(text.replace('"seal_decision"', '"seal_something"'))


def test_there_is_a_history_of_every_way_in_which_a_promotion_ends() -> None:
    saved = "".join(path.read_text() for path in HISTORIES)
    recorded = re.findall(r"[A-Za-z0-9+/=]{40,}", saved)
    told = [base64.b64decode(payload, validate=False) for payload in recorded if len(payload) % 4 == 0]
    ended = {
        match
        for payload in told
        for match in re.findall(rb'"subject":"promotion/.*"type":"ended".*"state":"([a-z_]+)"', payload)
    }
    # Nothing supersedes a promotion yet.
    assert {end.decode() for end in ended} == {str(s) for s in PromotionState if s.is_terminal} - {"superseded"}


def test_there_is_a_history_of_every_kind_of_workflow() -> None:
    assert {kind(path) for path in HISTORIES} == {
        workflow.__temporal_workflow_definition.name for workflow in WORKFLOWS
    }


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_every_activity_timer_and_child_has_a_summary(path: Path) -> None:
    bare = [
        event["eventId"]
        for event in events(path)
        if SUMMARISED & event.keys() and not event.get("userMetadata", {}).get("summary")
    ]
    assert bare == []


def test_the_saved_histories_have_timers_and_children_at_all() -> None:
    seen = {name for path in HISTORIES for event in events(path) for name in SUMMARISED & event.keys()}
    assert seen == SUMMARISED
