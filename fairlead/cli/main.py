"""The `fairlead` command: commands by subject, and whatever joins by the entry point group `fairlead.cli_commands`."""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from fairlead.cli import (
    artifacts,
    catalogue,
    compose,
    configuration,
    discovering,
    doctor,
    environments,
    keys,
    logs,
    promotions,
    releases,
    restraints,
    retirements,
    targets,
    voting,
)
from fairlead.cli.output import report, say
from fairlead.cli.problem import Problem
from fairlead.domain.errors import FairleadError

GROUP = "fairlead.cli_commands"
_SUBJECTS = (
    catalogue,
    releases,
    promotions,
    voting,
    environments,
    logs,
    restraints,
    keys,
    configuration,
    doctor,
    artifacts,
    compose,
    targets,
    retirements,
    discovering,
)


_LAZY = {"evidence": "fairlead.cli.evidence_export"}
"""Groups whose modules are slow to import, with where they are found."""


class Commands(TyperGroup):
    """Turns what was refused into words and an exit code; everything else is a bug and may show its traceback."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_LAZY]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _LAZY:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_group(import_module(_LAZY[cmd_name]).app)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            told = problem
        except FairleadError as error:
            told = Problem.from_error(error)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        report(told, ctx)
        raise typer.Exit(told.exit_code)


def build() -> typer.Typer:
    """All commands, ours first."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Move releases by digest through real targets, with evidence that anyone can verify.",
    )
    for subject in _SUBJECTS:
        subject.register(app)
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        _join(app, entry)
    return app


def _join(app: typer.Typer, entry: Any) -> None:
    try:
        entry.load()(app)
    except Exception as error:  # whatever somebody else's module raises, our commands must go on working
        say(f"the commands of {entry.name} ({entry.value}) cannot be loaded: {error!r}")


def main() -> None:
    """Run the command line; exits with the codes of interface.md 3."""
    sys.exit(build()())


if __name__ == "__main__":
    main()
