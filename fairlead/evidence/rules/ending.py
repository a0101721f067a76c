"""Rollbacks that had to be, and an outcome that names every statement and fits them."""

from collections.abc import Callable, Iterator, Mapping

from fairlead.domain.codes import Code
from fairlead.domain.states import PromotionState
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case, accepted_digests
from fairlead.evidence.report import Rule
from fairlead.evidence.rules.approval import seen_votes

_NOTHING_WENT_BACK = {Code.TERMINATED, Code.HISTORY_CONFLICT, Code.ROLLBACK_REFUSED}
"""Hands in Temporal, or no order for a rollback: then the outcome says so by its code."""


def _rollback(case: Case) -> Iterator[str]:
    failed, order = case.deployment(is_rollback=False), case.rollback
    touched = sorted(target.name for target in failed.predicate.targets if target.touched) if failed else []
    if order is None:
        if touched and _must_roll_back(case):
            yield f"the deployment failed, {', '.join(touched)} were touched, and no rollback was sealed"
        return
    if case.passed(is_rollback=False):
        yield f"{order} rolls back a deployment that was verified"
    said = order.predicate
    if (said.deployment, said.rollback) != (
        case.deployment_id(is_rollback=False),
        case.deployment_id(is_rollback=True),
    ):
        yield f"{order} is of another deployment"
    if sorted(target.name for target in said.targets) != touched:
        yield f"{order}: its targets are not those that the deployment touched"
    for target in said.targets:
        yield from (f"{order}: {problem}" for problem in _bad_place(case, target))


def _must_roll_back(case: Case) -> bool:
    failed = case.deployment(is_rollback=False)
    codes = {failed.predicate.code if failed else None, case.outcome.predicate.code if case.outcome else None}
    return bool(
        case.outcome
        and case.plan
        and case.plan.on_failure == "rollback"
        and not case.passed(is_rollback=False)
        and not codes & _NOTHING_WENT_BACK
    )


def _bad_place(case: Case, target: p.RollbackTarget) -> Iterator[str]:
    if target.retire:
        if target.components or target.release_digest != case.release:
            yield f"{target.name} is taken down, and goes somewhere"
        return
    if not target.components:
        yield f"{target.name} goes back to nothing"
    for component in target.components:
        if component.digest not in accepted_digests(case.manifests.get(target.release_digest), component.name):
            yield f"{component.name} on {target.name} is not of release {target.release}"


def _outcome(case: Case) -> Iterator[str]:
    if case.outcome is None:
        yield "incomplete: there is no outcome, the promotion has not ended"
        return
    if case.outcome is not case.entries[-1]:
        yield "the outcome is not the last statement"
    others = [entry.digest for entry in case.entries if entry is not case.outcome]
    if list(case.outcome.predicate.statements) != others:
        yield "the outcome does not name just the statements that are here, in their order"
    check = _STATES.get(case.outcome.predicate.state)
    if check is None:
        yield f"{case.outcome.predicate.state.value} is no end of a promotion"
    else:
        yield from check(case)


def _is_denied(case: Case) -> bool:
    return case.decision is not None and case.decision.predicate.result == "deny"


def _succeeded(case: Case) -> Iterator[str]:
    if _is_denied(case) or not case.passed(is_rollback=False):
        yield "it succeeded, without a deployment that succeeded and was verified"
    if case.rollback or case.deployment(is_rollback=True):
        yield "it succeeded, and was rolled back"


def _rolled_back(case: Case) -> Iterator[str]:
    if case.rollback is None or not case.passed(is_rollback=True):
        yield "it was rolled back, without a rollback that succeeded and was verified"
    elif any(target.retire for target in case.rollback.predicate.targets):
        yield "it was rolled back, and a target had nothing to go back to"


def _rejected(case: Case) -> Iterator[str]:
    yield from _undecided(case)
    denied = any(entry.predicate.extension.decision == "deny" for entry in case.of(p.VerdictPredicate))
    refused = any(vote.opened and vote.opened.payload.choice == "reject" for vote in seen_votes(case))
    if not (denied or refused or (case.decision and case.decision.predicate.code)):
        yield "it was rejected, and no gate, vote or rule said no"


def _undecided(case: Case) -> Iterator[str]:
    if not _is_denied(case):
        yield "it ended before it was carried out, and was not denied"


def _anything(case: Case) -> Iterator[str]:
    return iter(())


_STATES: Mapping[PromotionState, Callable[[Case], Iterator[str]]] = {
    PromotionState.SUCCEEDED: _succeeded,
    PromotionState.ROLLED_BACK: _rolled_back,
    PromotionState.REJECTED: _rejected,
    PromotionState.EXPIRED: _undecided,
    PromotionState.SUPERSEDED: _undecided,
    # either may come at any time, and says no more than that it was the end
    PromotionState.CANCELLED: _anything,
    PromotionState.FAILED: _anything,
}

RULES = (
    Rule("rollback", "what failed went back where it had to, by a statement sealed before", _rollback),
    Rule("outcome", "the promotion ended once, in a state that fits, and its outcome names every statement", _outcome),
)
