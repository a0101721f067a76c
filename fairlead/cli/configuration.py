"""`config`: where the server is, whose key is used, which project is meant."""

from typing import Annotated

import typer

from fairlead.cli import home
from fairlead.cli.output import JsonOption, print_json, print_table, say
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.nearest import did_you_mean

app = typer.Typer(no_args_is_help=True, help="What this command keeps at home (FAIRLEAD_HOME).")


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    root.add_typer(app, name="config")


@app.command("set")
def set_value(
    name: Annotated[str, typer.Argument(help="url, key or project.")], value: Annotated[str, typer.Argument()]
) -> None:
    """Keep a setting; FAIRLEAD_URL, FAIRLEAD_KEY and FAIRLEAD_PROJECT win over it."""
    if name not in home.NAMES:
        raise BadInput(Code.UNKNOWN_FIELD, f"no setting is called {name!r}{did_you_mean(name, home.NAMES)}")
    path = home.write_config({**home.read_config(), name: value})
    say(f"kept in {path}")


@app.command("show")
def show(json: JsonOption = False) -> None:
    """The settings in force; the key is shown only by its beginning."""
    settings = home.settings()
    shown = {"url": settings.url, "key": settings.key[:8] + "..." if settings.key else "", "project": settings.project}
    if json:
        print_json(shown)
    else:
        print_table(("setting", "value"), shown.items())
