"""Attacks by hand on evidence that our own activities sealed: each is refused, and names the rule that it breaks.

`AT_THE_FILE` needs no key. `AT_THE_LEDGER` is what whoever holds some of our keys seals and exports: all that follows is sealed anew.
"""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.contracts.canonical import canonical
from fairlead.contracts.votes import Choice, VotePayload
from fairlead.evidence import bundle, envelope
from fairlead.evidence.checkpoint import sign_checkpoint
from fairlead.evidence.statement import STATEMENT_PAYLOAD_TYPE
from fairlead.evidence.voting import sign_vote
from tests.evidence.real import Real, statement_of
from tests.evidence.resealing import Resealed, judged, name_of

OBSERVED, WENT_BACK = "observation prod-1", "observation prod-1 of rollback"
Rules = tuple[str, ...]


def item(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A bundled envelope by the name of its statement."""
    return next(i for i in document["envelopes"] if name_of(statement_of(i["envelope"])) == name)


def without(document: dict[str, Any], *names: str) -> None:
    document["envelopes"] = [i for i in document["envelopes"] if name_of(statement_of(i["envelope"])) not in names]


def in_place(of: str) -> Callable[[Real, dict[str, Any]], object]:
    """Another promotion's statement, with its genuine proof."""
    return lambda real, b: item(b, of).update(item(real.earlier_bundle, of))


def signed_by_ben(real: Real, b: dict[str, Any]) -> None:
    payload = canonical(statement_of(item(b, "decision")["envelope"]))
    item(b, "decision")["envelope"] = envelope.sign(real.people["ben"], STATEMENT_PAYLOAD_TYPE, payload)


def note_of(real: Real, signer: str) -> str:
    """A checkpoint of a tree that never was."""
    return sign_checkpoint(real.signers[signer], "shop", 9, b"r" * 32)


AT_THE_FILE: dict[str, tuple[Callable[[Real, dict[str, Any]], object], Rules]] = {
    "the decision of another promotion": (in_place("decision"), ("promotion", "chain", "inputs", "outcome")),
    "the votes of another promotion": (in_place("votes"), ("promotion", "vote", "chain")),
    "an observation of another promotion": (in_place(OBSERVED), ("promotion", "chain")),
    "the outcome of another promotion": (in_place("outcome"), ("promotion", "outcome")),
    "two outcomes": (
        lambda real, b: b["envelopes"].insert(-1, item(real.earlier_bundle, "outcome")),
        ("chain", "order", "promotion"),
    ),
    "no outcome": (lambda real, b: b["envelopes"].pop(), ("outcome",)),
    "no rollback": (
        lambda real, b: without(b, "rollback", "deployment of rollback", WENT_BACK, "verification of rollback"),
        ("rollback", "outcome"),
    ),
    "no votes": (lambda real, b: without(b, "votes"), ("chain", "approval", "outcome")),
    "no verdict of a gate": (lambda real, b: without(b, "verdict approval"), ("chain", "outcome")),
    "a decision that a voter has signed": (signed_by_ben, ("role", "inclusion")),
    "another promotion's name": (lambda real, b: b.update(promotion=real.earlier), ("promotion",)),
    "a checkpoint of another size": (lambda real, b: b.update(checkpoint=real.since), ("inclusion",)),
    "a checkpoint of another size, signed by nobody": (
        lambda real, b: b.update(checkpoint=note_of(real, "nobody")),
        ("checkpoint", "inclusion"),
    ),
    "a proof of growth from another tree": (
        lambda real, b: b.update(consistency=real.growth | {"since": note_of(real, "ledger")}),
        ("consistency",),
    ),
}


@pytest.mark.parametrize(("change", "rules"), AT_THE_FILE.values(), ids=AT_THE_FILE)
def test_a_changed_file_is_refused(real: Real, change: Callable[[Real, dict[str, Any]], object], rules: Rules) -> None:
    document = real.copy()
    change(real, document)
    assert set(rules) <= set(judged(real, document).failed)


def said(statement: dict[str, Any]) -> Any:
    return statement["predicate"]


def votes_in(statement: dict[str, Any]) -> list[dict[str, Any]]:
    votes: list[dict[str, Any]] = said(statement)["votes"]
    return votes


def swap_votes(real: Real, statement: dict[str, Any]) -> None:
    one, other = votes_in(statement)
    one["envelope"], other["envelope"] = other["envelope"], one["envelope"]


def replay(real: Real, statement: dict[str, Any]) -> None:
    votes_in(statement).append(dict(votes_in(statement)[1]))


def vote_of_earlier(real: Real, statement: dict[str, Any]) -> None:
    earlier = statement_of(item(real.earlier_bundle, "votes")["envelope"])
    votes_in(statement)[0] = votes_in(earlier)[0]


def recast(real: Real, signer: str = "ben", **changes: Any) -> dict[str, Any]:
    """ben's vote, with other fields or by another's key."""
    payload = statement_of(votes_in(statement_of(item(real.bundle, "votes")["envelope"]))[0]["envelope"])
    return sign_vote((real.people | real.signers)[signer], VotePayload.model_validate(payload | changes))


def recasting(signer: str = "ben", **changes: Any) -> Callable[[Real, dict[str, Any]], object]:
    return lambda real, statement: votes_in(statement)[0].update(envelope=recast(real, signer, **changes))


def receiving(received: str) -> Callable[[Real, dict[str, Any]], object]:
    return lambda real, statement: votes_in(statement)[-1].update(received=received)


def saying(*path: Any) -> Callable[[Real, dict[str, Any]], object]:
    """Put the last of the arguments at the path below the predicate."""
    *steps, last, value = path

    def put(real: Real, statement: dict[str, Any]) -> None:
        place = said(statement)
        for step in steps:
            place = place[step]
        place[last] = value

    return put


def deny(real: Real, statement: dict[str, Any]) -> None:
    said(statement)["verificationResult"], said(statement)["verifiedLevels"] = "FAILED", ["FAILED"]
    said(statement)["urn:fairlead:vsa-ext:v1"]["decision"] = "deny"


ZEROS = f"sha256:{'0' * 64}"
LATER = "2030-01-01T16:10:00Z"
"""After votes have closed."""
Insider = tuple[str, Callable[[Real, dict[str, Any]], object], Rules]

AT_THE_LEDGER: dict[str, Insider] = {
    "votes swapped between their entries": ("votes", swap_votes, ("vote",)),
    "a vote replayed": ("votes", replay, ("vote",)),
    "a vote for another plan": ("votes", recasting(plan=ZEROS), ("vote_count", "approval")),
    "a vote for another promotion": ("votes", vote_of_earlier, ("vote",)),
    "a vote for another release": ("votes", recasting(release=ZEROS), ("vote",)),
    "a vote into another environment": ("votes", recasting(environment="dev"), ("vote",)),
    "a vote of another project": ("votes", recasting(project="bank"), ("vote",)),
    "a vote after votes had closed": ("votes", receiving(LATER), ("vote",)),
    "a stale vote": ("votes", recasting(time="2030-01-01T14:50:00Z"), ("vote",)),
    "a vote that somebody else signed": ("votes", recasting("cho"), ("vote_signature",)),
    "a vote that the decision key signed": ("votes", recasting("decision"), ("vote_signature",)),
    "a vote that says a front end made it": ("votes", recasting(assurance="front_end"), ("vote_signature",)),
    "a no that is passed over": ("votes", recasting(choice=Choice.REJECT), ("approval",)),
    "a vote that is hushed up": ("votes", saying("votes", 1, "counted", False), ("vote_count",)),
    "a requester who voted": ("decision", saying("requester", "ben"), ("vote", "vote_count", "approval")),
    "more votes asked for than there were": ("decision", saying("approval", "count", 3), ("approval",)),
    "a gate that said no": ("verdict freeze", deny, ("decision",)),
    "another plan": ("decision", saying("planDocument", "on_failure", "stop"), ("plan",)),
    "a deployment of another plan": ("deployment", saying("plan", ZEROS), ("deployment", "inputs")),
    "a deployment of another digest": (
        "deployment",
        saying("targets", 0, "components", 0, "digest", ZEROS),
        ("deployment",),
    ),
    "an observation of another target": (WENT_BACK, saying("target", "prod-3"), ("observation", "verification")),
    "an observation of one target twice": (WENT_BACK, saying("target", "prod-2"), ("chain", "verification")),
    "ok, and another digest was seen": (WENT_BACK, saying("components", 0, "digest", ZEROS), ("observation",)),
    "ok, and it was not reached": (WENT_BACK, saying("reachable", False), ("observation",)),
    "a rollback to what was never there": (
        "rollback",
        saying("targets", 0, "components", 0, "digest", ZEROS),
        ("rollback", "deployment"),
    ),
    "a rollback with no higher number": ("deployment of rollback", saying("number", 2), ("deployment",)),
    "an end as if all had gone well": ("outcome", saying("state", "succeeded"), ("outcome",)),
}


@pytest.mark.parametrize(("name", "change", "rules"), AT_THE_LEDGER.values(), ids=AT_THE_LEDGER)
def test_a_ledger_that_is_sealed_anew_is_refused(
    real: Real, name: str, change: Callable[[Real, dict[str, Any]], object], rules: Rules
) -> None:
    resealed = Resealed(real, {name: lambda statement: change(real, statement)})
    assert set(rules) <= set(judged(real, resealed.bundle()).failed)


def test_sealing_anew_without_a_change_makes_the_very_same(real: Real) -> None:
    assert Resealed(real).leaves == real.leaves
    assert judged(real, Resealed(real).bundle()).verified


SIGNED = {
    "decision": "ben",
    "votes": "agent",
    "outcome": "ledger",
    "rollback": "agent",
    OBSERVED: "decision",
    "deployment": "cho",
    "verification": "agent",
}


@pytest.mark.parametrize(("name", "key"), SIGNED.items())
def test_nobody_signs_for_another(real: Real, name: str, key: str) -> None:
    assert judged(real, Resealed(real, signed_by={name: key}).bundle()).failed == ("role",)


def test_a_key_that_was_not_handed_over_is_refused(real: Real) -> None:
    assert judged(real, Resealed(real, signed_by={"decision": "nobody"}).bundle()).failed == ("known_key",)


def test_a_rollback_that_was_never_sealed_is_missed(real: Real) -> None:
    gone = (
        "rollback",
        "deployment of rollback",
        WENT_BACK,
        "observation prod-2 of rollback",
        "verification of rollback",
    )
    failed = judged(real, Resealed(real, dropped=gone).bundle()).failed
    assert {"rollback", "outcome"} <= set(failed)


def test_a_second_outcome_is_refused(real: Real) -> None:
    again = statement_of(item(real.bundle, "outcome")["envelope"])
    again["predicate"]["state"] = "failed"
    second = envelope.sign(real.signers["decision"], STATEMENT_PAYLOAD_TYPE, canonical(again))
    assert "chain" in judged(real, Resealed(real, then=(second,)).bundle()).failed


LONG_AGO = "2020-01-01T00:00:00Z"
TRUST = {
    "a decision key past its time": ({"name": "decision", "not_after": LONG_AGO}, ("key_time",)),
    "an agent's key past its time": ({"name": "agent", "not_after": LONG_AGO}, ("key_time",)),
    "a ledger key past its time": ({"name": "ledger", "not_after": LONG_AGO}, ("checkpoint",)),
    "a voter's key past its time": ({"name": "ben", "not_after": LONG_AGO}, ("vote_signature",)),
    "the decision key as an agent's": ({"name": "decision", "roles": ["agent:worker"]}, ("role",)),
    "the agent's key as the decision key": ({"name": "agent", "roles": ["decision"]}, ("role",)),
    "the ledger's key as a voter's": ({"name": "ledger", "roles": ["voter:ben"]}, ("checkpoint",)),
    "ben's key as cho's": ({"name": "ben", "roles": ["voter:cho"]}, ("vote_signature",)),
}


@pytest.mark.parametrize(("change", "rules"), TRUST.values(), ids=TRUST)
def test_a_key_proves_what_its_role_and_time_allow(real: Real, change: dict[str, Any], rules: Rules) -> None:
    assert judged(real, real.bundle, real.trusting(**change)).failed == rules


def test_the_trust_file_of_another_project_is_refused(real: Real) -> None:
    failed = judged(real, real.bundle, real.trust | {"project": "bank"}).failed
    assert {"project", "checkpoint"} <= set(failed)


def forked(real: Real) -> dict[str, Any]:
    """A ledger of the same keys and size with another past; it proves that it continues a checkpoint of its own."""
    fork = Resealed(real, {"verdict freeze": lambda statement: said(statement).update(timeVerified=LONG_AGO)})
    tree = fork.tree()
    note = sign_checkpoint(real.signers["ledger"], "shop", tree.size, tree.root())
    since = sign_checkpoint(real.signers["ledger"], "shop", tree.size - 1, tree.root(tree.size - 1))
    return bundle.build(real.went_back, fork.own, tree, note, since=since)


def test_what_a_fork_shows_is_believed_by_whoever_saw_nothing_before(real: Real) -> None:
    assert judged(real, forked(real)).verified


def test_a_fork_cannot_continue_what_was_seen_before(real: Real) -> None:
    seen = real.bundle["checkpoint"]
    document = forked(real)
    assert judged(real, document, since=seen).failed == ("consistency",)
    proof = tuple(document["consistency"]["proof"])
    assert judged(real, document, since=seen, consistency=proof).failed == ("consistency",)


def test_the_genuine_ledger_continues_what_was_seen_before(real: Real) -> None:
    continued = real.bundle | {"consistency": real.growth}
    assert judged(real, continued).verified
    assert judged(real, continued, since=real.since).verified
    assert judged(real, real.bundle, since=real.since).failed == ("consistency",)
    assert judged(real, real.bundle, since=real.bundle["checkpoint"]).verified


def test_a_ledger_that_was_cut_off_does_not_continue(real: Real) -> None:
    seen = real.bundle["checkpoint"]
    assert judged(real, real.earlier_bundle | {"checkpoint": real.since}, since=seen).failed[-1:] == ("consistency",)
