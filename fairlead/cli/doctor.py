"""`doctor`: what is installed, reachable, expired or misconfigured, from this machine to the server's own parts, with the fix."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fairlead import __version__
from fairlead.cli import clock, exits, home
from fairlead.cli.output import JsonOption, print_json, tell
from fairlead.cli.problem import Problem
from fairlead.domain.errors import BadInput
from fairlead.domain.grades import Finding, Grade, bad, doubtful, good

if TYPE_CHECKING:
    from fairlead.cli.client import Api

SKEW = timedelta(minutes=1)
"""Votes are refused when clocks differ by five minutes; well before that somebody should know."""
ROOM = 1024**3
SIGNS = {Grade.OK: "✓", Grade.WARNING: "!", Grade.FAILED: "✗"}


def register(app: typer.Typer) -> None:
    """Add the command of this subject."""
    app.command("doctor")(doctor)


def doctor(json: JsonOption = False) -> None:
    """Look at everything that must be right for releases to move; exits 1 where something is not."""
    found = [*_here(), *_there()]
    if json:
        print_json({"items": [asdict(finding) for finding in found]})
    else:
        _tell(found)
    if any(finding.grade is Grade.FAILED for finding in found):
        raise typer.Exit(exits.FAILED)


def _tell(found: list[Finding]) -> None:
    for finding in found:
        tell(f"{SIGNS[finding.grade]} {finding.check}: {finding.detail}")
        if finding.fix:
            tell(f"    fix: {finding.fix}")


def _here() -> Iterator[Finding]:
    yield good("version", f"fairlead {__version__} on Python {sys.version.split()[0]}")
    yield _signing_key(home.key_path())
    yield _room(home.folder())


def _signing_key(path: Path) -> Finding:
    if not path.exists():
        return doubtful("signing key", f"there is none in {path}; votes need one", "fairlead keys new")
    try:
        keyid = home.signer().keyid
    except BadInput as error:
        return bad("signing key", error.detail, "restore it, or fairlead keys new and have the new one declared")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return bad("signing key", f"others may read {path}", f"chmod 600 {path}")
    return good("signing key", f"{keyid[:16]}")


def _room(folder: Path) -> Finding:
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(nearest).free
    if free < ROOM:
        return doubtful("disk", f"{free // 1024**2} MiB are free at {nearest}", "make room")
    return good("disk", f"{free // 1024**3} GiB are free at {nearest}")


def _there() -> Iterator[Finding]:
    """The server, as far as it can be reached; the first thing that is wrong ends the way to the next."""
    from fairlead.cli.client import Api

    try:
        settings = home.settings()
        api = Api(settings)
    except BadInput as error:
        yield bad("settings", error.detail, error.hint or "fairlead config show")
        return
    yield from _server(api, settings)


def _server(api: "Api", settings: home.Settings) -> Iterator[Finding]:
    try:
        answer = api.get_raw("/doctor")
    except Problem as problem:
        yield bad("server", problem.detail, problem.hint or "look at the server's log")
        return
    yield good("server", settings.url)
    yield _clocks(answer.headers.get("date"))
    for item in answer.json()["items"]:
        yield Finding(item["check"], Grade(item["grade"]), item["detail"], item.get("fix"))
    yield _project(api, settings)


def _clocks(said: str | None) -> Finding:
    there = _instant(said)
    if there is None:
        return doubtful("clock", "the server does not tell its time", "compare the clocks of both machines by hand")
    apart = abs(clock.now() - there)
    if apart > SKEW:
        detail = f"this clock and the server's are {int(apart.total_seconds())} s apart"
        return bad("clock", f"{detail}; votes are refused from five minutes on", "set both by NTP")
    return good("clock", "as the server's")


def _instant(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _project(api: "Api", settings: home.Settings) -> Finding:
    if not settings.project:
        return doubtful("project", "none is chosen", "FAIRLEAD_PROJECT, or fairlead config set project NAME")
    try:
        kept = api.get(api.project)
    except Problem as problem:
        return bad(
            "project",
            problem.detail,
            "fairlead apply" if os.path.exists("fairlead.yaml") else "see fairlead config show",
        )
    return good("project", f"{kept['name']} at revision {kept['revision']}")
