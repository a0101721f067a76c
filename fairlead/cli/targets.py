"""`target`: the inventory, maintenance and return."""

from typing import Annotated, Any

import typer

from fairlead.cli import exits
from fairlead.cli.doctor import SIGNS
from fairlead.cli.output import JsonOption, print_json, print_table, say, state_of, tell, when
from fairlead.cli.restraints import For, Until, Why
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.grades import Grade

app = typer.Typer(no_args_is_help=True, help="Targets: what there is, maintenance, retiring.")

CHECK_SECONDS = 300.0
Target = Annotated[str, typer.Argument(help="A target of the catalogue.")]


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    root.add_typer(app, name="target")


@app.command("list")
def show_list(
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", metavar="NAME=VALUE", help="Only those with it; may be repeated."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Targets with their labels and states, and what was last verified there."""
    api = connect()
    answer = api.get(f"{api.project}/targets", label=label or [])
    if json:
        print_json(answer)
        return
    rows = [
        (
            t["name"],
            t["type"],
            t["environment"] or "none",
            ",".join(f"{name}={value}" for name, value in sorted(t["labels"].items())),
            _state(t["status"]),
            t["release"] or "nothing",
        )
        for t in answer["items"]
    ]
    print_table(("target", "type", "environment", "labels", "state", "runs"), rows)


@app.command("maintenance")
def maintenance(target: Target, reason: Why, for_: For = None, until: Until = None, json: JsonOption = False) -> None:
    """Let no promotion change a target; what runs there stays."""
    wanted = {"reason": reason, "for": for_, "until": until}
    api = connect()
    body = {name: value for name, value in wanted.items() if value is not None}
    made = api.post(api.project + path("targets", target, "maintenance"), body)
    print_json(made) if json else say(f"{target}: {_state(made)}, {made['reason']}")


@app.command("activate")
def activate(
    target: Target,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")] = "",
    json: JsonOption = False,
) -> None:
    """Let promotions go to a target again, after maintenance or when it was retired."""
    api = connect()
    made = api.post(api.project + path("targets", target, "activate"), {"reason": reason})
    print_json(made) if json else say(f"{target}: {_state(made)}")


@app.command("check")
def check(
    target: Annotated[str | None, typer.Argument(help="A target of the catalogue.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All targets.")] = False,
    json: JsonOption = False,
) -> None:
    """Have a worker ask a target: can it be reached, what is it, clock, room, rights; exits 1 where something is wrong."""
    if (target is None) is not every:
        raise BadInput(Code.MISSING_FIELD, "name a target, or say --all")
    api = connect()
    answer = api.post(f"{api.project}/target-checks", {"target": target} if target else {}, timeout=CHECK_SECONDS)
    if json:
        print_json(answer)
    else:
        for checked in answer["items"]:
            _tell(checked)
    if any(found["grade"] == Grade.FAILED for checked in answer["items"] for found in checked["items"]):
        raise typer.Exit(exits.FAILED)


def _tell(checked: Any) -> None:
    tell(checked["target"])
    for found in checked["items"]:
        code = f" ({found['code']})" if found["code"] else ""
        tell(f"  {SIGNS[Grade(found['grade'])]} {found['check']}: {found['detail']}{code}")
        if found["fix"]:
            tell(f"      fix: {found['fix']}")


def _state(status: Any) -> str:
    words = state_of(status)
    return f"{words} until {when(status['until'])}" if status["until"] else words
