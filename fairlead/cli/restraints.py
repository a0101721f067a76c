"""`freeze`, `thaw`, `hold` and `resume`."""

from typing import Annotated, Any

import typer

from fairlead.cli.output import JsonOption, print_json, say, when
from fairlead.cli.promotions import Environment
from fairlead.cli.session import connect, path

Why = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]
For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="For how long, such as 1h30m.")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Until when, such as 2030-01-31T18:00:00Z.")]
One = Annotated[
    str | None, typer.Option("--id", help="Only this one (a unique prefix is enough), not all that are open.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("freeze")(freeze)
    app.command("thaw")(thaw)
    app.command("hold")(hold)
    app.command("resume")(resume)


def freeze(
    environment: Environment, reason: Why, for_: For = None, until: Until = None, json: JsonOption = False
) -> None:
    """Let nobody change an environment, rollbacks apart."""
    _begin("freezes", environment, reason, for_, until, json)


def hold(
    environment: Environment, reason: Why, for_: For = None, until: Until = None, json: JsonOption = False
) -> None:
    """Stop automation in an environment."""
    _begin("holds", environment, reason, for_, until, json)


def thaw(environment: Environment, one: One = None, json: JsonOption = False) -> None:
    """End freezes."""
    _end("freezes", environment, one, json)


def resume(environment: Environment, one: One = None, json: JsonOption = False) -> None:
    """End holds."""
    _end("holds", environment, one, json)


def _begin(kind: str, environment: str, reason: str, for_: str | None, until: str | None, json: bool) -> None:
    wanted = {"reason": reason, "for": for_, "until": until}
    api = connect()
    body = {name: value for name, value in wanted.items() if value is not None}
    made = api.post(api.project + path("environments", environment, kind), body)
    print_json(made) if json else say(f"{made['kind']} {made['id']} on {environment}{_ends(made)}")


def _ends(made: Any) -> str:
    return f" until {when(made['until'])}" if made["until"] else ""


def _end(kind: str, environment: str, one: str | None, json: bool) -> None:
    api = connect()
    ended = api.delete(api.project + path("environments", environment, kind, *([one] if one else [])))
    if json:
        print_json(ended)
    for restraint in ended["items"]:
        say(f"{restraint['kind']} {restraint['id']} on {environment} ended: {restraint['reason']}")
    if not ended["items"]:
        say(f"{environment} has no open {kind}")
