"""What people and programs read: results on stdout, progress and problems on stderr."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli import clock
from fairlead.cli.problem import Problem
from fairlead.domain.printed import harmless

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 200
_AS_JSON = "fairlead.json"
_SPANS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def _note_json(context: typer.Context, value: bool) -> bool:
    """So that a refusal is told in the same form."""
    context.meta[_AS_JSON] = value
    return value


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=_note_json, is_eager=True)]


def print_json(value: Any) -> None:
    """A result for programs."""
    typer.echo(json.dumps(value, indent=2))


def tell(text: str) -> None:
    """A result for people. What it quotes may have been written by anybody."""
    typer.echo(harmless(text))


def say(text: str) -> None:
    """Progress."""
    typer.echo(harmless(text), err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A result for people."""
    from rich.console import Console

    Console(file=sys.stdout, highlight=False, width=_width()).print(table(columns, rows, title=title))


def _width() -> int | None:
    """A file or a pipe has no width of its own: what goes there is read later, and should not be cut."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> "Table":
    """A compact table."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, expand=False)
    for row in rows:
        made.add_row(*(Text("" if cell is None else harmless(str(cell))) for cell in row))
    return made


def report(problem: Problem, context: typer.Context) -> None:
    """Tell what went wrong: JSON on stdout where JSON was asked for, words on stderr always."""
    if context.meta.get(_AS_JSON):
        print_json(problem.document())
    say(f"{problem.detail} ({problem.code})")
    for error in problem.errors:
        say(f"  {_place(error)}{error.get('detail', '')}")
    if problem.hint:
        say(f"  hint: {problem.hint}")


def _place(error: dict[str, Any]) -> str:
    line, column = error.get("line"), error.get("column")
    where = f"line {line}, column {column}" if line else ""
    parts = [part for part in (where, error.get("pointer") or error.get("parameter")) if part]
    return f"{', '.join(parts)}: " if parts else ""


def short_digest(digest: str | None) -> str:
    """`sha256:` and twelve digits: enough to tell apart by eye."""
    return "" if digest is None else digest[:19]


def short_ids(ids: Iterable[str], least: int = 6) -> dict[str, str]:
    """Each id by the shortest prefix that none of the others begins with."""
    known = sorted(set(ids))
    return {id: _shortest(id, known, least) for id in known}


def _shortest(id: str, known: Sequence[str], least: int) -> str:
    others = [other for other in known if other != id]
    lengths = range(min(least, len(id)), len(id) + 1)
    return next((id[:n] for n in lengths if not any(other.startswith(id[:n]) for other in others)), id)


def state_of(status: Mapping[str, Any]) -> str:
    """The state of a target; of one that is retired also whether what ran there goes on running, as somebody else's."""
    handed_over = {"retired": " (handed over)", "retiring": " (to be handed over)"} if status["handed_over"] else {}
    return f"{status['state']}{handed_over.get(status['state'], '')}"


def when(text: str | None) -> str:
    """An instant, absolute and relative."""
    if text is None:
        return ""
    instant = datetime.fromisoformat(text)
    return f"{instant:%Y-%m-%d %H:%M:%S}Z ({relative(instant, clock.now())})"


def relative(instant: datetime, now: datetime) -> str:
    """`3m ago`, `in 2h`."""
    seconds = int((instant - now).total_seconds())
    if seconds == 0:
        return "now"
    size, unit = next((span for span in _SPANS if abs(seconds) >= span[0]), _SPANS[-1])
    count = f"{abs(seconds) // size}{unit}"
    return f"in {count}" if seconds > 0 else f"{count} ago"
