"""`release` and `report`: what may be promoted, and what is known about it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from fairlead.cli.files import MAX_REPORT, read_file
from fairlead.cli.layers import ConfigOption, SetOption, layer_of
from fairlead.cli.output import JsonOption, print_json, print_table, say, short_digest, when
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

app = typer.Typer(no_args_is_help=True, help="Versions with an immutable set of digests.")
reports = typer.Typer(no_args_is_help=True, help="What scanners and people found out about an image.")

FETCH_SECONDS = 300.0
"""Registries answer one after the other, and reports may be large."""

T = TypeVar("T")

Version = Annotated[str, typer.Argument(help="The release's version.")]


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    root.add_typer(app, name="release")
    root.add_typer(reports, name="report")


@app.command("create")
def create(
    version: Version,
    images: Annotated[list[str], typer.Argument(help="web=:1.2.0 (a tag) or web=@sha256:... (a digest).")],
    source: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, kept in the manifest; may be repeated.")] = None,
    settings: SetOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Create a release; tags are resolved to digests now."""
    body: dict[str, Any] = {"version": version, "components": _each_once(_image(text) for text in images)}
    if source:
        body["source"] = _each_once(_pair(text) for text in source)
    if layer := layer_of(config, settings):
        body["config"] = layer
    api = connect()
    made = api.post(f"{api.project}/releases", body)
    print_json(made) if json else _print_release(made)


@app.command("list")
def show_list(limit: Annotated[int, typer.Option(min=1, max=200)] = 20, json: JsonOption = False) -> None:
    """Releases, newest first."""
    api = connect()
    answer = api.get(f"{api.project}/releases", limit=limit)
    if json:
        print_json(answer)
        return
    rows = [
        (r["version"], r["state"], short_digest(r["digest"]), r["created_by"], when(r["created_at"]))
        for r in answer["items"]
    ]
    print_table(("release", "state", "digest", "by", "created"), rows)


@app.command("show")
def show(version: Version, json: JsonOption = False) -> None:
    """A release and its digests."""
    api = connect()
    answer = api.get(api.project + path("releases", version))
    print_json(answer) if json else _print_release(answer)


@app.command("deprecate")
def deprecate(
    version: Version,
    undo: Annotated[bool, typer.Option("--undo", help="Let it be promoted again.")] = False,
    json: JsonOption = False,
) -> None:
    """Let nobody promote a release any more."""
    api = connect()
    answer = api.patch(api.project + path("releases", version), {"state": "active" if undo else "deprecated"})
    print_json(answer) if json else say(f"{version} is {answer['state']}")


@reports.command("import")
def import_report(
    digest: Annotated[str, typer.Argument(help="The manifest digest that the report is about.")],
    file: Annotated[Path, typer.Argument(help="Trivy JSON or OpenVEX.")],
    json: JsonOption = False,
) -> None:
    """Import a scan report or VEX document."""
    content = read_file(file, MAX_REPORT)
    api = connect()
    answer = api.post(f"{api.project}/reports", content=content, digest=digest)
    print_json(answer) if json else say(f"{answer['kind']} report about {short_digest(answer['digest'])} imported")


@reports.command("fetch")
def fetch_reports(version: Version, json: JsonOption = False) -> None:
    """Import the reports that are attached to a release's images in their registries (OCI referrers)."""
    api = connect()
    found = api.post(api.project + path("releases", version) + "/reports", timeout=FETCH_SECONDS)
    if json:
        print_json(found)
        return
    for report in found["imported"]:
        say(f"{report['kind']} report about {short_digest(report['digest'])} imported")
    for other in found["passed_over"]:
        about = f"{short_digest(other['attached'])} at {short_digest(other['digest'])}"
        say(f"{about} is passed over: {other['detail']} ({other['code']})")
    say(f"{len(found['imported'])} imported")


def _image(text: str) -> tuple[str, dict[str, str]]:
    name, _, reference = text.partition("=")
    if name and reference[:1] == ":" and reference[1:]:
        return name, {"tag": reference[1:]}
    if name and reference[:1] == "@" and reference[1:]:
        return name, {"digest": reference[1:]}
    raise BadInput(Code.BAD_REFERENCE, f"{text!r} is not COMPONENT=:TAG or COMPONENT=@DIGEST")


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not name or not found:
        raise BadInput(Code.BAD_VALUE, f"{text!r} is not NAME=VALUE")
    return name, value


def _each_once(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Two images of one component are a mistake, whichever was meant."""
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise BadInput(Code.DUPLICATE_KEY, f"{name!r:.60} is given twice")
        found[name] = value
    return found


def _print_release(release: Any) -> None:
    title = f"{release['version']} {release['state']} {short_digest(release['digest'])} by {release['created_by']}, {when(release['created_at'])}"
    parts = release["manifest"]["components"].items()
    rows = [
        (name, part["repository"], short_digest(part["digest"]), ", ".join(part.get("platforms") or ()))
        for name, part in parts
    ]
    print_table(("component", "repository", "digest", "platforms"), rows, title=title)
