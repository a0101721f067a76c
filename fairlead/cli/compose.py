"""`compose check`: what is safe in a compose file and what is not, before anybody deploys it. Asks no server and no engine."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli import exits
from fairlead.cli.output import JsonOption, print_json, print_table, say
from fairlead.domain.codes import Code
from fairlead.domain.compose.risks import ALLOWABLE, Finding, Level, find, refuses
from fairlead.domain.compose.shapes import awaited, mapping
from fairlead.domain.errors import BadInput, NotFound
from fairlead.domain.nearest import did_you_mean

app = typer.Typer(no_args_is_help=True, help="The team's own compose files.")


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    root.add_typer(app, name="compose")


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The compose file.")],
    component: Annotated[
        list[str] | None, typer.Option(help="A service whose image comes from the release (again for each).")
    ] = None,
    allow: Annotated[list[str] | None, typer.Option(help="What the target allows (again for each).")] = None,
    json: JsonOption = False,
) -> None:
    """Say what is safe; ends with 2 when something would be refused."""
    given, allowed = component or [], allow or []
    document = _read(file)
    _refuse_strangers(given, mapping(document.get("services")), "a service of this file")
    _refuse_strangers(allowed, ALLOWABLE, "anything that can be allowed")
    findings = list(find(document, given, awaited(mapping(document.get("services")))))
    shown = [_shown(finding, allowed) for finding in findings]
    safe = not any(refuses(finding, allowed) for finding in findings)
    if json:
        print_json({"file": str(file), "safe": safe, "findings": shown})
    else:
        print_table(("", "where", "rule", "what"), [(f["level"], f["pointer"], f["rule"], f["detail"]) for f in shown])
        say(f"{file}: {'nothing would be refused' if safe else 'it would be refused'}")
    raise typer.Exit(0 if safe else exits.USAGE)


def _shown(finding: Finding, allowed: list[str]) -> dict[str, Any]:
    level = "allowed" if finding.level is Level.UNSAFE and not refuses(finding, allowed) else finding.level.value
    return {"level": level, "rule": finding.rule, "pointer": finding.pointer, "detail": finding.detail}


def _refuse_strangers(names: list[str], known: Any, what: str) -> None:
    for name in names:
        if name not in known:
            raise BadInput(Code.UNKNOWN_NAME, f"{name!r:.60} is not {what}{did_you_mean(name, list(known))}")


def _read(file: Path) -> dict[str, Any]:
    from fairlead.adapters.compose_yaml import read

    try:
        text = file.read_bytes().decode()
    except OSError as error:
        raise NotFound(Code.NOT_FOUND, f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{file} is not UTF-8") from error
    return read(text)
