"""`diff` and `apply`: a plan of changes first, like Terraform."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.output import JsonOption, print_json, say
from fairlead.cli.session import connect_as
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound

_SIGNS = {"create": "+", "change": "~", "remove": "-"}

FileArgument = Annotated[Path, typer.Argument(help="The catalogue.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("diff")(diff)
    app.command("apply")(apply)


def diff(file: FileArgument = Path("fairlead.yaml"), json: JsonOption = False) -> None:
    """Show what applying a catalogue would change."""
    answer = _put(_read(file), dry_run=True)
    print_json(answer) if json else _print_changes(answer)


def apply(
    file: FileArgument = Path("fairlead.yaml"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Make the project what its catalogue says, after showing what changes."""
    content = _read(file)
    planned = _put(content, dry_run=True)
    if not json:
        _print_changes(planned)
    if planned["changes"] and not yes:
        _confirm()
    done = _put(content, dry_run=False) if planned["changes"] or not planned["revision"] else planned
    if json:
        print_json(done)
    say(f"{done['project']} is at revision {done['revision']}")


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise BadInput(Code.MISSING_FIELD, "there is nobody to ask", hint="--yes")
    typer.confirm("apply these changes?", abort=True, err=True)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise NotFound(Code.NOT_FOUND, f"{file} cannot be read: {error.strerror}") from error


def _put(content: bytes, *, dry_run: bool) -> Any:
    api = connect_as(_project_in(content))
    return api.put(api.project, content, dry_run=str(dry_run).lower())


def _project_in(content: bytes) -> str:
    """The project that a catalogue names. What is wrong with the rest is for the server to say."""
    import yaml

    try:
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return ""
    return str(tree.get("project", "")) if isinstance(tree, dict) else ""


def _print_changes(answer: Any) -> None:
    if not answer["changes"]:
        typer.echo(f"{answer['project']}: no changes")
        return
    for change in answer["changes"]:
        typer.echo(f"{_SIGNS[change['action']]} {change['kind']} {change['name']}")
        if change["action"] == "change":
            for path, values in change["fields"].items():
                typer.echo(f"    {path}: {_brief(values['old'])} -> {_brief(values['new'])}")


def _brief(value: Any) -> str:
    text = "(nothing)" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
