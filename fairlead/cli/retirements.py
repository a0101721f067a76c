"""`target retire`, `environment retire` and `component retire`: take down what runs, by a promotion like any other."""

from typing import Annotated, Any

import typer

from fairlead.cli import targets, watching
from fairlead.cli.output import JsonOption, print_json, say
from fairlead.cli.promotions import Timeout, Wait, print_plan, seconds_of
from fairlead.cli.restraints import Why
from fairlead.cli.session import connect, path

environments = typer.Typer(no_args_is_help=True, help="Environments: retiring.")
components = typer.Typer(no_args_is_help=True, help="Components in an environment: retiring and return.")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be taken down.")]
Through = Annotated[str | None, typer.Option("--through-hold", metavar="REASON", help="Pass a hold, for this reason.")]
Environment = Annotated[str, typer.Option("--environment", "--env", help="The environment.")]
Component = Annotated[str, typer.Argument(help="A component that runs there.")]


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
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take down what runs on a target; afterwards no promotion goes there."""
    _retire(("targets", target), reason, through, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def retire_environment(
    environment: Annotated[str, typer.Argument(help="An environment.")],
    reason: Why = "",
    dry_run: DryRun = False,
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take down all that runs in an environment; afterwards no promotion goes there."""
    _retire(("environments", environment), reason, through, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def retire_component(
    component: Component,
    environment: Environment,
    reason: Why = "",
    dry_run: DryRun = False,
    through: Through = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    json: JsonOption = False,
) -> None:
    """Take a component down in an environment; afterwards no promotion brings it there."""
    where = ("environments", environment, "components", component)
    _retire(where, reason, through, dry_run=dry_run, wait=wait, timeout=timeout, json=json)


def activate_component(component: Component, environment: Environment, json: JsonOption = False) -> None:
    """Let promotions bring a component to an environment again."""
    api = connect()
    made = api.post(api.project + path("environments", environment, "components", component, "activate"))
    if json:
        print_json(made)
    say(f"{component}: promotions bring it to {environment}" + ("" if made["was_retired"] else ", as they did"))


def _retire(
    where: tuple[str, ...],
    reason: str,
    through: str | None,
    *,
    dry_run: bool,
    wait: bool,
    timeout: str,
    json: bool,
) -> None:
    api, seconds = connect(), seconds_of(timeout)
    place = api.project + path(*where, "retirement")
    if dry_run:
        answer = api.get(place)
        print_json(answer) if json else print_plan(answer)
        return
    asked = api.post(place, {"reason": reason} if through is None else {"reason": reason, "through_hold": through})
    if wait and asked["promotion"]:
        _follow(api, asked, seconds, json=json)
    elif json:
        print_json(asked)
    else:
        _tell(where[-1], asked)


def _tell(name: str, asked: Any) -> None:
    made = asked["promotion"]
    if made is None:
        say(f"{name} is retired; nothing ran there")
    else:
        typer.echo(f"promotion {made['id']} retires {name} of {made['environment']}")


def _follow(api: Any, asked: Any, seconds: float, *, json: bool) -> None:
    view = watching.follow(api, asked["promotion"]["id"], timeout=seconds)
    if json:
        print_json(view)
    else:
        say(f"{view['state']}{': ' + view['detail'] if view['detail'] else ''}")
    raise typer.Exit(watching.exit_code(view))
