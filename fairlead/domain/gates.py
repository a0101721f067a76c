"""The gates: pure rules over gathered facts, each answering a Verdict (design decision 5).

What a gate is given is one JSON value `{"gate", "policy", "facts"}`; its digest is the verdict's `facts`, so that the same
value and the same instant give the same verdict later (`fairlead evidence replay`).

A rollback that somebody asks for goes to a release that was verified in that environment before. Getting back must not be
blocked: previous_environment, freeze, drift and approval allow it and say why, security is not asked (commands.facts leaves it out).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.domain.codes import Code
from fairlead.domain.durations import format_duration
from fairlead.domain.findings import Finding, VexStatement, excused
from fairlead.domain.instants import from_text, to_text
from fairlead.domain.lane import FREEZE as FREEZE_KIND
from fairlead.domain.lane import Restraint, Waiting, blockers
from fairlead.domain.verdict import Decision, Verdict
from fairlead.domain.votes import CastVote, Quorum, Tally, tally

PREVIOUS_ENVIRONMENT = "previous_environment"
FREEZE = "freeze"
DRIFT = "drift"
APPROVAL = "approval"
SECURITY = "security"

GateInput = Mapping[str, Any]
Digester = Callable[[Any], str]

MOST_NAMED = 20
"""How many findings, freezes or images a verdict spells out; it counts the others."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict without its frame. `until`: when time alone may change it; `since`: when an allow came about."""

    decision: Decision
    message: str
    codes: tuple[Code, ...] = ()
    until: datetime | None = None
    since: datetime | None = None
    details: dict[str, object] = field(default_factory=dict)


def judge(given: GateInput, now: datetime, digest: Digester) -> Verdict:
    """Let the gate that `given` names answer; facts it cannot read are an `error`, never an allow."""
    try:
        answer = _GATES[given["gate"]](given["policy"], given["facts"], now)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        answer = Answer(Decision.ERROR, f"the facts cannot be read: {error!r:.200}", (Code.FACTS_UNAVAILABLE,))
    return Verdict(
        gate=str(given.get("gate")),
        decision=answer.decision,
        reason_codes=tuple(sorted(code.value for code in answer.codes)),
        message=answer.message[:1000],
        facts=digest(given),
        policy=digest(given.get("policy")),
        evaluated_at=now,
        next_evaluation_at=answer.until,
        satisfied_at=answer.since,
        details=answer.details,
    )


def _previous_environment(policy: GateInput, facts: GateInput, now: datetime) -> Answer:
    if goes_back(facts):
        return _allow_going_back()
    stages = [_stage(name, rule["soak"], facts["spans"].get(name, ()), now) for name, rule in policy["after"].items()]
    unmet = [stage for stage in stages if stage.decision is not Decision.ALLOW]
    details: dict[str, object] = {
        name: s.details for name, s in [*zip(policy["after"], stages, strict=True)][:MOST_NAMED]
    }
    if not unmet:
        return Answer(Decision.ALLOW, "; ".join(s.message for s in stages) or "nothing comes before", details=details)
    codes = {code for stage in unmet for code in stage.codes}
    return Answer(Decision.PENDING, "; ".join(s.message for s in unmet), tuple(codes), _latest(unmet), details=details)


def _stage(name: str, soak: float, spans: Iterable[Any], now: datetime) -> Answer:
    """How far the release has come in one environment: verified there, and run there for as long as it must."""
    ran, runs = timedelta(), False
    for start, end in spans:
        if from_text(start) < now:
            ran += min(from_text(end) if end else now, now) - from_text(start)
        runs = runs or end is None
    missing = timedelta(seconds=soak) - ran
    details: dict[str, object] = {"soak": soak, "ran": ran.total_seconds(), "runs": runs}
    if not spans:
        return Answer(Decision.PENDING, f"not verified in {name} yet", (Code.ENVIRONMENT_NOT_REACHED,), details=details)
    if missing <= timedelta():
        return Answer(Decision.ALLOW, f"verified in {name}", details=details)
    left = format_duration(missing.total_seconds())
    ends = now + missing if runs else None
    where = f"must run in {name} for another {left}" + ("" if runs else ", and does not run there now")
    return Answer(Decision.PENDING, where, (Code.SOAKING,), ends, details=details)


def _freeze(policy: GateInput, facts: GateInput, now: datetime) -> Answer:
    waiting = Waiting("", "", 0, is_rollback=facts["intent"] == "rollback")
    freezes = [_restraint(entry) for entry in facts["freezes"]]
    kept_by = blockers(waiting, freezes, now)
    if not kept_by:
        went_through = bool(blockers(Waiting("", "", 0), freezes, now))
        return Answer(Decision.ALLOW, "a rollback goes through a freeze" if went_through else "not frozen")
    details = {"freezes": [_told(f) for f in freezes[:MOST_NAMED]], "count": len(kept_by)}
    ends = [blocker.until for blocker in kept_by if blocker.until is not None]
    until = max(ends) if len(ends) == len(kept_by) else None
    return Answer(Decision.PENDING, "; ".join(b.detail for b in kept_by), (Code.FROZEN,), until, details=details)


def _restraint(entry: Mapping[str, Any]) -> Restraint:
    until = from_text(entry["until"]) if entry["until"] else None
    return Restraint(entry["id"], FREEZE_KIND, entry["reason"], entry["actor"], from_text(entry["since"]), until)


def _told(freeze: Restraint) -> dict[str, object]:
    until = to_text(freeze.until) if freeze.until else None
    return {"id": freeze.id, "reason": freeze.reason[:100], "since": to_text(freeze.since), "until": until}


def _drift(policy: GateInput, facts: GateInput, now: datetime) -> Answer:
    if goes_back(facts):
        return _allow_going_back()
    targets = facts["targets"]
    if not targets:
        return Answer(Decision.ALLOW, "runs as it was verified")
    told = "; ".join(
        f"{target}: {each['detail']}" for target, found in targets.items() for each in found["differences"]
    )
    details: dict[str, object] = {"targets": dict(list(targets.items())[:MOST_NAMED]), "count": len(targets)}
    return Answer(Decision.PENDING, f"drifted from what was verified: {told}", (Code.DRIFT,), details=details)


def _approval(policy: GateInput, facts: GateInput, now: datetime) -> Answer:
    if goes_back(facts):
        return _allow_going_back()
    if brings_the_same(facts):
        return Answer(Decision.ALLOW, "brings just the plan that was verified here last")
    quorum = Quorum(policy["count"], policy["groups"], policy["requester"])
    votes = [_vote(entry) for entry in facts["votes"]]
    opened = from_text(facts["opened"]) if facts["opened"] else None
    result = tally(votes, quorum, plan=facts["plan"], requester=facts["requester"], opened=opened)
    details: dict[str, object] = {
        "count": quorum.count,
        "groups": dict(quorum.groups),
        "approved_by": list(result.approved_by),
        "rejected_by": list(result.rejected_by),
        "missing": result.missing,
        "missing_groups": dict(result.missing_groups),
        "opened": facts["opened"],
        "expires": facts["expires"],
    }
    return _counted(result, facts, now, details)


def _counted(result: Tally, facts: GateInput, now: datetime, details: dict[str, object]) -> Answer:
    if result.rejected_by:
        who = ", ".join(result.rejected_by)
        return Answer(Decision.DENY, f"rejected by {who}", (Code.VOTE_REJECTED,), details=details)
    if result.enough:
        who = ", ".join(result.approved_by)
        return Answer(Decision.ALLOW, f"approved by {who}", since=result.satisfied_at, details=details)
    if facts["expires"] and now >= from_text(facts["expires"]):
        return Answer(
            Decision.PENDING, "the time for votes is over", (Code.APPROVAL_EXPIRED, Code.VOTES_MISSING), details=details
        )
    until = from_text(facts["expires"]) if facts["expires"] else None
    return Answer(Decision.PENDING, _lacking(result), (Code.VOTES_MISSING,), until, details=details)


def _lacking(result: Tally) -> str:
    groups = [f"{count} of {group}" for group, count in result.missing_groups.items()]
    votes = f"{result.missing} more {'vote' if result.missing == 1 else 'votes'}" if result.missing else "votes"
    return f"needs {votes}" + (f", among them {' and '.join(groups)}" if groups else "")


def _vote(entry: Mapping[str, Any]) -> CastVote:
    return CastVote(
        digest=entry["digest"],
        voter=entry["voter"],
        choice=entry["choice"],
        groups=tuple(entry["groups"]),
        plan=entry["plan"],
        received=from_text(entry["received"]),
    )


def _security(policy: GateInput, facts: GateInput, now: datetime) -> Answer:
    images, missing, blocked, cleared = facts["images"], {}, [], []
    for component, options in facts["components"].items():
        if not any(all(images[digest]["reported"] for digest in option) for option in options):
            missing[component] = options[0]
        found, shown = _judged(component, options, images, policy["reachable"])
        blocked += found
        cleared += shown
    details: dict[str, object] = {
        "block": policy["block"],
        "blocked": blocked[:MOST_NAMED],
        "blocked_count": len(blocked),
        "cleared": cleared[:MOST_NAMED],
        "missing": dict(list(missing.items())[:MOST_NAMED]),
    }
    if blocked:
        names = sorted({entry["cve"] for entry in blocked})
        text = f"{policy['block']} or worse: {', '.join(names)}"
        return Answer(Decision.DENY, text, (Code.VULNERABILITY_BLOCKED,), details=details)
    if missing:
        named = "; ".join(f"{component} ({', '.join(digests)})" for component, digests in missing.items())
        return Answer(Decision.PENDING, f"no scan report of {named}", (Code.REPORT_MISSING,), details=details)
    return Answer(Decision.ALLOW, f"nothing {policy['block']} or worse", details=details)


Entries = list[dict[str, str]]


def _judged(component: str, options: Any, images: Any, reachable: bool) -> tuple[Entries, Entries]:
    """The findings of a component that block, and those shown to be out of reach.

    A statement about an index (the first option) holds for its platforms; one about a platform for that one only.
    """
    index = options[0][0]
    blocked: Entries = []
    cleared: Entries = []
    for digest in dict.fromkeys(digest for option in options for digest in option):
        about = dict.fromkeys((digest, index))
        statements = [VexStatement(**_tupled(entry)) for d in about for entry in images[d]["vex"]]
        for finding in (Finding(**entry) for entry in images[digest]["findings"]):
            entry = {"cve": finding.cve, "severity": finding.severity, "package": finding.package[:80]}
            clear = reachable and excused(finding, statements)
            (cleared if clear else blocked).append({**entry, "component": component, "digest": digest})
    return blocked, cleared


def _tupled(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "subcomponents": tuple(entry["subcomponents"])}


def goes_back(facts: GateInput) -> bool:
    """Whether somebody asks to go back to what was verified here before; then no votes are asked for."""
    return bool(facts["intent"] == "rollback" and facts["verified_here"])


def brings_the_same(facts: GateInput) -> bool:
    """Whether drift is put right by the very plan that was decided on and verified here last; then no votes are asked for anew."""
    return bool(facts["intent"] == "reconverge" and facts.get("verified_plan") == facts["plan"])


def _allow_going_back() -> Answer:
    details: dict[str, object] = {"intent": "rollback", "verified_here": True}
    return Answer(Decision.ALLOW, "goes back to a release that was verified here before", details=details)


def _latest(answers: Iterable[Answer]) -> datetime | None:
    """When time alone has changed all of these; None when it cannot change one."""
    ends = [answer.until for answer in answers]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


_GATES: Mapping[str, Callable[[GateInput, GateInput, datetime], Answer]] = {
    PREVIOUS_ENVIRONMENT: _previous_environment,
    FREEZE: _freeze,
    DRIFT: _drift,
    APPROVAL: _approval,
    SECURITY: _security,
}
