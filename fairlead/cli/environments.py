"""`status`, `why` and `observe`: what runs where, and what keeps it so."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from fairlead.cli.output import JsonOption, print_json, print_table, short_digest, short_ids, state_of, tell, when
from fairlead.cli.problem import Problem
from fairlead.cli.promotions import Environment, print_skipped
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code

MaybeEnvironment = Annotated[str | None, typer.Argument(help="An environment; all of them without it.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("status")(status)
    app.command("why")(why)
    app.command("observe")(observe)


def status(environment: MaybeEnvironment = None, json: JsonOption = False) -> None:
    """Releases per target, queue, freezes, holds."""
    api = connect()
    answer = api.get(api.project + path("environments", *([environment] if environment else [])))
    if json:
        print_json(answer)
    elif environment is None:
        _print_overview(answer["items"])
    else:
        _print_environment(answer)


def why(
    what: Annotated[
        str, typer.Argument(metavar="PROMOTION|ENV", help="A promotion (or a prefix of its id), or an environment.")
    ],
    json: JsonOption = False,
) -> None:
    """Say what blocks it: which rule, on what input, since when, until when."""
    answer = _why(what)
    if json:
        print_json(answer)
        return
    if "promotion" in answer:
        tell(f"{answer['release']} to {answer['environment']}: {answer['state']}")
    else:
        tell(f"{answer['environment']}: {'blocked' if answer['blocked_by'] else 'neither frozen nor held'}")
    _print_blockers(answer["blocked_by"])
    _print_drifted(answer)
    print_skipped(answer.get("skipped", ()))
    _print_open(answer.get("promotions", ()))
    _print_refused(answer.get("refused_votes", ()))
    _print_queue(answer)


def observe(
    environment: Environment,
    drift: Annotated[bool, typer.Option("--drift", help="Only where it drifted: what, since when.")] = False,
    json: JsonOption = False,
) -> None:
    """Show what was last seen running, and where it drifted from what was verified."""
    api = connect()
    answer = api.get(api.project + path("environments", environment, "observations"))
    if drift:
        answer = {"items": [target for target in answer["items"] if target["drift"]]}
    if json:
        print_json(answer)
    elif drift:
        _print_drift(answer["items"], environment)
    else:
        _print_observed(answer["items"])


def _print_observed(targets: Sequence[Any]) -> None:
    rows = [row for target in targets for row in _seen(target)]
    print_table(("target", "component", "release", "digest", "health", "running since", "seen"), rows)
    for target in targets:
        for difference in target["drift"]:
            tell(f"drift: {target['target']}: {difference['detail']}")


def _print_drift(targets: Sequence[Any], environment: str) -> None:
    if not targets:
        tell(f"{environment}: no drift")
        return
    rows = [
        (target["target"], d["component"], d["kind"], d["detail"], when(target["drifted_since"]))
        for target in targets
        for d in target["drift"]
    ]
    print_table(("target", "component", "kind", "what", "since"), rows)


def _why(what: str) -> Any:
    api = connect()
    try:
        return api.get(api.project + path("environments", what, "why"))
    except Problem as no_environment:
        if no_environment.code != Code.ENVIRONMENT_NOT_FOUND:
            raise
        try:
            return api.get(path("promotions", what, "why"))
        except Problem as no_promotion:
            if no_promotion.code != Code.PROMOTION_NOT_FOUND:
                raise
            raise no_environment from no_promotion


def _print_overview(environments: Sequence[Any]) -> None:
    rows = []
    for environment in environments:
        versions = sorted({target["release"] or "nothing" for target in environment["targets"]})
        holder = environment["holder"]
        rows.append(
            (
                environment["name"],
                ", ".join(versions),
                ", ".join(sorted({target["health"] or "not seen" for target in environment["targets"]})),
                f"{holder['release']} {holder['state']}" if holder else "",
                len(environment["queue"]) or "",
                ", ".join(r["kind"] for r in (*environment["freezes"], *environment["holds"])),
            )
        )
    print_table(("environment", "runs", "health", "in hand", "queue", "restraints"), rows)


def _print_environment(environment: Any) -> None:
    rows = [
        (
            t["name"],
            t["type"],
            t["release"] or "nothing",
            state_of(t["status"]),
            t["health"] or "not seen",
            when(t["verified_at"]),
            when(t["observed_at"]),
        )
        for t in environment["targets"]
    ]
    print_table(("target", "type", "runs", "state", "health", "verified", "seen"), rows, title=environment["name"])
    _print_restraints((*environment["freezes"], *environment["holds"]))
    _print_queue(environment)


def _print_restraints(restraints: Sequence[Any]) -> None:
    if not restraints:
        return
    short = short_ids(r["id"] for r in restraints)
    rows = [
        (short[r["id"]], r["kind"], r["reason"], r["actor"], when(r["since"]), when(r["until"])) for r in restraints
    ]
    print_table(("id", "what", "reason", "by", "since", "until"), rows)


def _print_queue(answer: Any) -> None:
    if isinstance(answer["holder"], dict) or answer.get("queue"):
        places = [place for place in (answer["holder"], *answer["queue"]) if place]
        short = short_ids(place["promotion"] for place in places)
        rows = [
            (p["position"], short[p["promotion"]], p["release"], p["state"], p["requester"], when(p["queued_at"]))
            for p in places
        ]
        print_table(("position", "promotion", "release", "state", "by", "queued"), rows)


def _print_blockers(blockers: Sequence[Any]) -> None:
    if blockers:
        rows = [(b["rule"], b["code"], b["detail"], when(b["since"]), when(b["until"])) for b in blockers]
        print_table(("rule", "code", "what", "since", "until"), rows)


def _print_drifted(answer: Any) -> None:
    """What drifted and does not block, and how it is put right."""
    _print_blockers([reason for reason in answer.get("drift", ()) if reason not in answer["blocked_by"]])
    remedy = answer.get("remedy")
    if not remedy:
        return
    if remedy["promotion"]:
        tell(f"promotion {remedy['promotion']} puts it right")
    elif remedy["stopped"]:
        tell(f"it is not put right any more: {remedy['in_vain']} attempts in a row did not help; promote to start anew")
    elif remedy["restrained"]:
        tell(f"it is not put right during a {' and a '.join(remedy['restrained'])}")
    elif remedy["at"]:
        tell(f"it is put right at {when(remedy['at'])} at the earliest")


def _print_open(promotions: Sequence[Any]) -> None:
    short = short_ids(promotion["promotion"] for promotion in promotions)
    for promotion in promotions:
        tell(f"promotion {short[promotion['promotion']]}, {promotion['release']}: {promotion['state']}")
        _print_blockers(promotion["blocked_by"])


def _print_refused(votes: Sequence[Any]) -> None:
    if votes:
        rows = [(v["code"], v["actor"], v["via"], short_digest(v["payload_digest"]), when(v["time"])) for v in votes]
        print_table(("refused", "by", "via", "payload", "at"), rows)


def _nothing_seen(target: Any) -> str:
    """Why there is nothing to tell of it."""
    status = target["status"]
    return "unreachable" if target["reachable"] is False else "" if status["state"] == "active" else state_of(status)


def _seen(target: Any) -> list[tuple[object, ...]]:
    seen = when(target["observed_at"]) or "never"
    if not target["components"]:
        return [(target["target"], "", "", "", _nothing_seen(target), "", seen)]
    return [
        (target["target"], c["name"], c["release"], short_digest(c["digest"]), c["health"], when(c["since"]), seen)
        for c in target["components"]
    ]
