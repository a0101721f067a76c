"""Following a promotion to its end."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from fairlead.cli import exits, watching
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from tests.api.office import Office
from tests.cli.terminal import Terminal


@pytest.fixture
def promotion(office: Office) -> PromotionRecord:
    """Asked for, and of a release that was never there before."""
    return office.promotion(environment="dev")


def ends(office: Office, monkeypatch: pytest.MonkeyPatch, *states: str) -> None:
    """Let every promotion go through these states as soon as it is started."""

    async def start(request: Any) -> None:
        def go() -> None:
            for state in states:
                kind = "ended" if state == states[-1] else "moved"
                data = {"code": "unhealthy", "detail": "web is unhealthy"} if state == "rejected" else {}
                office.shop.append(names.promotion_subject(request.promotion), kind, state=state, data=data)

        threading.Thread(target=go).start()

    monkeypatch.setattr(office.orchestrator, "start_promotion", start)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (("evaluating", "queued", "deploying", "succeeded"), 0),
        (("evaluating", "rejected"), exits.FAILED),
        (("cancelled",), exits.FAILED),
    ],
)
def test_the_exit_code_tells_how_it_ended(office: Office, ana: Terminal, monkeypatch, states, code):
    office.shop.release("1.0.0")
    ends(office, monkeypatch, *states)
    said = ana.run("promote", "1.0.0", "dev", "--wait", "--json")
    assert (said.code, said.json["state"]) == (code, states[-1])
    assert f"1.0.0 to dev: {states[-1]}" in said.err


def test_giving_up_is_told_by_its_own_code(office: Office, ana: Terminal):
    office.shop.release("1.0.0")
    said = ana.run("promote", "1.0.0", "dev", "--wait", "--timeout", "300ms")
    assert (said.code, "timed_out" in said.err) == (exits.TIMED_OUT, True)


def test_a_retry_can_be_waited_for(office: Office, ana: Terminal, promotion: PromotionRecord, monkeypatch):
    office.shop.append(names.promotion_subject(promotion.id), "ended", state="expired")
    ends(office, monkeypatch, "evaluating", "rejected")
    said = ana.run("retry", promotion.id[:5], "--wait")
    assert (said.code, "rejected: web is unhealthy" in said.err) == (exits.FAILED, True)


def view(state: str, **changes: Any) -> dict[str, Any]:
    known = {"release": "1.0.0", "environment": "prod", "state": state, "tasks": [], "blocked_by": []}
    return {**known, **changes}


def task(state: str) -> dict[str, Any]:
    return {
        "id": "p/prod-1",
        "target": "prod-1",
        "wave": 0,
        "release": "1.0.0",
        "state": state,
        "code": None,
        "detail": "",
    }


FROZEN = {"rule": "freeze", "code": "frozen", "detail": "frozen by ben"}
CHANGES = {
    "the first sight": (None, view("queued"), ["1.0.0 to prod: queued"]),
    "nothing": (view("queued"), view("queued"), []),
    "a new state": (view("queued"), view("deploying"), ["1.0.0 to prod: deploying"]),
    "a task that moved": (
        view("deploying", tasks=[task("pending")]),
        view("deploying", tasks=[task("running")]),
        ["  prod-1: running"],
    ),
    "a task that only waits": (view("deploying"), view("deploying", tasks=[task("pending")]), []),
    "a new block": (view("queued"), view("queued", blocked_by=[FROZEN]), ["  freeze: frozen by ben (frozen)"]),
    "a block already told": (view("queued", blocked_by=[FROZEN]), view("queued", blocked_by=[FROZEN]), []),
}


@pytest.mark.parametrize(("before", "after", "lines"), CHANGES.values(), ids=CHANGES)
def test_lines_tell_only_what_changed(before, after, lines):
    assert list(watching.lines(before, after)) == lines


def test_the_live_picture_shows_targets_and_blocks():
    console = Console(file=io.StringIO(), width=100)
    console.print(watching.picture(view("deploying", tasks=[task("running")], blocked_by=[FROZEN])))
    assert {"deploying", "prod-1", "running", "frozen"} <= set(_words(console))


def _words(console: Console) -> Iterator[str]:
    assert isinstance(console.file, io.StringIO)
    yield from console.file.getvalue().replace("(", " ").replace(")", " ").split()
