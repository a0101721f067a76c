"""`evidence export|trust|replay`: what needs the server, beside `verify`, which does not."""

from pathlib import Path
from typing import Annotated

import typer

from fairlead.cli import exits
from fairlead.cli.evidence import app, read_older_checkpoint
from fairlead.cli.output import JsonOption, print_json, print_table, say
from fairlead.cli.promotions import Promotion
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of stdout.")]


@app.command("export")
def export(
    promotion: Promotion,
    output: Output = None,
    since: Annotated[
        Path | None,
        typer.Option(help="An older checkpoint, or an older bundle: adds the proof that the ledger continues it."),
    ] = None,
) -> None:
    """Fetch a promotion's evidence bundle."""
    checkpoint = None if since is None else read_older_checkpoint(since)
    _write(connect().get_raw(path("promotions", promotion, "evidence"), since=checkpoint).content, output)


@app.command("trust")
def trust(output: Output = None) -> None:
    """Fetch the project's trust file; hand it over by another way than the bundles."""
    api = connect()
    _write(api.get_raw(f"{api.project}/trust").content, output)


@app.command("replay")
def replay(promotion: Promotion, json: JsonOption = False) -> None:
    """Judge the kept facts again: the same facts must give the same verdict; exit 1 where they do not."""
    answer = connect().get(path("promotions", promotion, "replay"))
    if json:
        print_json(answer)
    else:
        rows = [
            (v["gate"], v["decision"], v["decision_now"] or "facts not kept", "same" if v["same"] else "DIFFERS")
            for v in answer["verdicts"]
        ]
        print_table(("gate", "recorded", "again", ""), rows)
    raise typer.Exit(0 if answer["same"] else exits.FAILED)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        typer.echo(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise BadInput(Code.BAD_VALUE, f"{output} cannot be written: {error.strerror}") from error
    say(f"{len(content)} bytes written to {output}")
