"""`fairlead evidence`: the part that needs no server. Results go to stdout; exit 0 verified, 1 not, 2 nothing to judge."""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fairlead.domain.errors import FairleadError
from fairlead.domain.printed import harmless
from fairlead.evidence.bundle import read_bundle
from fairlead.evidence.checkpoint import read_checkpoint
from fairlead.evidence.limits import MAX_BUNDLE_BYTES, MAX_TRUST_BYTES
from fairlead.evidence.report import Finding, Report
from fairlead.evidence.trust import Trust, read_trust
from fairlead.evidence.verify import verify

NOT_VERIFIED = 1
BAD_INPUT = 2

app = typer.Typer(help="Sealed evidence: export it, and verify it anywhere.", no_args_is_help=True)


@app.callback()
def evidence() -> None:
    """Sealed evidence: export it, and verify it anywhere."""


@app.command("verify")
def verify_bundle(
    bundle: Annotated[Path, typer.Argument(help="A bundle, as `fairlead evidence export` writes it.")],
    trust: Annotated[Path, typer.Option("--trust", help="The trust file you were handed.")],
    since: Annotated[
        Path | None,
        typer.Option("--since", help="An older checkpoint, or an older bundle, that this ledger must continue."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Verify a bundle with nothing but the keys in the trust file: no server, no network."""
    trusted = _read_trust(trust)
    older = read_older_checkpoint(since) if since else None
    report = verify(_read(bundle, MAX_BUNDLE_BYTES), trusted, since=older)
    typer.echo(json.dumps(report.document(), indent=2) if as_json else harmless("\n".join(_lines(report))))
    raise typer.Exit(0 if report.verified else NOT_VERIFIED)


def _lines(report: Report) -> list[str]:
    lines = [_line(finding) for finding in report.findings]
    if report.on_trust:
        lines += ["", "Only the decision key's word stands for this:", *(f"  - {fact}" for fact in report.on_trust)]
    return [*lines, "", _verdict(report)]


def _line(finding: Finding) -> str:
    problems = "".join(f"\n          {' '.join(problem.splitlines())}" for problem in finding.problems)
    return f"{finding.status.value:8}{finding.rule}: {finding.demands}{problems}"


def _verdict(report: Report) -> str:
    if report.verified:
        what = f"{report.release} into {report.environment}" if report.environment else report.promotion
        return f"verified: promotion {report.promotion}, {what}, {report.state}"
    prefix = "incomplete, not verified" if report.incomplete else "NOT VERIFIED"
    return f"{prefix}: {', '.join(report.failed)}"


def _read_trust(path: Path) -> Trust:
    try:
        return read_trust(_read(path, MAX_TRUST_BYTES))
    except FairleadError as error:
        _refuse(f"{path}: {error.detail}")


def read_older_checkpoint(path: Path) -> str:
    """The text of the checkpoint that a file is or, as a bundle, holds; exits 2 for any other file."""
    data = _read(path, MAX_BUNDLE_BYTES)
    try:
        note = read_bundle(data).checkpoint if data.lstrip().startswith(b"{") else data.decode()
        read_checkpoint(note)
    except (FairleadError, UnicodeDecodeError) as error:
        _refuse(f"{path}: neither a checkpoint nor a bundle: {error}")
    return note


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            # one byte more than is taken, so that what is too large is seen to be, and not read whole
            return file.read(limit + 1)
    except OSError as error:
        _refuse(f"{path}: {error.strerror}")


def _refuse(problem: str) -> NoReturn:
    typer.echo(f"error: {problem}", err=True)
    raise typer.Exit(BAD_INPUT)
