"""Following a promotion to its end: a live table on a terminal, plain lines elsewhere; all of it on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fairlead.cli import exits
from fairlead.cli.output import say, table
from fairlead.cli.problem import Problem
from fairlead.domain.codes import Code
from fairlead.domain.printed import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

    from fairlead.cli.client import Api

ENDED = frozenset({"succeeded", "failed", "canceled"})
POLL_SECONDS = 10
PATIENCE_SECONDS = 60.0

Show = Callable[[Any], None]


def follow(api: "Api", id: str, *, timeout: float) -> Any:
    """The promotion once it has ended. Raises Problem (timed_out)."""
    deadline = time.monotonic() + timeout
    view = api.get(f"/promotions/{id}")
    with _display() as show:
        show(view)
        while view["status"] not in ENDED:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Problem(
                    504, str(Code.TIMED_OUT), f"promotion {id} is still {view['state']}", f"fairlead why {id}"
                )
            view = _next(api, view, min(left, POLL_SECONDS))
            show(view)
    return view


def exit_code(view: Any) -> int:
    """0 only for what succeeded."""
    return 0 if view["status"] == "succeeded" else exits.FAILED


def lines(before: Any | None, view: Any) -> Iterator[str]:
    """What has changed, in words."""
    if before is None or before["state"] != view["state"]:
        yield f"{view['release']} to {view['environment']}: {view['state']}"
    known = {task["id"]: task["state"] for task in before["tasks"]} if before else {}
    for task in view["tasks"]:
        if known.get(task["id"], "pending") != task["state"]:
            why = f" ({task['code']}: {task['detail']})" if task["code"] else ""
            yield f"  {task['target']}: {task['state']}{why}"
    told = {blocker["detail"] for blocker in before["blocked_by"]} if before else set()
    yield from (f"  {b['rule']}: {b['detail']} ({b['code']})" for b in view["blocked_by"] if b["detail"] not in told)


def picture(view: Any) -> "RenderableType":
    """The promotion as it stands, as a table."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(f"{view['release']} to {view['environment']}: {view['state']}", style="bold")]
    parts += [Text(harmless(f"  {b['rule']}: {b['detail']} ({b['code']})")) for b in view["blocked_by"]]
    if view["tasks"]:
        rows = [(t["target"], t["wave"], t["release"], t["state"], t["detail"]) for t in view["tasks"]]
        parts.append(table(("target", "wave", "release", "state", ""), rows))
    return Group(*parts)


def _next(api: "Api", view: Any, seconds: float) -> Any:
    """The next standing. A server that is away for a moment is no reason to give up."""
    until = time.monotonic() + PATIENCE_SECONDS
    wait = max(1, round(seconds))
    while True:
        try:
            return api.get(f"/promotions/{view['id']}", timeout=wait + 15.0, wait=f"{wait}s", after=view["sequence"])
        except Problem as problem:
            if problem.exit_code != exits.UNREACHABLE or time.monotonic() > until:
                raise
            time.sleep(1)


@contextmanager
def _display() -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        yield lambda view: live.update(picture(view), refresh=True)


def _plain() -> Show:
    before: Any | None = None

    def show(view: Any) -> None:
        nonlocal before
        for line in lines(before, view):
            say(line)
        before = view

    return show
