"""How the statements hang together: how many of each kind, what each must list as its inputs, and that the outcome names all."""

from collections import Counter
from collections.abc import Iterator

from fairlead.contracts.canonical import Digest
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case, Entry
from fairlead.evidence.report import Rule

_AT_MOST_ONE = (p.VotesPredicate, p.DecisionPredicate, p.RollbackPredicate, p.OutcomePredicate)
_ELSEWHERE = (p.FreezePredicate, p.KeyPredicate, p.DriftPredicate)


def _chain(case: Case) -> Iterator[str]:
    yield from (
        f"{entry} has no place in a bundle" for entry in case.entries if isinstance(entry.predicate, _ELSEWHERE)
    )
    for model in _AT_MOST_ONE:
        if len(case.of(model)) > 1:
            yield f"there are {len(case.of(model))} {model.KIND} statements, there may be one"
    if case.outcome and not case.decision:
        yield "a promotion that ended has a decision, there is none"
    yield from _decided(case)
    yield from _executed(case)


def _decided(case: Case) -> Iterator[str]:
    if not case.decision:
        return
    said = case.decision.predicate
    if list(said.verdicts) != [entry.digest for entry in case.of(p.VerdictPredicate)]:
        yield "the decision's verdicts are not the verdict statements that are here, in their order"
    if said.votes != (case.votes.digest if case.votes else None):
        yield "the decision's votes are not the votes statement that is here"


def _executed(case: Case) -> Iterator[str]:
    for entry in case.entries:
        said = entry.predicate
        if not isinstance(said, p.DeploymentPredicate | p.ObservationPredicate | p.VerificationPredicate):
            continue
        if said.deployment != case.deployment_id(is_rollback=said.is_rollback):
            yield f"{entry} is of deployment {said.deployment!r}, which is none of this promotion's"
    keys = Counter(_key(entry.predicate) for entry in case.entries)
    yield from (f"there are {count} statements of {' '.join(key)}" for key, count in keys.items() if key and count > 1)


def _key(said: p.AnyPredicate) -> tuple[str, ...]:
    if isinstance(said, p.DeploymentPredicate | p.VerificationPredicate):
        return said.KIND, said.deployment
    if isinstance(said, p.ObservationPredicate):
        return said.KIND, said.deployment, said.target
    return ()


def _inputs(case: Case) -> Iterator[str]:
    places = {entry.digest: entry.position for entry in case.entries}
    for entry in case.entries:
        if list(entry.predicate.inputs) != _expected(case, entry):
            yield f"{entry}: its inputs are not what the table demands"
        if any(places.get(digest, -1) >= entry.position for digest in entry.predicate.inputs):
            yield f"{entry} rests on a statement that was sealed after it"


def _expected(case: Case, entry: Entry[p.AnyPredicate]) -> list[Digest]:
    """The table of docs/evidence.md."""
    said = entry.predicate
    if isinstance(said, p.VerdictPredicate):
        return [*_digest(case.release_statement()), said.extension.facts]
    if isinstance(said, p.VotesPredicate):
        return [*_digest(case.release_statement()), *_given(said.plan)]
    if isinstance(said, p.DecisionPredicate):
        return [*_digest(case.release_statement()), *_given(said.plan), *said.verdicts, *_given(said.votes)]
    if isinstance(said, p.OutcomePredicate):
        return list(said.statements)
    return _expected_of_execution(case, said)


def _expected_of_execution(case: Case, said: p.AnyPredicate) -> list[Digest]:
    if isinstance(said, p.DeploymentPredicate):
        return _digest(case.rollback) if said.is_rollback else [*_digest(case.decision), *_given(said.plan)]
    if isinstance(said, p.ObservationPredicate):
        return _digest(case.deployment(is_rollback=said.is_rollback))
    if isinstance(said, p.VerificationPredicate):
        seen = [entry.digest for entry in case.observations(said.deployment)]
        return [*_digest(case.deployment(is_rollback=said.is_rollback)), *seen]
    if isinstance(said, p.RollbackPredicate):
        failed = (case.deployment(is_rollback=False), case.verification(is_rollback=False))
        return [*_digest(case.decision), *_digest(failed[0]), *_digest(failed[1])]
    return []


def _digest(entry: Entry[p.AnyPredicate] | None) -> list[Digest]:
    # what is not there is named by a digest that nothing can have, so that its absence is a difference
    return [entry.digest if entry else "missing"]


def _given(digest: Digest | None) -> list[Digest]:
    return [] if digest is None else [digest]


RULES = (
    Rule(
        "chain",
        "the statements are those of one promotion: no more of a kind than there may be, none without its ground",
        _chain,
    ),
    Rule("inputs", "every statement rests on just what the table demands, sealed before it", _inputs),
)
