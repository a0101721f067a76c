"""Verification: a pure function of a bundle's bytes and a trust file. No server, no network, no clock."""

from collections.abc import Iterable
from typing import Final

from fairlead.evidence.case import Case
from fairlead.evidence.reading import READING_RULES, Since, Unreadable, read_case
from fairlead.evidence.report import Finding, Report, Rule, Status
from fairlead.evidence.rules import approval, chain, deciding, ending, execution, inclusion, scope, signers
from fairlead.evidence.rules.approval import seen_votes
from fairlead.evidence.trust import Trust

RULES: Final[tuple[Rule[Case], ...]] = (
    *signers.RULES,
    *inclusion.RULES,
    *scope.RULES,
    *chain.RULES,
    *deciding.RULES,
    *approval.RULES,
    *execution.RULES,
    *ending.RULES,
)


def verify(
    bundle: bytes, trust: Trust, *, since: str | None = None, consistency: tuple[str, ...] | None = None
) -> Report:
    """Judge a bundle by every rule. `since`: the text of an older checkpoint, whose proof is in the bundle or `consistency`."""
    try:
        case = read_case(bundle, trust, Since(since, consistency) if since is not None else None)
    except Unreadable as error:
        return Report(findings=tuple(_unread(error)))
    read = (Finding(name, demands, Status.OK) for name, demands in READING_RULES.items())
    judged = (_finding(rule, case) for rule in RULES)
    return Report(
        findings=(*read, *judged),
        incomplete=case.outcome is None,
        project=case.trust.project,
        promotion=case.promotion,
        environment=case.decision.predicate.environment if case.decision else None,
        release=case.manifest.version if case.manifest else None,
        state=case.outcome.predicate.state.value if case.outcome else None,
        on_trust=tuple(_on_trust(case)),
    )


def _finding(rule: Rule[Case], case: Case) -> Finding:
    problems = tuple(rule.check(case))
    return Finding(rule.name, rule.demands, Status.FAILED if problems else Status.OK, problems)


def _unread(error: Unreadable) -> Iterable[Finding]:
    for name, demands in READING_RULES.items():
        failed = name == error.rule
        yield Finding(name, demands, Status.FAILED if failed else Status.SKIPPED, (error.detail,) if failed else ())
    yield from (Finding(rule.name, rule.demands, Status.SKIPPED) for rule in RULES)


def _on_trust(case: Case) -> Iterable[str]:
    if case.decision:
        said = case.decision.predicate
        yield f"that {said.requester} asked for it, which gates and approval rule applied, and what their facts were"
    for vote in seen_votes(case):
        groups = ", ".join(vote.said.groups) or "no group"
        yield f"that {vote} was received at {vote.said.received.isoformat()}, its voter then in {groups}"
    if case.rollback:
        yield "that the states that targets went back to had been verified before"
