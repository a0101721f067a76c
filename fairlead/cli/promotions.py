"""`promote`, `plan`, `rollback`, `retry`, `cancel` without a signature, and `list`: asking for change, and for what it would be."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from fairlead.cli import watching
from fairlead.cli.layers import ConfigOption, SetOption, layer_of
from fairlead.cli.output import JsonOption, print_json, print_table, say, short_digest, short_ids, state_of, tell, when
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import BadInput

FORECAST_SECONDS = 120.0
Release = Annotated[str, typer.Argument(help="A release's version.")]
Environment = Annotated[str, typer.Argument(help="An environment.")]
Promotion = Annotated[str, typer.Argument(help="A promotion's id, or a unique prefix of it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow it to its end; exit 1 unless it succeeds.")]
Timeout = Annotated[str, typer.Option(help="How long to wait; then exit 6.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("promote")(promote)
    app.command("plan")(plan)
    app.command("rollback")(rollback)
    app.command("retry")(retry)
    app.command("promotions")(show_list)


def promote(
    release: Release,
    environment: Environment,
    wait: Wait = False,
    timeout: Timeout = "1h",
    reason: Reason = "",
    through_hold: Annotated[str | None, typer.Option(metavar="REASON", help="Pass a hold, for this reason.")] = None,
    settings: SetOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Ask for a release in an environment."""
    body: dict[str, Any] = {"release": release, "environment": environment, "reason": reason}
    if layer := layer_of(config, settings):
        body["config"] = layer
    if through_hold is not None:
        body["through_hold"] = through_hold
    seconds = seconds_of(timeout)
    api = connect()
    _finish(api, api.post(f"{api.project}/promotions", body), wait=wait, seconds=seconds, json=json)


def rollback(
    environment: Environment,
    to: Annotated[str | None, typer.Option(metavar="RELEASE", help="Else the one verified before.")] = None,
    wait: Wait = False,
    timeout: Timeout = "1h",
    reason: Reason = "",
    json: JsonOption = False,
) -> None:
    """Go back to a release that was verified there before."""
    body = {"reason": reason} if to is None else {"reason": reason, "to": to}
    seconds = seconds_of(timeout)
    api = connect()
    made = api.post(api.project + path("environments", environment, "rollbacks"), body)
    _finish(api, made, wait=wait, seconds=seconds, json=json)


def retry(promotion: Promotion, wait: Wait = False, timeout: Timeout = "1h", json: JsonOption = False) -> None:
    """Ask for the same anew; votes do not carry over."""
    seconds = seconds_of(timeout)
    api = connect()
    _finish(api, api.post(path("promotions", promotion, "retry")), wait=wait, seconds=seconds, json=json)


def plan(
    release: Release,
    environment: Environment,
    from_targets: Annotated[
        bool, typer.Option("--from-targets", help="Have a worker ask the targets too what would change there.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what promoting a release would change; changes nothing."""
    api = connect()
    where, patience = ("/plan/targets", FORECAST_SECONDS) if from_targets else ("/plan", None)
    answer = api.get(f"{api.project}{where}", timeout=patience, release=release, environment=environment)
    print_json(answer) if json else print_plan(answer)


def print_plan(answer: Any) -> None:
    """A preview, target by target."""
    rows = [
        (
            target["wave"],
            target["name"],
            part["name"],
            part["action"],
            short_digest(part["old_digest"]),
            short_digest(part["new_digest"]),
        )
        for target in answer["targets"]
        for part in target["components"]
    ]
    rows += [(t["wave"], t["name"], name, _gone(t), "", "") for t in answer["targets"] for name in t["removed"]]
    title = f"plan {short_digest(answer['digest'])}"
    print_table(("wave", "target", "component", "action", "now", "then"), rows, title=title)
    print_skipped(answer.get("skipped", ()))
    for component in answer.get("without", ()):
        tell(f"without {component}, which is retired there")
    for forecast in answer.get("forecasts", ()):
        _print_forecast(forecast)


def _print_forecast(forecast: Any) -> None:
    """What a target says itself, and what would be in the way."""
    tell(f"{forecast['target']} says" if forecast["lines"] else forecast["target"])
    for line in forecast["lines"]:
        tell(f"  {line}")
    for place in ("before", "after"):
        if hooks := forecast.get(place):
            tell(f"  hooks {place} it: {', '.join(hooks)}")
    if forecast["detail"]:
        tell(f"  {forecast['detail']}" + (f" ({forecast['code']})" if forecast["code"] else ""))
    if forecast["fix"]:
        tell(f"      fix: {forecast['fix']}")


def print_skipped(targets: Sequence[Any]) -> None:
    """Targets that are left alone, and why."""
    for target in targets:
        until = f" until {when(target['until'])}" if target["until"] else ""
        tell(f"skips {target['target']}: {state_of(target)}{until}, {target['reason']} ({target['actor']})")


def _gone(target: Any) -> str:
    return "hand over" if target.get("hand_over") else "remove"


def show_list(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    environment: Annotated[str | None, typer.Option("--env", help="Only those into this environment.")] = None,
    release: Annotated[str | None, typer.Option(help="Only those of this release.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    json: JsonOption = False,
) -> None:
    """Promotions, newest first."""
    api = connect()
    answer = api.get(f"{api.project}/promotions", state=state, environment=environment, release=release, limit=limit)
    if json:
        print_json(answer)
        return
    short = short_ids(item["id"] for item in answer["items"])
    rows = [
        (short[p["id"]], p["release"], p["environment"], p["state"], p["requester"], when(p["requested_at"]))
        for p in answer["items"]
    ]
    print_table(("promotion", "release", "environment", "state", "by", "requested"), rows)


def _finish(api: Any, made: Any, *, wait: bool, seconds: float, json: bool) -> None:
    """Tell what was asked for, and with `wait` how it ended."""
    if not json:
        tell(f"promotion {made['id']}: {made['release']} to {made['environment']}")
    view = watching.follow(api, made["id"], timeout=seconds) if wait else made
    if json:
        print_json(view)
    if not wait:
        return
    if not json:
        say(f"{view['state']}{': ' + view['detail'] if view['detail'] else ''}")
    raise typer.Exit(watching.exit_code(view))


def seconds_of(text: str) -> float:
    """A duration as it was typed. Raises BadInput (bad_duration)."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise BadInput(Code.BAD_DURATION, str(error)) from error
