"""`config`: where the server is, whose key is used, which project is meant; and the configuration of what is deployed."""

from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli import home, layers
from fairlead.cli.output import JsonOption, print_json, print_table, say, short_digest, tell, when
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound
from fairlead.domain.nearest import did_you_mean

app = typer.Typer(
    no_args_is_help=True, help="What this command keeps at home (FAIRLEAD_HOME), and the configuration of components."
)


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
    kept = home.write_config({**home.read_config(), name: value})
    say(f"kept in {kept}")


@app.command("show")
def show(json: JsonOption = False) -> None:
    """The settings in force; the key is shown only by its beginning."""
    settings = home.settings()
    shown = {"url": settings.url, "key": settings.key[:8] + "..." if settings.key else "", "project": settings.project}
    if json:
        print_json(shown)
    else:
        print_table(("setting", "value"), shown.items())


@app.command("explain")
def explain(
    environment: Annotated[str, typer.Argument(help="An environment.")],
    target: Annotated[str | None, typer.Argument(help="One of its targets; all of them without it.")] = None,
    release: Annotated[str | None, typer.Option(help="A release's version; else the one verified there.")] = None,
    component: Annotated[str | None, typer.Option(help="One component; all of them without it.")] = None,
    json: JsonOption = False,
) -> None:
    """Show every value that components have there, and which layer, revision and person each comes from."""
    api = connect()
    answer = api.get(api.project + path("environments", environment, "config"), target=target, release=release)
    found = _of_component(answer["components"], component)
    if json:
        print_json({**answer, "components": found})
        return
    for each in found:
        rows = [(v["pointer"], json_of(v["value"]), _layer(v), _revision(v), v["actor"]) for v in each["values"]]
        title = f"{each['component']} on {each['target']}"
        print_table(("value", "is", "by the layer", "revision", "who"), rows, title=title)


def _of_component(components: list[Any], name: str | None) -> list[Any]:
    known = {each["component"] for each in components}
    if name is not None and name not in known:
        raise NotFound(Code.COMPONENT_NOT_FOUND, f"no component {name!r:.60} is there{did_you_mean(name, known)}")
    return [each for each in components if name in (None, each["component"])]


@app.command("global")
def show_global(
    file: Annotated[Path | None, typer.Option("--apply", help="Make it what this file says (YAML or JSON).")] = None,
    json: JsonOption = False,
) -> None:
    """Show or set the layer below all projects; setting it needs an admin key of all projects."""
    api = connect()
    if file:
        content = json_of(layers.read(file)).encode()
        answer = api.put("/config", content, "application/json")
    else:
        answer = api.get("/config")
    if json:
        print_json(answer)
        return
    say(
        f"revision {answer['revision']}" + (f" by {answer['actor']}, {when(answer['time'])}" if answer["actor"] else "")
    )
    tell(json_of(answer["config"]))


def json_of(value: object) -> str:
    """A value in one line."""
    return dumps(value, ensure_ascii=False, sort_keys=True)


def _layer(value: dict[str, str]) -> str:
    return f"{value['layer']} {value['name']}".strip()


def _revision(value: dict[str, str]) -> str:
    return short_digest(value["revision"]) if value["revision"].startswith("sha256:") else value["revision"]
