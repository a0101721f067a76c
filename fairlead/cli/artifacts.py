"""`artifacts`: what a deployment sent to its targets, as it was sent."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.output import JsonOption, print_json, print_table, say
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict

DeploymentId = Annotated[
    str,
    typer.Argument(
        metavar="DEPLOYMENT", help="A promotion's id or unique prefix, `.rollback` behind it for its rollback."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("artifacts")(artifacts)


def artifacts(
    deployment: DeploymentId,
    output: Annotated[Path | None, typer.Option(help="Write the files below this folder, TARGET/NAME.")] = None,
    json: JsonOption = False,
) -> None:
    """List the files that were sent to each target; their digests stand in the sealed deployment statement."""
    api = connect()
    items = api.get(f"/deployments{path(deployment)}/artifacts")["items"]
    if output:
        for sent in items:
            for file in sent["files"]:
                content = api.get_raw(f"/deployments{path(deployment)}/artifacts{path(file['digest'])}").content
                _write(output, sent["target"], file, content)
    if json:
        print_json({"items": items})
        return
    rows = [(sent["target"], file["name"], file["size"], file["digest"]) for sent in items for file in sent["files"]]
    print_table(("target", "file", "bytes", "digest"), rows)


def _write(folder: Path, target: str, file: dict[str, Any], content: bytes) -> None:
    """Raises Conflict (digest_mismatch) for other bytes than were sealed, BadInput for a name that leads elsewhere."""
    from fairlead.contracts.canonical import digest_bytes

    if digest_bytes(content) != file["digest"]:
        raise Conflict(Code.DIGEST_MISMATCH, f"{file['name']} of {target} is not what {file['digest']} stands for")
    parts = [target, *str(file["name"]).split("/")]
    if any(part in {"", ".", ".."} for part in parts):
        raise BadInput(Code.BAD_NAME, f"{file['name']!r:.80} cannot be the name of a file")
    place = folder.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    say(f"wrote {place}")
