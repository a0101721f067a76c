"""`target retire`, `environment retire` and `component retire`: take down what runs, or hand it over, by a promotion like any other."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fairlead.cli import targets, watching
from fairlead.cli.output import JsonOption, print_json, say, tell
from fairlead.cli.promotions import Timeout, Wait, print_plan, seconds_of
from fairlead.cli.restraints import Why
from fairlead.cli.session import connect, path

environments = typer.Typer(no_args_is_help=True, help="Environments: retiring.")
components = typer.Typer(no_args_is_help=True, help="Components in an environment: retiring and return.")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be taken down.")]
HandOver = Annotated[bool, typer.Option("--hand-over", help="Leave what runs running, and give it up.")]
Through = Annotated[str | None, typer.Option("--through-hold", metavar="REASON", help="Pass a hold, for this reason.")]
Environment = Annotated[str, typer.Option("--environment", "--env", help="The environment.")]
Component = Annotated[str, typer.Argument(help="A component that runs there.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be retired, by its path, and how."""

    where: tuple[str, ...]
    reason: str
    through: str | None
    hand_over: bool

    def body(self) -> dict[str, Any]:
        """What is asked for; what is as usual is left out."""
        more = {"through_hold": self.through, "hand_over": self.hand_over or None}
        return {"reason": self.reason, **{name: value for name, value in more.items() if value is not None}}


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    targets.app.command("retire")(retire_target)
    environments.command("retire")(retire_environment)
    components.command("retire")(retire_component)
    components.command("activate")(activate_component)
    # A group of one command would be that command.
    environments.callback()(lambda: None)
    root.add_typer(environments, name="environment")
    root.add_typer(components, name="component")


def retire_target(
    target: targets.Target,
    reason: Why = "",
    dry_run: DryRun = False,
    hand_over: HandOver = False,
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take down what runs on a target, or hand it over; afterwards no promotion goes there."""
    wanted = Wanted(("targets", target), reason, through, hand_over)
    _retire(wanted, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def retire_environment(
    environment: Annotated[str, typer.Argument(help="An environment.")],
    reason: Why = "",
    dry_run: DryRun = False,
    hand_over: HandOver = False,
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take down all that runs in an environment, or hand it over; afterwards no promotion goes there."""
    wanted = Wanted(("environments", environment), reason, through, hand_over)
    _retire(wanted, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def retire_component(
    component: Component,
    environment: Environment,
    reason: Why = "",
    dry_run: DryRun = False,
    hand_over: HandOver = False,
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take a component down in an environment; afterwards no promotion brings it there."""
    wanted = Wanted(("environments", environment, "components", component), reason, through, hand_over)
    _retire(wanted, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def activate_component(component: Component, environment: Environment, json: JsonOption = False) -> None:
    """Let promotions bring a component to an environment again."""
    api = connect()
    made = api.post(api.project + path("environments", environment, "components", component, "activate"))
    if json:
        print_json(made)
    say(f"{component}: promotions bring it to {environment}" + ("" if made["was_retired"] else ", as they did"))


def _retire(wanted: Wanted, *, dry_run: bool, wait: bool, timeout: str, json: bool) -> None:
    api, seconds = connect(), seconds_of(timeout)
    place = api.project + path(*wanted.where, "retirement")
    if dry_run:
        answer = api.get(place, hand_over="true") if wanted.hand_over else api.get(place)
        print_json(answer) if json else print_plan(answer)
        return
    asked = api.post(place, wanted.body())
    if wait and asked["promotion"]:
        _follow(api, asked, seconds, json=json)
    elif json:
        print_json(asked)
    else:
        _tell(wanted, asked)


def _tell(wanted: Wanted, asked: Any) -> None:
    name, made = wanted.where[-1], asked["promotion"]
    does = "hands over" if wanted.hand_over else "retires"
    if made is None:
        say(f"{name} is retired; nothing ran there")
    else:
        tell(f"promotion {made['id']} {does} {name} of {made['environment']}")


def _follow(api: Any, asked: Any, seconds: float, *, json: bool) -> None:
    view = watching.follow(api, asked["promotion"]["id"], timeout=seconds)
    if json:
        print_json(view)
    else:
        say(f"{view['state']}{': ' + view['detail'] if view['detail'] else ''}")
    raise typer.Exit(watching.exit_code(view))
