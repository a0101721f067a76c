"""`diff` and `apply`: a plan of changes first, like Terraform."""

import sys
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.files import MAX_CATALOGUE, read_file
from fairlead.cli.output import JsonOption, print_json, say, tell
from fairlead.cli.session import connect_as
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.files import is_path, named_files

_SIGNS = {"create": "+", "change": "~", "remove": "-"}

FileArgument = Annotated[Path, typer.Argument(help="The catalogue.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("diff")(diff)
    app.command("apply")(apply)
    app.command("schema")(schema)


def diff(file: FileArgument = Path("fairlead.yaml"), json: JsonOption = False) -> None:
    """Show what applying a catalogue would change."""
    answer = _read(file).put(dry_run=True)
    print_json(answer) if json else _print_changes(answer)


def apply(
    file: FileArgument = Path("fairlead.yaml"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Make the project what its catalogue says, after showing what changes."""
    content = _read(file)
    planned = content.put(dry_run=True)
    if not json:
        _print_changes(planned)
    if planned["changes"] and not yes:
        _confirm()
    done = (
        content.put(dry_run=False, shown=planned["revision"])
        if planned["changes"] or not planned["revision"]
        else planned
    )
    if json:
        print_json(done)
    say(f"{done['project']} is at revision {done['revision']}")


def schema() -> None:
    """Print the JSON Schema of the catalogue, for editors; it needs no server."""
    from fairlead.domain import catalogue_schema

    print_json(catalogue_schema.schema())


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise BadInput(Code.MISSING_FIELD, "there is nobody to ask", hint="--yes")
    typer.confirm("apply these changes?", abort=True, err=True)


@dataclass(frozen=True, slots=True)
class Content:
    """A catalogue as it goes over the wire, alone or with the files that it names."""

    project: str
    body: bytes
    media_type: str = "application/yaml"
    file: str = "fairlead.yaml"

    def put(self, *, dry_run: bool, shown: int | None = None) -> Any:
        """Send it. `shown`: the revision that its changes were shown against."""
        api = connect_as(self.project)
        against = {} if shown is None else {"shown": str(shown)}
        return api.put(
            api.project, self.body, self.media_type, dry_run=str(dry_run).lower(), file=self.file[-200:], **against
        )


def _read(file: Path) -> Content:
    """The catalogue, with the files beside it that it names. What is wrong with it is for the server to say."""
    text = read_file(file, MAX_CATALOGUE)
    tree = _tree(text)
    said = tree.get("files")
    wanted = [path for path in named_files(tree) if is_path(path) and not (isinstance(said, dict) and path in said)]
    project = str(tree.get("project", ""))
    if not wanted:
        return Content(project, text, file=str(file))
    folder = Path() if str(file) == "-" else file.parent
    files = {path: _text_of(folder / path) for path in wanted}
    bundled = {"catalogue": text.decode(errors="replace"), "files": files}
    return Content(project, dumps(bundled).encode(), "application/vnd.fairlead.catalogue+json", str(file))


def _text_of(file: Path) -> str:
    try:
        return read_file(file, MAX_CATALOGUE).decode()
    except UnicodeDecodeError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{file} is not UTF-8") from error


def _tree(content: bytes) -> dict[str, Any]:
    import yaml

    try:
        # What aliases stand for could be without end; the server takes none, and says so.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader=yaml.CSafeLoader)):
            return {}
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _print_changes(answer: Any) -> None:
    if not answer["changes"]:
        tell(f"{answer['project']}: no changes")
        return
    for change in answer["changes"]:
        tell(f"{_SIGNS[change['action']]} {change['kind']} {change['name']}")
        if change["action"] == "change":
            for path, values in change["fields"].items():
                tell(f"    {path}: {_brief(values['old'])} -> {_brief(values['new'])}")


def _brief(value: Any) -> str:
    text = "(nothing)" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
